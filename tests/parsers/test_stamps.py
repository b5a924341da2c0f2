"""Timestamps: years that are not written, days that few years have, hours that come twice or never, second 60."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from flowmon.parsing.stamps import Stamps

LONDON = ZoneInfo("Europe/London")


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def read(stamps: Stamps, *texts: str) -> list[str]:
    """The instants of stamps, one after the other."""
    found = [stamps.any(text) for text in texts]
    return [datetime.fromtimestamp(one[0], UTC).strftime("%Y-%m-%d %H:%M:%S") if one else "none" for one in found]


def test_an_hour_that_comes_twice_does_not_run_back() -> None:
    stamps = Stamps(LONDON, at("2026-10-25T04:00Z"))
    assert read(
        stamps, "Oct 25 00:59:59", "Oct 25 01:00:00", "Oct 25 01:40:00", "Oct 25 01:59:59", "Oct 25 01:00:00",
        "Oct 25 01:20:07", "Oct 25 01:59:59", "Oct 25 02:00:00",
    ) == [
        "2026-10-24 23:59:59", "2026-10-25 00:00:00", "2026-10-25 00:40:00", "2026-10-25 00:59:59",
        "2026-10-25 01:00:00", "2026-10-25 01:20:07", "2026-10-25 01:59:59", "2026-10-25 02:00:00",
    ]


def test_local_iso_stamps_do_not_run_back_either() -> None:
    stamps = Stamps(LONDON, at("2026-10-25T04:00Z"))
    assert read(stamps, "2026-10-25 01:58:00", "2026-10-25 01:03:00", "2026-10-25 01:58:00.250") == [
        "2026-10-25 00:58:00", "2026-10-25 01:03:00", "2026-10-25 01:58:00"]


@pytest.mark.parametrize("late", ["Oct 25 01:29:30", "2026-10-25 01:29:30"])
def test_a_line_out_of_order_stays_in_its_pass(late: str) -> None:
    first = Stamps(LONDON, at("2026-10-25T04:00Z"))
    assert read(first, "Oct 25 01:30:00", late) == ["2026-10-25 00:30:00", "2026-10-25 00:29:30"]
    second = Stamps(LONDON, at("2026-10-25T04:00Z"), before=at("2026-10-25T01:30Z"))
    assert read(second, late, "Oct 25 01:31:00") == ["2026-10-25 01:29:30", "2026-10-25 01:31:00"]


def test_a_first_line_written_now_is_of_the_pass_that_is_now() -> None:
    assert read(Stamps(LONDON, at("2026-10-25T01:30:10Z")), "Oct 25 01:30:00") == ["2026-10-25 01:30:00"]
    assert read(Stamps(LONDON, at("2026-10-25T00:30:10Z")), "Oct 25 01:30:00") == ["2026-10-25 00:30:00"]


def test_who_writes_am_and_pm_writes_the_month_first() -> None:
    stamps = Stamps(LONDON, at("2026-12-02T04:00Z"))
    assert read(
        stamps, "11/24/2026 10:44:26 AM", "11/24/2026 10:44:26 PM", "11/24/2026 12:00:05 AM", "11/24/2026 12:00:05 PM",
        "12/01/2026 01:00:00 AM", "24/11/2026 01:00:00 PM", "11/24/2026 13:00:00 PM",
    ) == [
        "2026-11-24 10:44:26", "2026-11-24 22:44:26", "2026-11-24 00:00:05", "2026-11-24 12:00:05",
        "2026-12-01 01:00:00", "2026-11-24 13:00:00", "none"]


def test_without_am_and_pm_the_day_is_first_unless_it_can_be_none() -> None:
    stamps = Stamps(LONDON, at("2026-12-02T04:00Z"))
    assert read(stamps, "01/12/2026 10:44:26", "11/24/2026 10:44:26", "24.11.2026 10:44:26", "24.13.2026 10:44:26") == [
        "2026-12-01 10:44:26", "2026-11-24 10:44:26", "2026-11-24 10:44:26", "none"]


def test_a_year_of_two_digits_with_slashes_is_after_month_and_day() -> None:
    stamps = Stamps(LONDON, at("2026-12-01T04:00Z"))
    assert read(stamps, "11/24/26 10:44:26", "12/01/26 00:00:00", "24/11/26 10:44:26", "24/11/2026 10:44:26") == [
        "2026-11-24 10:44:26", "2026-12-01 00:00:00", "none", "2026-11-24 10:44:26"]


def test_an_hour_that_never_comes_takes_no_time() -> None:
    stamps = Stamps(LONDON, at("2026-03-29T04:00Z"))
    assert read(stamps, "Mar 29 00:59:58", "Mar 29 02:00:03") == ["2026-03-29 00:59:58", "2026-03-29 01:00:03"]


def test_a_leap_day_is_of_the_year_that_has_it() -> None:
    stamps = Stamps(UTC, at("2028-03-01T06:00Z"))
    assert read(stamps, "Feb 28 23:59:59", "Feb 29 00:00:00", "Mar  1 00:00:00") == [
        "2028-02-28 23:59:59", "2028-02-29 00:00:00", "2028-03-01 00:00:00"]


@pytest.mark.parametrize("year", range(2028, 2032))
def test_a_leap_day_read_years_later(year: int) -> None:
    stamps = Stamps(UTC, at(f"{year}-12-01T00:00Z"))
    assert read(stamps, "Feb 29 12:00:00", "Mar  1 12:00:00") == ["2028-02-29 12:00:00", "2028-03-01 12:00:00"]


def test_a_log_read_almost_a_year_later_is_of_the_year_before() -> None:
    stamps = Stamps(UTC, at("2027-11-20T00:00Z"))
    assert read(stamps, "Nov 24 09:00:00", "Dec 31 23:59:59", "Jan  1 00:00:00") == [
        "2026-11-24 09:00:00", "2026-12-31 23:59:59", "2027-01-01 00:00:00"]


def test_second_60_is_in_the_minute_that_it_ends() -> None:
    stamps = Stamps(UTC, at("2017-01-02T00:00Z"))
    assert read(
        stamps, "Dec 31 23:59:60", "2016-12-31T23:59:60.500+00:00", "2016-12-31T23:59:60Z", "2016-12-31T23:59:61Z"
    ) == ["2016-12-31 23:59:59", "2016-12-31 23:59:59", "2016-12-31 23:59:59", "none"]


def test_lines_in_no_order_do_not_run_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: at("2026-11-26T00:00Z"))
    stamps = Stamps(UTC, at("2026-11-25T00:00Z"))
    assert read(
        stamps, "Nov 24 09:00:00", "Feb 21 09:00:00", "Nov 22 09:00:00", "Mar  7 09:00:00", "Nov 27 09:00:00",
        "Jan  1 00:00:09", "Nov 25 09:00:00",
    ) == [
        "2026-11-24 09:00:00", "2026-02-21 09:00:00", "2026-11-22 09:00:00", "2026-03-07 09:00:00",
        "2026-11-27 09:00:00", "2026-01-01 00:00:09", "2026-11-25 09:00:00",
    ]


def test_a_log_that_is_written_on_for_long_runs_over_new_year(monkeypatch: pytest.MonkeyPatch) -> None:
    stamps = Stamps(UTC, at("2026-11-24T09:00Z"))
    for text, then in (
        ("Nov 24 09:00:00", "2026-11-24"), ("Dec 31 23:59:59", "2026-12-31"), ("Jan  1 00:00:00", "2027-01-01"),
        ("Jun  1 09:00:00", "2027-06-01"), ("Sep  1 09:00:00", "2027-09-01"),
        ("Dec 31 23:59:59", "2027-12-31"), ("Jan  1 00:00:00", "2028-01-01"),
    ):  # fmt: skip
        monkeypatch.setattr("time.time", lambda then=then: at(f"{then}T23:59:59Z"))
        assert read(stamps, text)[0].startswith(then)
