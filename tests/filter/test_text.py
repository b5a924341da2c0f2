"""How filters are written: their canonical text, what the filter bar makes of it, and what is wrong with others."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flowmon.errors import FilterError
from flowmon.store.filter import MAX_DEPTH, MAX_TERMS, parse, term
from flowmon.store.filter_sql import FIELDS
from tests.filter.rows import found, parsed


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
    ("next:MX.x.example[192.0.2.1]:25 next:[IPv6:2001:DB8::1]:25", "next:mx.x.example next:[2001:db8::1]"),
    ("next:unknown[192.0.2.1] next:mx[private/lmtp] next:192.0.2.1", "next:[192.0.2.1] next:mx next:192.0.2.1"),
    ("next:mx[12].example next:mx[12] next:*[192.0.2.1]*", "next:mx[12].example next:mx[12] next:*[192.0.2.1]*"),
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
    assert two.terms == ("(status:deferred or status:held)", "from:@one.example")
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
    ("next", "192.0.2.1", "next:[192.0.2.1]"),
    ("next", "2001:db8::1", "next:[2001:db8::1]"),
    ("queue", "mx1/(not known yet)", 'queue:"mx1/(not known yet)"'),
    ("subject", 'a "b" * c', r'subject:"a \"b\" \* c"'),
    ("", "from:x", '"from:x"'),
])  # fmt: skip
def test_a_chosen_value_becomes_a_term(key: str, value: str | None, text: str) -> None:
    assert term(key, value) == text
    assert term(key, value, exclude=True) == f"-{text}"
    assert parse(text) is not None


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
    ("queue:mx1", 7, "a queue is a host and a next hop; write queue:mx1/mx.example.net, or queue:mx1/*"),
    ("queue:/mx.example.net", 7, "a queue is a host and a next hop"),
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
