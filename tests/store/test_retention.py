"""What a store lets go by age and by size: messages, and the raw lines of pipes."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from flowmon.model.flow import Flow, Hop
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
