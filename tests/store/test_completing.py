"""What a filter's text may go on with."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from flowmon.store.completing import values
from flowmon.store.completion import propose
from flowmon.store.schema import KEYS, TABLES, Key
from flowmon.store.terms import term


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
    store.executescript(TABLES + KEYS)
    rows = [(Key.HOST, "edge", n) for n in range(50)] + [(Key.HOST, "edge2", 50), (Key.HOST, "mx[1]", 51)]
    rows += [(Key.SENDER, f"a{n}@one.example", 60 + n) for n in range(20)]
    rows += [(Key.SENDER_DOMAIN, "one.example", 52), (Key.QUEUE_ID, "4Fc", 53)]
    store.executemany("INSERT INTO keys (rowid, terms) VALUES (?, ?)",
                      [(id, term(kind, value)) for kind, value, id in rows])
    store.execute("INSERT INTO failures (message, problem, reason, recipients, at, first_at, status) "
                  "VALUES (1, 'delivery', 'mailbox-full', 1, 0, 0, 'deferred')")
    store.executemany("INSERT INTO queue (message, host, next_hop, status, arrived_at) VALUES (?, ?, ?, 'queued', 0)", [
        (50, "edge", "mx.far.example"), (51, "edge", "mx.near.example"), (52, "Edge", "mx.far.example"),
        (53, "mx[1]", "(not known yet)"),
    ])
    yield store
    store.close()


@pytest.mark.parametrize(("key", "start", "found"), [
    ("host", "ed", ["edge", "edge2"]),
    ("host", "", ["edge", "edge2", "mx[1]"]),
    ("host", "mx[", ["mx[1]"]),
    ("from", "@on", ["@one.example"]),
    ("id", "4F", ["4Fc"]),
    ("id", "4f", []),
    ("from", "a1", ["a10@one.example", "a11@one.example", "a12@one.example"]),
    ("reason", "mail", ["mailbox-full"]),
    ("queue", "edge/m", ["edge/mx.far.example", "edge/mx.near.example"]),
    ("queue", "mx[", ["mx[1]/(not known yet)"]),
    ("size", "1", []),
])
def test_values_come_from_the_store(db: sqlite3.Connection, key: str, start: str, found: list[str]) -> None:
    assert values(lambda sql, bound: db.execute(sql, bound).fetchall(), key, start)[:3] == found
