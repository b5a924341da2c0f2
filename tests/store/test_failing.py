"""Problems from sums of failures, and from the failures themselves."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from flowmon.model.words import DeliveryStatus as D
from flowmon.store import failing
from flowmon.store.batch import Batch
from flowmon.store.rows import make
from flowmon.store.writer import Writer
from flowmon.tracking.hosts import KnownHosts
from tests.store.flows import flow_of

KNOWN = KnownHosts()


@pytest.mark.parametrize("hours", [4, 5, 8])
def test_what_goes_on_failing_is_not_told_to_have_stopped(hours: int, tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db")
    flows = [flow_of(id, 60.0 * id, D.BOUNCED, ended=True) for id in range(1, 60 * hours + 5)]
    writer.commit(Batch(rows=[make(flow, KNOWN, 0.0) for flow in flows]))
    [one] = failing.problems(lambda sql, bound: writer.db.execute(sql, bound).fetchall(), None, summed=True)
    assert sum(one.trend) == len(flows)
    assert min(one.trend) > 0
    writer.close()


def test_problems_of_sums_are_those_of_all_failures(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db")
    chance = random.Random(3)
    flows = [flow_of(id, 1800.0 * chance.randint(0, 47) + 900, status, ended=status is D.BOUNCED)
             for id in range(1, 200) for status in chance.choices((D.BOUNCED, D.DEFERRED))]
    writer.commit(Batch(rows=[make(flow, KNOWN, 0.0) for flow in flows]))

    def ask(sql: str, parameters: Any) -> list[Any]:
        return writer.db.execute(sql, parameters).fetchall()

    of_sums, counted = (failing.problems(ask, None, summed=summed) for summed in (True, False))
    assert [sum(one.trend) for one in of_sums] == [one.messages for one in of_sums]
    assert sum(one.messages for one in of_sums) == 199
    assert of_sums == counted
    writer.close()
