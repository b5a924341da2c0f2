"""Timestamps of log lines, to seconds since the epoch.

Forms: RFC 3164 `Nov  4 08:09:07` (no year, no zone), ISO 8601 `2026-11-04T08:09:07.123456+01:00` (also with a space
for the T and without fraction or zone), `Tue Nov 24 08:09:07 2026`, `24/Nov/2026 08:09:07`, `24-11-2026 08:09:07`,
`24.11.2026 08:09:07`, `Nov-24-26 08:09:07`, `11/24/26 08:09:07` and `11/24/2026 08:09:07 AM` (the month first),
`Nov 24 2026 08:09:07`, `Tue 2026-11-24 08:09:07 UTC`, TAI64N labels, and epoch seconds. strptime is never used:
one second, or without a year one minute, is worked out once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from math import inf, isfinite

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)([.,]\d{1,9})?(?: ?(Z|[+-]\d\d:?\d\d))?(?![\d:])", re.ASCII
)
_RFC3164 = re.compile(r"([A-Z][a-z]{2}) ([ \d]?\d) (\d\d):(\d\d):(\d\d)(\.\d{1,9})?(?!\d)", re.ASCII)
_CTIME = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]?\d) (\d\d:\d\d:\d\d) (\d{4})(?!\d)", re.ASCII)
_DATED = re.compile(
    r"(?:(?P<day>\d\d)(?P<sep>[/.-])(?P<month>[A-Z][a-z]{2}|\d\d)(?P=sep)(?P<year>\d{4})"
    r"|(?P<month2>[A-Z][a-z]{2})-(?P<day2>\d\d)-(?P<year2>\d\d)|(?P<month3>\d\d)/(?P<day3>\d\d)/(?P<year3>\d\d))"
    r"[ :](?P<hour>\d\d)(?P<clock>:\d\d:\d\d)(?!\d)(?P<half> [AP]M\b)?", re.ASCII
)
_CISCO = re.compile(r"([A-Z][a-z]{2}) ([ \d]?\d) (\d{4}) (\d\d:\d\d:\d\d)(\.\d{1,9})?(?!\d)", re.ASCII)
_FULL = re.compile(
    r"[A-Z][a-z]{2} (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d{1,9})? ([A-Z]{3,5}|[+-]\d\d(?:\d\d)?)(?![\w:])", re.ASCII
)
_UNIX = re.compile(r"(\d{10}\.\d{6})(?!\d)", re.ASCII)
_ZONES = {
    "UTC": "Z", "GMT": "Z", "WET": "Z", "WEST": "+01:00", "CET": "+01:00", "CEST": "+02:00", "EET": "+02:00",
    "EEST": "+03:00", "EST": "-05:00", "EDT": "-04:00", "PST": "-08:00", "PDT": "-07:00", "JST": "+09:00",
}  # fmt: skip
"""Those of the names that mean one offset only; with another name, local time is meant."""
_TAI64N = re.compile(r"@([0-9a-f]{16})([0-9a-f]{8})(?![0-9a-f])")
_YEARS = (1971, 2200)
_LAST_SECOND = 7_258_118_400.0
"""Begin of the last of these years, epoch seconds; larger numbers are milli- or microseconds."""
_AHEAD_SECONDS = 2 * 86400.0
"""How far a first line may lie after the reference: clocks and zones differ."""
_OUT_OF_ORDER_SECONDS = 120.0
"""How far local times of one log may run back before it is taken for the hour that the end of summer time repeats."""
_FRESH_SECONDS = 60.0
"""A first line so near to the reference is written as it is read."""
_LEAP_DAY_YEARS = 8
"""At most so many years lie between two leap days (1896 and 1904, 2096 and 2104)."""


class Stamps:
    """Reads the timestamps of one log.

    `zone` is the log's own time zone, for forms that carry none. `reference` (epoch seconds) settles the year of
    RFC 3164 stamps: the newest that does not put the first line after it; later lines take the year nearest to the
    line before, so that a log may run over New Year, but none that lies after both the reference and now: lines
    that are in no order (gathered from several logs) would else run ahead, a year with each turn. `before` is the
    time of the line before the first one, where it is known.

    When summer time ends, an hour of local time comes twice. A stamp of that hour is of the first pass unless that
    would be earlier than the line before it; a log that falls silent in the first pass and goes on in the second with
    a later time of day cannot be told from one that goes on at once.
    """

    def __init__(self, zone: tzinfo | None, reference: float, before: float | None = None) -> None:
        self.zone = zone
        self.reference = reference
        self._before = before
        """Last instant that was given for a stamp without a zone."""
        self._latest = reference
        """No line is after this, as far as it is known."""
        self._first = True
        self._second = ""
        self._second_at = 0.0
        self._minute = ""
        self._minute_at = 0.0

    def iso(self, text: str, start: int = 0) -> tuple[float, int] | None:
        """Time and end of the ISO stamp that starts at `start`; None if there is none."""
        match = _ISO.match(text, start)
        if match is None:
            return None
        day, clock, fraction, zone = match.groups()
        key = f"{day} {clock}{zone or ''}"
        if key != self._second:
            at = self._aware(f"{day}T{clock}", zone)
            if at is None:
                return None
            self._second, self._second_at = key, at
        if fraction:
            return self._second_at + float("0." + fraction[1:]), match.end()
        return self._second_at, match.end()

    def _aware(self, text: str, zone: str | None) -> float | None:
        try:
            moment = datetime.fromisoformat(text + (zone or ""))
        except ValueError:
            if text[-3:] != ":60":
                return None
            return self._aware(f"{text[:-2]}59", zone)  # a leap second
        if moment.tzinfo is None and _YEARS[0] <= moment.year < _YEARS[1]:
            return self._local(moment)
        return _instant(moment, self.zone)

    def _local(self, moment: datetime) -> float:
        """The instant of a local time, which may come twice: see the class."""
        at = moment.replace(tzinfo=self.zone).astimezone(UTC).timestamp()
        before = self._before
        if before is None or at < before - _OUT_OF_ORDER_SECONDS:
            later = moment.replace(tzinfo=self.zone, fold=1).astimezone(UTC).timestamp()
            if later > at and (before is not None or abs(later - self.reference) <= _FRESH_SECONDS):
                at = later
        self._before = at
        return at

    def rfc3164(self, text: str, start: int = 0) -> tuple[float, int] | None:
        """Time and end of the RFC 3164 stamp that starts at `start`; None if there is none."""
        match = _RFC3164.match(text, start)
        if match is None:
            return None
        minute = text[start : match.end(4)]
        if minute != self._minute:  # zones change their offset between minutes, never within one
            at = self._with_year(match)
            if at is None:
                return None
            self._minute, self._minute_at = minute, at
        second, fraction = min(int(match.group(5)), 59), match.group(6)
        return self._minute_at + second + (float(fraction) if fraction else 0.0), match.end()

    def _with_year(self, match: re.Match[str]) -> float | None:
        """The begin of the minute that a stamp names."""
        month = _MONTHS.get(match.group(1))
        if month is None:
            return None
        day, hour, minute = (int(match.group(i)) for i in (2, 3, 4))
        year = datetime.fromtimestamp(self.reference, UTC).year
        found = self._in_years((year - 1, year, year + 1), month, day, hour, minute)
        if self._first:
            # a log is not written ahead of its time: the newest year that does not lie after the reference
            self._first = False
            found = [one for one in found if one[0] <= self.reference + _AHEAD_SECONDS][-1:]
        if not found:  # 29 February, of another year
            found = self._in_years(range(year - 2, year - 1 - _LEAP_DAY_YEARS, -1), month, day, hour, minute)[:1]
        if not found:
            return None
        nearest = min(found, key=lambda one: abs(one[0] - self.reference))
        if nearest[0] > self._latest + _AHEAD_SECONDS:
            self._latest = max(self._latest, time.time())
            past = [one for one in found if one[0] <= self._latest + _AHEAD_SECONDS]
            if past and past[-1] is not nearest:  # out of order: no line to tell the next one's year by
                return self._local(past[-1][1])
        at = self.reference = self._local(nearest[1])
        return at

    def _in_years(
        self, years: Iterable[int], month: int, day: int, hour: int, minute: int
    ) -> list[tuple[float, datetime]]:
        """Instant and local time of a moment, for each of the years that have it."""
        found = []
        for year in years:
            try:
                moment = datetime(year, month, day, hour, minute, tzinfo=self.zone)
                found.append((moment.astimezone(UTC).timestamp(), moment.replace(tzinfo=None)))
            except (ValueError, OverflowError):  # no such day in this year, or no such year
                continue
        return found

    def any(self, text: str, start: int = 0) -> tuple[float, int] | None:
        """Time and end of a stamp of any form."""
        return (
            self.iso(text, start) or self.rfc3164(text, start) or self._ctime(text, start) or self._dated(text, start)
            or tai64n(text, start) or self._cisco(text, start) or self._full(text, start) or _unix(text, start)
        )

    def _dated(self, text: str, start: int) -> tuple[float, int] | None:
        """`24/Nov/2026 08:09:07`, `24-11-2026 08:09:07`, `24.11.2026 08:09:07` (the day first), `Nov-24-26 08:09:07`,
        `11/24/26 08:09:07`, `11/24/2026 08:09:07 AM` (the month first).

        Who writes AM and PM writes the month first, who does not writes the day first; a month above 12 is the day.
        """
        match = _DATED.match(text, start)
        if match is None:
            return None
        day = match["day"] or match["day2"] or match["day3"]
        month = match["month"] or match["month2"] or match["month3"]
        hour, half = int(match["hour"]), match["half"]
        swapped = match["sep"] == "/" and month.isdigit() and (int(day) <= 12 if half else int(month) > 12)
        if swapped:
            day, month = month, day
        if half is not None:
            if not 1 <= hour <= 12:
                return None
            hour = hour % 12 + (12 if half == " PM" else 0)
        number = int(month) if month.isdigit() else _MONTHS.get(month, 0)
        year = match["year"] or f"20{match['year2'] or match['year3']}"
        at = self._aware(f"{year}-{number:02}-{day}T{hour:02}{match['clock']}", None)
        return (at, match.end()) if at is not None else None

    def _ctime(self, text: str, start: int) -> tuple[float, int] | None:
        match = _CTIME.match(text, start)
        month = _MONTHS.get(match[1]) if match is not None else None
        if match is None or month is None:
            return None
        at = self._aware(f"{match[4]}-{month:02}-{int(match[2]):02}T{match[3]}", None)
        return (at, match.end()) if at is not None else None


    def _cisco(self, text: str, start: int) -> tuple[float, int] | None:
        """`Nov 24 2026 08:09:07`: as RFC 3164 has it, with a year."""
        match = _CISCO.match(text, start)
        month = _MONTHS.get(match[1]) if match is not None else None
        if match is None or month is None:
            return None
        at = self._aware(f"{match[3]}-{month:02}-{int(match[2]):02}T{match[4]}", None)
        return (at + float(match[5] or 0), match.end()) if at is not None else None

    def _full(self, text: str, start: int) -> tuple[float, int] | None:
        """`Tue 2026-11-24 08:09:07 UTC`, as journalctl has it with `-o short-full`."""
        match = _FULL.match(text, start)
        if match is None:
            return None
        zone = match[4] if match[4][0] in "+-" else _ZONES.get(match[4])
        at = self._aware(f"{match[1]}T{match[2]}", zone)
        return (at + float(match[3] or 0), match.end()) if at is not None else None


def _unix(text: str, start: int) -> tuple[float, int] | None:
    """`1795600801.123456`, as journalctl has it with `-o short-unix`."""
    match = _UNIX.match(text, start)
    return (float(match[1]), match.end()) if match is not None else None


def tai64n(text: str, start: int = 0) -> tuple[float, int] | None:
    """Time and end of a TAI64N label, `@` and 24 hexadecimal digits, as multilog writes it; None if there is none.

    Like tai64nlocal without a table of leap seconds: ten seconds before UTC (cr.yp.to/libtai/tai64.html).
    """
    match = _TAI64N.match(text, start)
    if match is None:
        return None
    return int(match[1], 16) - 2**62 - 10 + int(match[2], 16) / 1e9, match.end()


def epoch(text: str, zone: tzinfo | None = None) -> float | None:
    """A whole timestamp field, ISO 8601 or epoch seconds (milli-, microseconds by size), to epoch seconds."""
    if text.isascii() and text.isdigit():
        seconds = float(text)
        while _LAST_SECOND < seconds < inf:
            seconds /= 1000
        return seconds if isfinite(seconds) else None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return _instant(moment, zone)


def _instant(moment: datetime, zone: tzinfo | None) -> float | None:
    """Epoch seconds; None outside of the years that any log can tell of."""
    if not _YEARS[0] <= moment.year < _YEARS[1]:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone).astimezone(UTC)).timestamp()
