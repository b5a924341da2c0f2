"""What a filter's text may go on with."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from flowmon.store.completing import values
from flowmon.store.completion import propose
from flowmon.store.schema import INDEXES, TABLES, Key


def nothing(key: str, start: str) -> list[str]:
    return []


@pytest.mark.parametrize(("text", "written"), [
    ("", []),
    ("sta", ["status:"]),
    ("-pro", ["-problem:"]),
    ("(st", ["(status:"]),
    ("ag", ["age>"]),
    ("age>", ["age>10m", "age>1h", "age>1d"]),
    ("status:bou", ["status:bounced"]),
    ("status:held,def", ["status:held,deferred"]),
    ("to:x direction:in", ["to:x direction:inbound", "to:x direction:internal"]),
    ("status:deferred", []),
    ('subject:"a b', []),
    ("nothing:x", []),
])
def test_words_are_proposed(text: str, written: list[str]) -> None:
    start, texts = propose(text, nothing)
    assert [text[:start] + one for one in texts] == written


def test_values_are_quoted_where_they_need_it() -> None:
    assert propose("from:a", lambda key, start: ['a (b)@c.example', "a@c.example"]).texts == [
        '"a (b)@c.example"', "a@c.example",
    ]


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    store = sqlite3.connect(":memory:")
    store.executescript(TABLES + INDEXES)
    rows = [(Key.HOST, "edge", n) for n in range(50)] + [(Key.HOST, "edge2", 1), (Key.HOST, "mx[1]", 1)]
    rows += [(Key.SENDER, f"a{n}@one.example", n) for n in range(20)] + [(Key.SENDER_DOMAIN, "one.example", 1)]
    store.executemany("INSERT INTO keys VALUES (?, ?, ?)", [(id, int(kind), value) for kind, value, id in rows])
    store.execute("INSERT INTO failures (message, problem, reason, recipients, at, first_at, status) "
                  "VALUES (1, 'delivery', 'mailbox-full', 1, 0, 0, 'deferred')")
    yield store
    store.close()


@pytest.mark.parametrize(("key", "start", "found"), [
    ("host", "ed", ["edge", "edge2"]),
    ("host", "", ["edge", "edge2", "mx[1]"]),
    ("host", "mx[", ["mx[1]"]),
    ("from", "@on", ["@one.example"]),
    ("from", "a1", ["a10@one.example", "a11@one.example", "a12@one.example"]),
    ("reason", "mail", ["mailbox-full"]),
    ("size", "1", []),
])
def test_values_come_from_the_store(db: sqlite3.Connection, key: str, start: str, found: list[str]) -> None:
    assert values(lambda sql, bound: db.execute(sql, bound).fetchall(), key, start)[:3] == found
