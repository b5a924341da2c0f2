"""What a store lets go by age and by size: messages, and the raw lines of pipes."""

from __future__ import annotations

import os
import random
from pathlib import Path

import msgspec
import pytest

from flowmon.model.flow import Fate, Flow, Hop
from flowmon.model.words import DeliveryStatus
from flowmon.store import retention
from flowmon.store.batch import Batch
from flowmon.store.evidence import MASK
from flowmon.store.rows import Rows, make
from flowmon.store.writer import Writer
from flowmon.tracking.hosts import KnownHosts

DAY = 86_400.0


def _message(id: int, at: float, *, waits: bool = False) -> Rows:
    hop = Hop(id, "gw", "postfix", f"{id:X}", at, at, subject=os.urandom(500).hex())
    return make(Flow(id, [msgspec.structs.replace(hop, left_at=None if waits else at)]), KnownHosts(), at)


def _fill(writer: Writer, days: int, *, lines: int = 0, waits: int = -1) -> None:
    """A message a day, and so many bytes of raw lines a day that came through a pipe."""
    for day in range(days):
        at = day * DAY
        blocks = [((1 << 44) + day * lines, lines, os.urandom(lines))] if lines else []
        writer.commit(Batch(rows=[_message(day + 1, at, waits=day == waits)], blocks=blocks, meta={"now": at}))


def _left(writer: Writer) -> tuple[int, list[int]]:
    blocks = [r[0] & MASK for r in writer.db.execute("SELECT position FROM blocks ORDER BY position")]
    return writer.db.execute("SELECT count(*) FROM messages").fetchone()[0], blocks


def test_raw_lines_go_with_the_messages_of_their_time(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db")
    _fill(writer, 10, lines=1000, waits=0)
    assert writer.retain(before=6 * DAY, megabytes=1000) == 5  # the first waits still
    assert _left(writer) == (5, [6000, 7000, 8000, 9000])
    writer.close()


def test_a_large_store_shrinks_to_its_size_by_its_raw_lines_too(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db")
    _fill(writer, 40, lines=100_000)
    writer.retain(before=0.0, megabytes=2)
    messages, blocks = _left(writer)
    assert 10 <= messages == len(blocks) <= 20
    assert blocks[-1] == 3_900_000
    writer.close()


def test_old_messages_go_before_size_is_looked_at(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db")
    _fill(writer, 40, lines=100_000)
    assert writer.retain(before=30 * DAY, megabytes=2) == 30
    writer.close()


def test_one_pass_deletes_all_that_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_SLICE", 7)
    writer = Writer(tmp_path / "store.db")
    writer.commit(Batch(rows=[_message(id, float(id)) for id in range(1, 101)]))
    assert writer.retain(before=91.0, megabytes=1000) == 90
    assert writer.db.execute("SELECT term, doc FROM key_terms WHERE term = 'ggw'").fetchall() == [("ggw", 10)]
    assert [id for (id,) in writer.db.execute("SELECT rowid FROM keys WHERE keys MATCH 'ggw'")] == [*range(91, 101)]
    assert writer.db.execute("SELECT sum(n), min(n) FROM tallies").fetchone() == (10, 10)
    writer.close()


def _addressed(id: int, chance: random.Random) -> Rows:
    """A message to thirty addresses that nobody else writes to."""
    to = [f"{chance.randrange(1 << 40):x}@{chance.randrange(1 << 20):x}.example" for _ in range(30)]
    fates = {one: Fate(one, DeliveryStatus.RELAYED, float(id), None, "mx.two.example[192.0.2.2]:25", "250 ok",
                       since=float(id)) for one in to}
    hop = Hop(id, "mx1", "postfix", f"{id:X}", float(id), float(id), left_at=float(id), sender="a@one.example",
              fates=fates, began=True, queued=True)
    return make(Flow(id, [hop]), KnownHosts(), 0.0)


def test_what_was_taken_out_of_the_index_drives_nothing_else_out(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db")
    chance = random.Random(4)
    limit, newest = 0.0, 0
    for turn in range(4):
        for _ in range(10):
            writer.commit(Batch(rows=[_addressed(newest + n, chance) for n in range(1, 101)]))
            newest += 100
        limit = limit or retention._size(writer.db) * 0.97 / 1e6
        deleted = writer.retain(before=0.0, megabytes=limit)
        left = [id for (id,) in writer.db.execute("SELECT id FROM messages ORDER BY id")]
        assert deleted > 0
        assert len(left) > 750, turn
        assert left == list(range(left[0], newest + 1))
        assert retention._size(writer.db) <= limit * 1e6
        writer.db.execute("INSERT INTO keys (keys) VALUES ('integrity-check')")
    writer.close()


def test_the_index_keeps_little_of_what_went_by_age(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db")
    chance = random.Random(4)
    sizes = []
    for last in range(200, 2401, 200):
        writer.commit(Batch(rows=[_addressed(last - n, chance) for n in range(200)]))
        writer.retain(before=last - 400.0, megabytes=1000.0)
        sizes.append(writer.db.execute("SELECT sum(length(block)) FROM keys_data").fetchone()[0])
    assert max(sizes) < 1.5 * sizes[1]
    writer.close()
