"""What filters find, in a real SQLite store of a dozen messages."""

from __future__ import annotations

import sqlite3
import time

import pytest

from tests.filter.rows import NOW, ROWS, at, found, parsed, without


@pytest.mark.parametrize(("text", "ids"), [
    ("from:a@one.example", [1]),
    ("FROM:A@One.Example", [1]),
    ("from:<a@one.example>", [1]),
    ("from:@one.example", [1, 9]),
    ("from:*@one.example", [1, 9]),
    ("from:@*.ours.example", [3]),
    ("from:@*ours.example", [2, 3, 5, 8]),
    ("from:alice", [2, 3]),
    ("from:ours.example", [2, 5, 8]),
    ("from:ali*", [2, 3, 8]),
    ("from:ali*@ours.example", [2, 8]),
    ("from:?@one.example", [1]),
    ("from:*one.example", [1, 9, 10]),
    ("from:<>", [4]),
    ("from:srs[1]*", [9]),
    (r"from:srs[1]\*x@one.example", [9]),
    (r"from:srs[1]\*y*", []),
    ("from:*", without(6)),
    ("to:bob@ours.example", [1, 7, 9, 10]),
    ("to:bob", [1, 3, 7, 9, 10]),
    ("to:list@*", [10]),
    ("to:@waiting.example", [8]),
    ("host:mx1", [1, 3, 4]),
    ("host:mx*", [1, 2, 3, 4, 9]),
    ("host:mx?", [1, 2, 3, 4]),
    ("next:mx.gmail.example", [2]),
    ("next:198.51.100.7", [2]),
    ("next:waiting.example", [8]),
    ("next:two.example", [2, 3, 5, 6, 7, 10]),
    ("next:mx.*", [2]),
    ("queue:mx2/waiting.example", [8]),
    ("queue:MX2/*", [2, 8]),
    ("queue:*/mx.*", [2]),
    ("queue:mx1/waiting.example", []),
    ("client:192.0.2.10", [1]),
    ("client:192.0.2.*", [1, 8]),
    ("client:mail.one.example", [1]),
    ("client:203.0.113.9", [5]),
    ("client:gateway", [5]),
    ("client:2001:db8::25", [6]),
    ("status:deferred", [2]),
    ("status:deferred,held", [2, 7]),
    ("status:delivered", [1, 3]),
    ("status:open", [2, 7, 8]),
    ("status:failed", [3, 4, 5, 6]),
    ("status:rej", [6]),
    ("problem:routing", [3, 5]),
    ("problem:routing,spam", [3, 5, 10]),
    ("problem:none", [1, 4, 8, 9]),
    ("problem:any", [2, 3, 5, 6, 7, 10]),
    ("reason:loop", [3]),
    ("reason:user", []),
    ("reason:*-unknown", [3, 5]),
    ("reason:mailbox-full,virus", [2, 10]),
    ("scenario:intra", [4]),
    ("scenario:inter-organisation", [3]),
    ("direction:internal,outbound", [2, 3, 4, 8]),
    ("subject:REPORT", [1]),
    ('subject:"Quarterly report"', [1]),
    ("subject:100%", [2]),
    ("subject:100*mal", [10]),
    ("subject:and_", [7]),
    ("subject:a_d", []),
    ('subject:"\\"this\\" \\(now\\)"', [7]),
    ("subject:GRÜ*", [9, 10]),
    ("id:m1@one.example", [1]),
    ("id:<m1@one.example>", [1]),
    ("id:4F1", [1]),
    ("id:4f1", []),
    ("id:4*", [1, 2]),
    ("id:1abc-DEF", [3]),
    ("id:0F3A1B2C-4D5E-6071-8293-A4B5C6D7E8F9", [9]),
    ("age>30m", [2, 5, 7]),
    ("age<2m", [1, 3, 6, 8, 9, 10]),
    ("age>=1h", [2, 5, 7]),
    ("age>1h", [7]),
    ("age:>1h", [7]),
    ("age>3h30m", [7]),
    ("size>10k", [5]),
    ("size>=10k", [1, 5]),
    ("size<5M", without(5, 6)),
    ("size<=1000", without(1, 5, 6)),
    ("size>5.5MiB", [5]),
    ("time:today", without(4, 5)),
    ("time:yesterday", [4]),
    ("time:10:00-11:00", [1]),
    ("time:10:00..11:01", [1, 2]),
    ("time:22:00-02:00", []),
    ("time:2026-11-23", [4]),
    ("time:2026-11-22..2026-11-23", [4, 5]),
    ("time:2026-11-22T23:00..23:10", [5]),
    ("time:2026-11-22T23:00..2026-11-23T09:00", [5]),
    ('time:"2026-11-23 09:05"', [4]),
    ("time:>2026-11-24", without(4, 5)),
    ("time:<2026-11-23", [5]),
    ("time:<=2026-11-23", [4, 5]),
    ("time<2026-11-23", [5]),
    ("time:..2026-11-22", [5]),
    ("time:11:59..", [3, 8]),
    ("time:last-10m", [2, 3, 8]),
    ("time:2026-11-24T11:00+01:00", [1]),
    ("time:2026-11-24T10:00Z", [1]),
    ("rechnung", [2]),
    ("one.example", [1, 3, 9, 10]),
    ("LIST@ours", [10]),
    ("<m1@one.example>", [1]),
    ("4bXyz1", [2]),
    ("user-unk", [3]),
    ("2001:db8::25", [6]),
    ("o'brien", [7]),
])  # fmt: skip
def test_a_term_finds(db: sqlite3.Connection, text: str, ids: list[int]) -> None:
    assert found(db, text) == ids
    assert found(db, parsed(text).text) == ids, "the canonical text means the same"
    assert found(db, f"-{text}") == without(*ids), "and excluding it finds the others, unknown values too"


@pytest.mark.parametrize(("text", "ids"), [
    ("from:alice status:deferred", [2]),
    ("problem:delivery reason:user-unknown", [3]),
    ("problem:delivery reason:loop", []),  # its delivery failed for another reason
    ("problem:delivery problem:routing reason:loop", [3]),
    ("problem:any reason:loop", [3]),
    ("problem:any problem:delivery reason:loop", []),
    ("reason:* problem:delivery reason:loop", []),
    ("reason:mailbox-full next:198.51.100.7", [2]),  # failures have names of next hops, no addresses
    ("reason:loop,virus next:two.example to:@one.example", [3]),
    ("reason:mailbox-full next:[198.51.100.7]", []),  # in brackets that of a relay without a name
    ("reason:mailbox-full next:[198.51.100.7]:25", []),
    ("next:[198.51.100.7]:25", [2]),
    ("next:MX.gmail.example[198.51.100.7]:25", [2]),
    ("reason:mailbox-full next:two.example[198.51.100.9]:25", [2]),
    ("reason:mailbox-full next:mx.gmail.example", []),  # the failure was at two.example
    ("problem:delivery (reason:loop or reason:virus)", []),  # the same as reason:loop,virus
    ("(reason:loop or reason:user-unknown) problem:delivery", [3]),
    ("(reason:loop or reason:virus) problem:routing,spam next:two.example", [3, 10]),
    ("(reason:loop or next:two.example) problem:delivery", [2, 3]),
    ("(problem:delivery or problem:spam) (reason:loop or reason:virus)", [10]),
    ("problem:delivery (reason:loop or problem:spam)", [3]),  # problem is given twice: apart
    ("problem:delivery (reason:loop or status:bounced)", [3]),  # a status is none of a failure
    ("problem:delivery (reason:loop or -reason:virus)", [2, 3]),
    ("problem:delivery (reason:virus or problem:any)", [2, 3]),
    ("(reason:loop or reason:virus) problem:delivery reason:user-unknown", [3]),  # drilled into: the last
    ("from:alice -(problem:delivery reason:loop)", [2, 3]),
    ("problem:delivery or reason:loop", [2, 3]),
    ("from:alice AND status:deferred", [2]),
    ("status:deferred or status:held", [2, 7]),
    ("status:bounced or status:deferred from:alice", [2, 3, 4]),
    ("(status:bounced or status:deferred) from:alice", [2, 3]),
    ("from:alice (status:bounced Or status:deferred)", [2, 3]),
    ("not status:bounced from:alice", [2]),
    ("not (status:bounced from:alice)", without(3)),
    ("-(status:bounced from:alice)", without(3)),
    ("not not status:deferred", [2]),
    ("--status:deferred", [2]),
    ("from:alice -status:bounced", [2]),
    ("from:alice and not status:bounced", [2]),
    ("((from:alice))", [2, 3]),
    ("quarterly report", [1]),
    ('"and"', [7]),
    ('subject:"this"(status:held)', [7]),
])  # fmt: skip
def test_operators(db: sqlite3.Connection, text: str, ids: list[int]) -> None:
    assert found(db, text) == ids


_ALONE = ("host:mx1", "from:alice", "to:@ours.example", "status:bounced", "status:failed,held", "status:open",
          "direction:inbound", "from:*a*", "(host:mx1 or status:deferred)", "(to:bob from:@one.example)", "-host:mx1")


@pytest.mark.parametrize("one", _ALONE)
@pytest.mark.parametrize("other", _ALONE)
def test_what_the_index_tells_of_together_is_what_it_tells_apart(db: sqlite3.Connection, one: str, other: str) -> None:
    first, second, third = (set(found(db, text)) for text in (one, other, "from:alice"))
    assert found(db, f"{one} {other}") == sorted(first & second)
    assert found(db, f"{one} -{other} -from:alice") == sorted(first - second - third)
    assert found(db, f"{one} or {other}") == sorted(first | second)
    assert found(db, f"from:alice ({one} or {other})") == sorted(third & (first | second))
    assert found(db, f"-({one} {other})") == without(*(first & second))


@pytest.mark.parametrize("text", ["host:mx1 status:bounced", "-status:failed to:bob host:mx1", "from:a@x or to:@y",
                                  "status:open to:@x"])
def test_keys_and_statuses_are_looked_up_together(text: str) -> None:
    condition, _ = parsed(text).sql(NOW)
    assert condition.count("MATCH") == 1
    assert "statuses" not in condition


@pytest.mark.parametrize("text", [
    "from:\"x' OR 1=1 --\"", "subject:\"'; DROP TABLE messages; --\"", "'\\'", "id:\"') OR ('1'='1\"", "next:%", "_",
    "%",
    "client:\"x\\\" OR \\\"1\"", "reason:'", "host:]", "from:[a-z]*", "client:[!x]*", r"subject:\\%",
])  # fmt: skip
def test_what_is_typed_is_bound(db: sqlite3.Connection, text: str) -> None:
    condition, _ = parsed(text).sql(NOW)
    assert "'" not in condition.replace(r"ESCAPE '\'", "")
    assert found(db, text) in ([], [2], [7]), "% and _ are themselves: only two subjects have them"
    assert db.execute("SELECT count(*) FROM messages").fetchone() == (len(ROWS),)


@pytest.mark.parametrize("text", [
    "from:a@one.example", "from:@one.example", "from:alice", "to:bob@*", "host:mx1",
    "id:4F1", "id:4F*", "id:m1@one.example", "-id:4F1", "from:@one.example status:deferred",
])  # fmt: skip
def test_addresses_domains_and_ids_use_the_index(db: sqlite3.Connection, text: str) -> None:
    condition, parameters = parsed(text).sql(NOW)
    rows = db.execute(f"EXPLAIN QUERY PLAN SELECT m.id FROM messages m WHERE {condition}", parameters)
    plan = [row[3] for row in rows]
    assert [step for step in plan if "keys" in step] == ["SCAN keys VIRTUAL TABLE INDEX 0:M1"]
    if not text.startswith("-"):
        assert any("SEARCH m USING INTEGER PRIMARY KEY" in step for step in plan), plan


def test_relative_times_count_from_the_time_of_asking(db: sqlite3.Connection) -> None:
    later = NOW + 86_400
    assert found(db, "time:today", later) == []
    assert found(db, "time:yesterday", later) == without(4, 5)
    assert found(db, "status:deferred age>1d", later) == [2]
    assert found(db, "time:22:00-02:00", at("23T01:00")) == [5], "the night that is now"


def test_times_are_local(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    assert found(db, "time:11:00-11:01") == [1]
    assert found(db, "time:2026-11-23") == [4, 5], "half past eleven UTC is past midnight there"
