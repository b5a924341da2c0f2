"""Sums of failures by twenty minutes: what error panels show of a store in which there are too many to count each time.

They are kept in step within the transaction that writes failures: what comes is added; where some go, the sums they
stood in are made again from those that are left.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

SECONDS = 1200
Sum = tuple[str, str, str, str, int]
"""Problem, reason, next hop ("" for none), status, and the part, of twenty minutes, since the epoch."""

_KEY = f"problem, reason, ifnull(next_hop, ''), status, CAST(at / {SECONDS} AS INTEGER)"


def of_messages(db: sqlite3.Connection, ids: Iterable[int]) -> set[Sum]:
    """The sums that the failures of messages stand in, which are about to be deleted."""
    return set(db.execute(
        f"SELECT DISTINCT {_KEY} FROM failures WHERE message IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    ))


def add(db: sqlite3.Connection, failures: Iterable[tuple[Any, ...]], but: set[Sum]) -> None:
    """Add rows of `failures` that were written, `but` to the sums that are made again."""
    found: dict[Sum, tuple[int, int, float, float]] = {}
    for _, problem, reason, next_hop, recipients, at, first_at, _, _, _, status in failures:
        key = (problem, reason, next_hop or "", status, int(at // SECONDS))
        if key not in but:
            n, all_, first, last = found.get(key, (0, 0, first_at, at))
            found[key] = n + 1, all_ + recipients, min(first, first_at), max(last, at)
    db.executemany(
        "INSERT INTO failure_sums VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n, "
        "recipients = recipients + excluded.recipients, first_at = min(first_at, excluded.first_at), "
        "last_at = max(last_at, excluded.last_at)", [(*key, *sums) for key, sums in found.items()],
    )


def make_again(db: sqlite3.Connection, sums: Iterable[Sum]) -> None:
    """Make sums from what stands in `failures` now."""
    for key in sums:
        *group, part = key
        db.execute("DELETE FROM failure_sums WHERE problem = ? AND reason = ? AND next_hop = ? AND status = ? "
                   "AND part = ?", key)
        db.execute(
            f"INSERT INTO failure_sums SELECT {_KEY}, count(*), sum(recipients), min(first_at), max(at) FROM failures "
            "WHERE problem = ? AND reason = ? AND next_hop IS nullif(?, '') AND status = ? AND at >= ? AND at < ? "
            "GROUP BY problem, reason, next_hop, status",
            (*group, part * SECONDS, (part + 1) * SECONDS),
        )
