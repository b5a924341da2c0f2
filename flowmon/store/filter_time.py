"""Times and spans in a filter: `30m`, `today`, `10:00-11:00`, `2026-11-24T10:00..2026-11-24T11:00`, `last-2h`.

Times are of the local zone of this machine, unless they end in Z or an offset. A span may be relative, so its bounds
are reckoned when it is asked, not when it is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

Bounds = tuple[float | None, float | None]
"""Seconds since the epoch: from (included) and to (not included); None is open."""
Span = Callable[[float], Bounds]
"""Gives the bounds of a span as seen at an instant (seconds since the epoch)."""

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(?:\d{1,9}[smhdw])+", re.ASCII)
_MOMENT = re.compile(
    r"(?:(?P<day>\d{4}-\d\d-\d\d|today|yesterday)(?:[t ](?=\d)|$))?"
    r"(?:(?P<clock>\d\d?:\d\d(?::\d\d)?)(?P<zone>z|\+\d\d:?\d\d)?)?",
    re.ASCII,
)
_CLOCKS = re.compile(r"(.*\d:\d\dz?)-(\d\d?:.*)", re.ASCII)
_FORMS = (
    "possible: today, yesterday, last-2h, 10:00-11:00, 2026-11-24, >2026-11-24, <10:00, "
    "2026-11-24T10:00..2026-11-24T11:00"
)


def seconds(text: str) -> float:
    """A duration such as `90s`, `5m`, `1h30m`, `2d`, `1w` in seconds. Raises ValueError with what is possible."""
    if not _DURATION.fullmatch(text):
        raise ValueError(f'"{text}" is no span of time; write a number with a unit: 30s, 5m, 2h, 1d or 1w')
    return float(sum(int(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+)(\D)", text)))


@dataclass(frozen=True, slots=True)
class Moment:
    """A day, a time of day, or both."""

    day: date | int | None
    """A number counts days back from today."""
    clock: time | None
    zone: tzinfo | None

    def on(self, now: float) -> date:
        """Its day; today where it names none."""
        if isinstance(self.day, date):
            return self.day
        return (datetime.fromtimestamp(now, UTC).astimezone(self.zone) - timedelta(days=self.day or 0)).date()

    def start(self, now: float, later: int = 0) -> float:
        """Its first instant; `later` so many days on."""
        instant = datetime.combine(self.on(now) + timedelta(days=later), self.clock or time())
        return (instant.astimezone() if self.zone is None else instant.replace(tzinfo=self.zone)).timestamp()

    def end(self, now: float) -> float:
        """The end of what it names: of the day, else of the minute."""
        if self.clock is None:
            return self.start(now, 1)
        return self.start(now) + (60.0 if self.clock.second == 0 else 1.0)


def span(text: str) -> Span:
    """Read the value of `time:` (lower case). Raises ValueError with what is possible."""
    if text.startswith("last-"):
        length = seconds(text.removeprefix("last-"))
        return lambda now: (now - length, None)
    for sign in (">=", "<=", ">", "<"):
        if text.startswith(sign):
            return _compared(sign, _moment(text.removeprefix(sign).strip()))
    first, dots, last = text.partition("..")
    if not dots and (clocks := _CLOCKS.fullmatch(text)):
        first, last, dots = clocks[1], clocks[2], "-"
    if not dots:
        moment = _moment(text)
        return lambda now: (moment.start(now), moment.end(now))
    if not first.strip() and not last.strip():
        raise ValueError(f'"{text}" names no time; {_FORMS}')
    return _between(_moment(first.strip()) if first.strip() else None, _moment(last.strip()) if last.strip() else None)


def _compared(sign: str, moment: Moment) -> Span:
    if sign[0] == ">":
        return lambda now: (moment.start(now), None)
    if sign == "<":
        return lambda now: (None, moment.start(now))
    return lambda now: (None, moment.end(now))


def _between(first: Moment | None, last: Moment | None) -> Span:
    """A last day counts whole, a last time of day is the end itself and lies on the first one's day if it has none."""
    if first is not None and last is not None and last.day is None and first.day is not None:
        last = replace(last, day=first.day, zone=last.zone or first.zone)
    whole = last is not None and last.clock is None

    def bounds(now: float) -> Bounds:
        start = first.start(now) if first else None
        end = (last.end(now) if whole else last.start(now)) if last else None
        if first and last and first.day is last.day is None and last.start(now) <= first.start(now):
            return (start, last.start(now, 1)) if first.start(now) <= now else (first.start(now, -1), end)
        return start, end

    if first and last and isinstance(first.day, date) and isinstance(last.day, date):
        start, end = bounds(0.0)
        if start is not None and end is not None and end <= start:
            raise ValueError("this span ends before it begins; write the earlier time first")
    return bounds


def _moment(text: str) -> Moment:
    found = _MOMENT.fullmatch(text)
    if not text or found is None:
        raise ValueError(f'"{text}" is no time; {_FORMS}')
    try:
        day = _day(found["day"])
        clock = _clock(found["clock"])
        zone = _zone(found["zone"])
    except ValueError:
        raise ValueError(f'"{text}" is not in the calendar or on the clock; {_FORMS}') from None
    return Moment(day, clock, zone)


def _day(text: str | None) -> date | int | None:
    if text is None or text in ("today", "yesterday"):
        return {"today": 0, "yesterday": 1}[text] if text else None
    day = date.fromisoformat(text)
    if not 1970 <= day.year < 3000:
        raise ValueError("no mail log is of that year")
    return day


def _clock(text: str | None) -> time | None:
    if text is None:
        return None
    return time.fromisoformat(text if text.index(":") == 2 else f"0{text}")


def _zone(text: str | None) -> tzinfo | None:
    if text is None or text == "z":
        return UTC if text else None
    return timezone(timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))
