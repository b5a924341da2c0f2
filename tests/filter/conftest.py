"""A real SQLite store of a dozen messages."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from flowmon.store.schema import INDEXES, KEYS, TABLES
from flowmon.store.terms import of_statuses, term, value_of
from tests.filter.rows import ROWS


@pytest.fixture(scope="module")
def db() -> Iterator[sqlite3.Connection]:
    store = sqlite3.connect(":memory:")
    store.executescript(TABLES + KEYS + INDEXES)
    store.create_function("value_of", 1, value_of, deterministic=True)
    for id, row in ROWS.items():
        names, signs = ", ".join(row.columns), ", ?" * len(row.columns)
        store.execute(f"INSERT INTO messages (id, {names}) VALUES (?{signs})", [id, *row.columns.values()])
        store.execute("INSERT INTO keys (rowid, terms) VALUES (?, ?)",
                      (id, "\n".join([*(term(kind, value) for kind, value in row.keys),
                                      of_statuses(int(str(row.columns["statuses"])), int(str(row.columns["open"])))])))
        if row.next_hop is not None:
            store.execute("INSERT INTO queue (message, host, next_hop, status, arrived_at) VALUES (?, 'mx2', ?, '', 0)",
                          (id, row.next_hop))
        store.executemany(
            "INSERT INTO failures (message, problem, reason, next_hop, recipients, at, first_at, status) "
            "VALUES (?, ?, ?, 'two.example', 1, 0, 0, 'bounced')", [(id, *failure) for failure in row.failures],
        )
    yield store
    store.close()


@pytest.fixture(autouse=True)
def _in_utc(utc: None) -> None:
    """Local time is UTC."""
