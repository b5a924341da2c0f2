"""Lines of key=value in any order."""

from __future__ import annotations

import pytest

from flowmon.parsing.pairs import parse


def test_keys_in_any_order_and_quotes() -> None:
    found = parse('<22>Nov 24 10:00:00 gw type=spam time=09:00:00 date=2026-11-24 msg="a \\"b\\", c=d" empty="" last=x')
    assert found is not None
    assert found["at"] == "2026-11-24 09:00:00"
    assert (found["logged"], found["logger"]) == ("Nov 24 10:00:00", "gw")
    assert (found["msg"], found["empty"], found["last"]) == ('a "b", c=d', "", "x")


@pytest.mark.parametrize(("header", "at"), [
    ("2026-11-24T08:59:59.5-03:00", "2026-11-24T09:00:00-03:00"),
    ("2026-11-24T10:00:01+01:00", "2026-11-24T09:00:00+00:00"),
    ("2026-11-24T09:00:01Z", "2026-11-24T09:00:00+00:00"),
    ("2026-11-24T13:00:01+01:00", "2026-11-24 09:00:00"),
    ("Nov 24 09:00:00", "2026-11-24 09:00:00"),
])
def test_the_zone_is_the_headers_where_both_show_the_same_time(header: str, at: str) -> None:
    assert (parse(f"{header} gw date=2026-11-24 time=09:00:00 type=spam") or {})["at"] == at


@pytest.mark.parametrize("line", [
    "", "no pairs at all", "a=b c=d", 'a=b c=d e="open', "a=b c=d e=f then words",
    "Nov 24 10:44:26 mx1 postfix/smtp[7]: 5ED29248: to=<kim@example.com>, relay=mx.example.com, status=sent (250 OK)",
])
def test_what_is_no_list_of_pairs(line: str) -> None:
    assert parse(line) is None


def test_the_first_of_two_equal_keys_counts() -> None:
    assert (parse("a=1 b=2 a=3 c=4") or {})["a"] == "1"


def test_a_hostile_line_takes_no_time() -> None:
    assert parse("a= " * 3_000 + '"') is None
    assert parse('a="' + "\\" * 9_999) is None
