"""The history of queues tells what they hold, though all that waits is counted once a minute only."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from flowmon.errors import StoreError
from flowmon.model.words import DeliveryStatus
from flowmon.store.batch import Batch
from flowmon.store.rows import Rows, make
from flowmon.store.writer import Writer
from flowmon.tracking.hosts import KnownHosts
from tests.store.flows import flow_of

D = DeliveryStatus
KNOWN = KnownHosts()
FULL = "CREATE TEMP TRIGGER full BEFORE INSERT ON main.blocks BEGIN SELECT RAISE(ABORT, 'full'); END"


def _held(writer: Writer, minute: int) -> dict[tuple[str, str], int]:
    """What queues hold by their history."""
    rows = writer.db.execute("SELECT host, next_hop, messages FROM queue_history WHERE minute = ?", (minute,))
    return {(host, next_hop): n for host, next_hop, n in rows if n}


def _counted(writer: Writer) -> dict[tuple[str, str], int]:
    rows = writer.db.execute("SELECT host, next_hop, count(DISTINCT message) FROM queue GROUP BY 1, 2")
    return {(host, next_hop): n for host, next_hop, n in rows}


def _rows(id: int, status: DeliveryStatus) -> Rows:
    flow = flow_of(id, 1.0, status, ended=status is not D.DEFERRED)
    for fate in flow.hops[0].fates.values():
        fate.relay = f"mx{id % 3}.two.example[192.0.2.{id % 3}]:25"
    return make(flow, KNOWN, 0.0)


def test_what_queues_hold_is_told_after_each_commit(tmp_path: Path) -> None:
    chance, empty = random.Random(7), 0
    writer = Writer(tmp_path / "store.db")
    for step in range(120):
        now = 6_000.0 + step * 7  # several commits a minute
        changed = {chance.randrange(1, 10): chance.choice((D.DEFERRED, D.RELAYED)) for _ in range(3)}
        batch = Batch(rows=[_rows(*one) for one in changed.items()], meta={"now": now})
        if step % 10 == 9:
            writer.db.execute(FULL)
            with pytest.raises(StoreError):
                writer.commit(Batch(rows=batch.rows, meta=batch.meta, blocks=[(step, 1, b"x")]))
            writer.db.execute("DROP TRIGGER full")
        writer.commit(batch)
        assert _held(writer, int(now // 60)) == _counted(writer)
        empty += len(_counted(writer)) < 3
    assert 10 < empty < 110, "queues come and go"
    came, went = writer.db.execute("SELECT sum(arrived), sum(left) FROM queue_history").fetchone()
    assert came - went == sum(_counted(writer).values())
    writer.close()


def test_much_that_waits_is_not_counted_with_each_commit(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db")
    asked: list[str] = []
    writer.db.set_trace_callback(asked.append)
    for id in range(1, 6):
        writer.commit(Batch(rows=[_rows(id, D.DEFERRED)], meta={"now": 6_000.0 + id}))
    assert sum("count(DISTINCT message)" in sql for sql in asked) == 1
    writer.close()
