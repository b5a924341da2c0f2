"""The filter language, against a real SQLite store of a dozen messages."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flowmon.errors import FilterError
from flowmon.model.words import STATUS_BY_SEVERITY, DeliveryStatus
from flowmon.store.filter import MAX_DEPTH, MAX_TERMS, Filter, parse, term
from flowmon.store.filter_sql import FIELDS
from flowmon.store.schema import INDEXES, TABLES, Key

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC).timestamp()
D = DeliveryStatus


def at(text: str) -> float:
    return datetime.fromisoformat(f"2026-11-{text}:00+00:00").timestamp()


class Row:
    """A message as the store would write it, with what the tests vary."""

    def __init__(
        self, first: str, last: str, *statuses: DeliveryStatus, sender: str | None = "a@one.example", to: str = "",
        problems: str | None = None, reasons: str | None = None, subject: str | None = None, size: int | None = 1000,
        client: str | None = None, message_id: str | None = None, direction: str | None = "inbound",
        scenario: str | None = "internet", keys: tuple[tuple[Key, str], ...] = (), next_hop: str | None = None,
    ) -> None:
        self.columns = {
            "first_at": at(first), "last_at": at(last), "status": min(STATUS_BY_SEVERITY.index(s) for s in statuses),
            "statuses": sum(1 << STATUS_BY_SEVERITY.index(s) for s in statuses), "problems": problems,
            "reasons": reasons, "scenario": scenario, "direction": direction, "sender": sender, "recipients": 1,
            "host": "mx1", "hops": 1, "attempts": 1, "size": size, "subject": subject, "client": client,
            "message_id": message_id, "delay": at(last) - at(first), "body": b"",
            "open": int(any(s in (D.QUEUED, D.DEFERRED, D.HELD) for s in statuses)),
        }  # fmt: skip
        self.next_hop = next_hop
        self.keys = list(keys)
        if sender is not None:
            self.keys.append((Key.SENDER, sender))
            if sender:
                self.keys.append((Key.SENDER_DOMAIN, sender.partition("@")[2]))
        for recipient in to.split():
            self.keys.append((Key.RECIPIENT, recipient))
            self.keys.append((Key.RECIPIENT_DOMAIN, recipient.partition("@")[2]))


ROWS = {
    1: Row("24T10:00", "24T10:01", D.DELIVERED, to="bob@ours.example", subject="Quarterly report", size=10_240,
           client="mail.one.example[192.0.2.10]", message_id="m1@one.example", direction="inbound",
           keys=((Key.MESSAGE_ID, "m1@one.example"), (Key.QUEUE_ID, "4F1"), (Key.HOST, "mx1"), (Key.HOST, "mbx"))),
    2: Row("24T11:00", "24T11:50", D.DEFERRED, sender="alice@ours.example", to="x@gmail.example", direction="outbound",
           problems=" delivery ", reasons=" mailbox-full ", next_hop="mx.gmail.example", subject="Rechnung 100%",
           keys=((Key.QUEUE_ID, "4bXyz1"), (Key.HOST, "mx2"), (Key.NEXT_HOP, "mx.gmail.example"),
                 (Key.NEXT_HOP, "198.51.100.7"))),
    3: Row("24T11:58", "24T11:59", D.BOUNCED, D.DELIVERED, sender="alice@sub.ours.example",
           to="nobody@one.example bob@one.example", problems=" delivery routing ", reasons=" user-unknown loop ",
           direction="outbound", scenario="inter-organisation", keys=((Key.HOST, "mx1"), (Key.REPLY_ID, "1abc-DEF"))),
    4: Row("23T09:00", "23T09:05", D.BOUNCED, sender="", to="alice@ours.example", subject="Undelivered Mail",
           direction="internal", scenario="intra-organisation", keys=((Key.HOST, "mx1"),)),
    5: Row("22T22:30", "22T23:30", D.EXPIRED, sender="malice@ours.example", to="info@two.example", size=6_000_000,
           problems=" routing ", reasons=" host-unknown ", client="gateway (203.0.113.9)"),
    6: Row("24T11:30", "24T11:30", D.REJECTED, sender=None, subject=None, size=None, client="unknown[2001:db8::25]",
           problems=" authentication ", reasons=" smtp-auth ", direction=None, scenario=None),
    7: Row("24T08:00", "24T08:01", D.HELD, sender="o'brien@three.example", to="bob@ours.example",
           problems=" policy ", reasons=" restricted ", subject='Hold "this" (now) and_then'),
    8: Row("24T11:59", "24T11:59", D.QUEUED, sender="alice.b@ours.example", to="carol@waiting.example",
           next_hop="waiting.example", direction="outbound", client="192.0.2.100"),
    9: Row("24T07:00", "24T07:01", D.RELAYED, sender="srs[1]*x@one.example", to="bob@ours.example", subject="Grüße",
           keys=((Key.NETWORK_MESSAGE_ID, "0f3a1b2c4d5e60718293a4b5c6d7e8f9"), (Key.HOST, "mx10"))),
    10: Row("24T07:10", "24T07:11", D.DISCARDED, sender="a@xone.example", to="bob@ours.example list@ours.example",
            problems=" spam ", reasons=" virus ", subject="GRÜSSE 100 mal"),
}  # fmt: skip


@pytest.fixture(scope="module")
def db() -> Iterator[sqlite3.Connection]:
    store = sqlite3.connect(":memory:")
    store.executescript(TABLES + INDEXES)
    for id, row in ROWS.items():
        names, signs = ", ".join(row.columns), ", ?" * len(row.columns)
        store.execute(f"INSERT INTO messages (id, {names}) VALUES (?{signs})", [id, *row.columns.values()])
        store.executemany("INSERT INTO keys VALUES (?, ?, ?)", {(int(kind), value, id) for kind, value in row.keys})
        if row.next_hop is not None:
            store.execute("INSERT INTO queue (message, host, next_hop, status, arrived_at) VALUES (?, 'mx2', ?, '', 0)",
                          (id, row.next_hop))
    store.execute("INSERT INTO failures (message, problem, reason, next_hop, recipients, at, first_at, open) "
                  "VALUES (5, 'routing', 'host-unknown', 'two.example', 1, 0, 0, 0)")
    yield store
    store.close()


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def parsed(text: str) -> Filter:
    found = parse(text)
    assert found is not None
    return found


def found(db: sqlite3.Connection, text: str, now: float = NOW) -> list[int]:
    condition, parameters = parsed(text).sql(now)
    return [id for (id,) in db.execute(f"SELECT m.id FROM messages m WHERE {condition} ORDER BY m.id", parameters)]


def without(*ids: int) -> list[int]:
    return [id for id in ROWS if id not in ids]


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
    ("next:two.example", [5]),
    ("next:mx.*", [2]),
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


@pytest.mark.parametrize(("text", "canonical"), [
    ("  status:DEFERRED   AND from:Bob@X.example ", "status:deferred from:bob@x.example"),
    ("a (b (c d)) or (e or f)", "a b c d or e or f"),
    ("(a or b) and c", "(a or b) c"),
    ("not (a or b) -c not d", "not (a or b) -c -d"),
    ('subject:"one" from:"a b"', 'subject:one from:"a b"'),
    ("age:>5M size>10K", "age>5m size>10k"),
    ("time>2026-11-24", "time:>2026-11-24"),
    ('"from:x" "-y" "or"', '"from:x" "-y" "or"'),
    ("scenario:intra problem:auth", "scenario:intra-organisation problem:authentication"),
    ("from:**@x.example", "from:@x.example"),
    (r"DOMAIN\user", r"DOMAIN\\user"),
])  # fmt: skip
def test_canonical_text(text: str, canonical: str) -> None:
    assert parsed(text).text == canonical
    assert parsed(canonical).text == canonical
    assert parsed(text) == parsed(canonical)


def test_nothing_is_no_filter() -> None:
    assert parse("") is None
    assert parse(" \t ") is None


def test_the_filter_bar_adds_and_takes_away_terms() -> None:
    one = parsed("status:deferred or status:held")
    two = one.and_("from:@one.example")
    assert two.text == "(status:deferred or status:held) from:@one.example"
    assert two.and_("FROM:@One.example") == two
    assert two.and_(" ") == two
    assert two.terms == ("status:deferred or status:held", "from:@one.example")
    assert two.without("from:@one.example") == one
    rest = two.without(two.terms[0])
    assert rest is not None
    assert rest.text == "from:@one.example"
    assert rest.without("from:@one.example") is None
    assert rest.without("from:@two.example") == rest
    with pytest.raises(FilterError):
        rest.and_("from:")


@pytest.mark.parametrize(("key", "value", "text"), [
    ("from", "", "from:<>"),
    ("from", None, "from:<>"),
    ("from", "A@b.example", "from:A@b.example"),
    ("next", "(not known yet)", 'next:"(not known yet)"'),
    ("subject", 'a "b" * c', r'subject:"a \"b\" \* c"'),
    ("", "from:x", '"from:x"'),
])  # fmt: skip
def test_a_chosen_value_becomes_a_term(key: str, value: str | None, text: str) -> None:
    assert term(key, value) == text
    assert term(key, value, exclude=True) == f"-{text}"
    assert parse(text) is not None


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


@pytest.mark.parametrize(("text", "column", "says"), [
    ("form:x", 1, 'no key is called "form"; did you mean "from"? known: from, to,'),
    ("form:x", 1, 'put it in quotes: "form:x"'),
    ("a xyzzy:1", 3, 'no key is called "xyzzy"; known: from'),
    ("status:defered", 8, 'no status is called "defered"; did you mean "deferred"? known: bounced'),
    ("status:de", 8, 'no status is called "de"'),
    ("a problem:bounce", 11, "known: any, authentication, delivery"),
    ("from:", 6, "a value is missing; write from:a@example.com"),
    ("from:@", 6, "a domain is missing after @"),
    ('subject:""', 9, "a value is missing"),
    ('"', 1, "this quote is not closed"),
    ('a subject:"b c', 11, "this quote is not closed"),
    ("(a or b", 1, 'this "(" is not closed'),
    ("a)", 2, 'this ")" closes nothing'),
    ("a or", 5, 'a term must stand here after "or", not the end; for example'),
    ("a or and b", 6, 'a term must stand here after "or", not "and"'),
    ("or a", 1, 'a term must stand here, not "or"'),
    ("()", 2, 'a term must stand here after "(", not ")"'),
    ("a not", 6, 'a term must stand here after "not", not the end'),
    ("a - b", 3, 'nothing to exclude after "-"'),
    ("age:5m", 5, "a comparison is missing; write age>5m or age<2h"),
    ("age>", 5, "a value is missing; write age>5m"),
    ("age>5", 5, '"5" is no span of time; write a number with a unit: 30s, 5m, 2h, 1d or 1w'),
    ("size>big", 6, '"big" is no size; write bytes, or a number with k, M or G'),
    ("from>x", 5, '"from" takes ":", not ">"'),
    ("time:noon", 6, '"noon" is no time; possible: today, yesterday, last-2h'),
    ("time:25:00", 6, '"25:00" is not in the calendar or on the clock'),
    ("time:2026-02-30", 6, "is not in the calendar"),
    ("time:0001-01-01", 6, "is not in the calendar"),
    ("time:..", 6, '".." names no time'),
    ("time:2026-11-25..2026-11-24", 6, "this span ends before it begins"),
    ("time:last-2", 6, '"2" is no span of time'),
    ("reason:a,", 8, "a reason is missing beside a comma"),
    ("subject:*a*b*c*d*e*f*g*h*i", 9, "more than 8 * in one value"),
    ("a\0b", 2, "the character U+0000 cannot be searched for"),
    ("a\ud800", 2, "the character U+D800 cannot be searched for"),
    ("x " * (MAX_TERMS + 1), 2 * MAX_TERMS + 1, f"more than {MAX_TERMS} terms"),
    ("(" * 40 + "a" + ")" * 40, MAX_DEPTH + 1, f"more than {MAX_DEPTH} parentheses"),
    ("x" * 5000, 4001, "too long"),
])  # fmt: skip
def test_errors_tell_place_and_remedy(text: str, column: int, says: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert str(caught.value).startswith(f"filter, column {column}: ")
    assert says in str(caught.value)


@pytest.mark.parametrize("text", [
    "from:a@one.example", "from:@one.example", "from:alice", "from:ali*@ours.example", "to:bob@*", "host:mx1",
    "id:4F1", "id:4F*", "id:m1@one.example", "-id:4F1", "from:@one.example status:deferred",
])  # fmt: skip
def test_addresses_domains_and_ids_use_the_index(db: sqlite3.Connection, text: str) -> None:
    condition, parameters = parsed(text).sql(NOW)
    rows = db.execute(f"EXPLAIN QUERY PLAN SELECT m.id FROM messages m WHERE {condition}", parameters)
    plan = [row[3] for row in rows]
    asked = [step for step in plan if "keys" in step]
    assert asked
    for step in asked:
        assert "USING COVERING INDEX keys_by_value (kind=? AND value" in step
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


def test_every_key_is_explained_by_its_own_example() -> None:
    for key, known in FIELDS.items():
        assert known.explanation.startswith(key)
        assert parse(known.explanation.split(", ")[0].split(": ")[0].split(" or ")[0].removesuffix(":")) is not None


_signs = st.sampled_from([
    *"ab*?\\\"'()-:<>@.,=_%[] \t\u0130ß\u00a0",
    "and ", "or ", "not ", "from:", "to:", "status:", "deferred", "time:", "today", "10:00-11:00", "..", "last-",
    "age>", "5m", "size<", "10k", "id:", "reason:", "problem:none", "subject:", "2026-11-24", "T10:00", "client:",
    "next:",
])  # fmt: skip


@given(st.one_of(st.lists(_signs, max_size=12).map("".join), st.text(max_size=40)))
@example("from:<<a@b>>")
@example("time:>=2999-12-31T23:59")
@example("time:1970-01-01T00:00+14:00")
def test_any_text_is_a_filter_or_a_filter_error(db: sqlite3.Connection, text: str) -> None:
    try:
        first = parse(text)
    except FilterError:
        return
    if first is None:
        assert not text.strip()
        return
    again = parsed(first.text)
    assert again.text == first.text
    assert again.node == first.node
    assert isinstance(found(db, first.text), list)


@given(st.sampled_from(["from", "to", "host", "next", "subject", "id", "client", ""]), st.text(min_size=1, max_size=20))
def test_any_chosen_value_parses(key: str, value: str) -> None:
    text = term(key, value)
    try:
        found = parse(text)
    except FilterError:
        assert "\0" in value or any(c in value for c in "<>@")
    else:
        assert found is not None
        assert len(found.terms) == 1
