"""Failures by class, reason and next hop: the error panels."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from flowmon.model import answers
from flowmon.model.words import OPEN_STATUSES, DeliveryStatus, Problem
from flowmon.store.assemble import instant
from flowmon.store.failure_sums import SECONDS
from flowmon.store.overview import Ask, Where, messages_in
from flowmon.tracking.diagnosis import explain

PARTS = 12
"""Of the covered time in a trend."""
SAMPLE = 50
"""So many of the newest failures of a group tell who is affected."""


class _Key(NamedTuple):
    problem: str
    reason: str
    next_hop: str | None


def problems(ask: Ask, where: Where | None, *, summed: bool) -> list[answers.ProblemRow]:
    """Failures by class, reason and next hop; most messages first.

    Counted by the database; only the newest of each group are looked at one by one. `summed`: the store keeps sums of
    all failures; they do where a part of the trend covers more than one of them.
    """
    condition, parameters = messages_in(where, "message")
    of_sums = summed and where is None
    table = "last_at) FROM failure_sums" if of_sums else "at) FROM failures"
    ((first, last),) = ask(f"SELECT min(first_at), max({table}{condition}", parameters)
    if first is None:
        return []
    groups: dict[_Key, list[Any]] = {}
    if of_sums and last - first >= PARTS * SECONDS:
        rows = _sums(ask, first, last)
    else:
        width = max((last - first) / PARTS, 1e-9)
        bounds = [first + width * (part + 1) for part in range(PARTS - 1)]
        parts = ", ".join(["sum(at < ?)"] * len(bounds))
        rows = ask(
            f"SELECT problem, reason, next_hop, status, count(*), sum(recipients), min(first_at), max(at), {parts} "
            f"FROM failures{condition} GROUP BY problem, reason, next_hop, status", [*bounds, *parameters],
        )
    for row in rows:
        groups.setdefault(_Key(*row[:3]), []).append(row[3:])
    found = [_problem(ask, key, rows, condition, parameters) for key, rows in groups.items()]
    return sorted(found, key=lambda p: (-p.messages, -p.last_at.timestamp(), p.problem, p.reason, p.next_hop or ""))


def _sums(ask: Ask, first: float, last: float) -> list[Any]:
    """The same of the sums: parts are of whole sums, of as many each as can be, so that the last one ends at `last`."""
    start = int(first // SECONDS)
    there = int(last // SECONDS) - start + 1
    bounds = [start + there * (part + 1) // PARTS for part in range(PARTS - 1)]
    parts = ", ".join(["sum(CASE WHEN part < ? THEN n ELSE 0 END)"] * len(bounds))
    return ask(
        "SELECT problem, reason, nullif(next_hop, ''), status, sum(n), sum(recipients), min(first_at), max(last_at), "
        f"{parts} FROM failure_sums GROUP BY problem, reason, next_hop, status", bounds,
    )


def _problem(ask: Ask, key: _Key, rows: list[Any], condition: str, parameters: list[Any]) -> answers.ProblemRow:
    """A group: `rows` are its sums, one row for each status."""
    newest = _newest(ask, key, rows, condition, parameters)
    by_status = {DeliveryStatus(row[0]): int(row[1]) for row in rows}
    open_ = {status: count for status, count in by_status.items() if status in OPEN_STATUSES}
    told = open_ or by_status  # what is open can still be helped; else what most are
    said = explain(key.reason, Problem(key.problem), max(told, key=lambda status: told[status]))
    last = max(row[4] for row in rows)
    return answers.ProblemRow(
        problem=Problem(key.problem), reason=key.reason, next_hop=key.next_hop, messages=sum(by_status.values()),
        recipients=sum(row[2] for row in rows), first_at=instant(min(row[3] for row in rows)), last_at=instant(last),
        trend=_trend([sum(column) for column in zip(*(row[5:] for row in rows), strict=True)], sum(by_status.values())),
        senders=_most_often(Counter(row[1] or "<>" for row in newest if row[1] is not None)),
        sample_recipients=_most_often(Counter(row[2] for row in newest if row[2])),
        sample_reply=max((str(row[3] or "") for row in newest if row[0] == last), default="") or None,
        open=sum(open_.values()), cause=said.cause, next_step=said.next_step,
    )


def _trend(before: list[int], all_: int) -> list[int]:
    """Failures in each part, of how many there were before each bound."""
    return [now - then for then, now in zip([0, *before], [*before, all_], strict=True)]


def _newest(ask: Ask, key: _Key, rows: list[Any], condition: str, parameters: list[Any]) -> list[Any]:
    """The newest failures of a group: time, sender, recipient, reply."""
    also = f"{condition} AND" if condition else " WHERE"
    found = [
        row for status in (row[0] for row in rows) for row in ask(
            f"SELECT at, sender, recipient, reply FROM failures{also} problem = ? AND reason = ? AND next_hop IS ? "
            f"AND status = ? ORDER BY at DESC LIMIT {SAMPLE}", [*parameters, *key, status],
        )
    ]
    return sorted(found, key=lambda row: -row[0])[:SAMPLE]


def _most_often(found: Counter[str]) -> list[str]:
    """The five that stand most often; of those that stand equally often the first by name."""
    return sorted(found, key=lambda name: (-found[name], name))[:5]
