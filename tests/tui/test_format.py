"""Numbers, times and spans as they are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flowmon.tui import format

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (None, "–"), (-3, "0s"), (0, "0.0s"), (0.44, "0.4s"), (9.96, "10s"), (59.4, "59s"), (59.6, "1m00"),
        (192, "3m12"), (3599.7, "1h00"), (7500, "2h05"), (86399, "23h59"), (371_000, "4d07"), (86400 * 400, "400d"),
    ],
)  # fmt: skip
def test_span(seconds: float | None, written: str) -> None:
    assert format.span(seconds) == written


def test_ages_do_not_flicker() -> None:
    assert format.age(NOW - timedelta(seconds=3.7), NOW) == "3s"
    assert format.age(NOW + timedelta(seconds=3), NOW) == "0s"
    assert format.age(None, NOW) == "–"


def test_estimates_look_so() -> None:
    assert format.until(NOW + timedelta(seconds=90), NOW) == "~1m"
    assert format.until(NOW + timedelta(seconds=50), NOW, exact=True) == "50s"
    assert format.until(NOW - timedelta(seconds=90), NOW) == "~now"
    assert format.until(NOW - timedelta(minutes=11), NOW) == "past", "it was missed, or is not told here"


@pytest.mark.parametrize(
    ("count", "written"),
    [(None, "–"), (0, "0B"), (999, "999B"), (1000, "1.0k"), (999_600, "1.0M"), (9_400_000, "9.4M"), (52_000, "52k")],
)
def test_size(count: int | None, written: str) -> None:
    assert format.size(count) == written


def test_rates_and_shares() -> None:
    assert [format.rate(value) for value in (None, 0.01, 3.25, 1234.4)] == ["–", "0", "3.2", "1 234"]
    assert [format.share(value) for value in (0, 0.0004, 0.021, 0.5, 1)] == ["0 %", "<0.1 %", "2.1 %", "50 %", "100 %"]


def test_times_of_other_days_show_the_day() -> None:
    assert format.clock(NOW, NOW, UTC) == "09:00:00"
    assert format.clock(NOW - timedelta(days=1), NOW, UTC) == "Mar 09 09:00"
    assert format.short_clock(NOW, NOW, UTC, 5) == "09:00"
    assert format.short_clock(NOW - timedelta(days=1), NOW, UTC, 5) == "03-09"
