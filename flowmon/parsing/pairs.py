"""Lines of `key=value` in any order, as appliances write them: `date=2026-11-24 time=10:44:26 type=spam from="a@b"`.

A value with blanks stands in quotes. Before the first key may stand a syslog header; its host is `logger`. The time is
made of `date` and `time` where both are there: column `at`. They name no zone; where the header does and shows the same
time of day within a quarter of an hour, it is the header's, and where it shows the same time in UTC, it is UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from flowmon.parsing.cef import syslog_front

_PAIR = re.compile(r'([A-Za-z][A-Za-z0-9_.-]{0,63})=(?:"((?:[^"\\]|\\.)*)"|((?!")\S*))(?: +|$)')
_SAME_TIME = timedelta(minutes=15)
"""Zones differ by no less; a line waits for less before it is logged, or its clock is wrong."""
_LEAST = 3
"""A line with fewer pairs is no such record."""


def parse(line: str) -> dict[str, str] | None:
    """The values by key; None for a line that is no list of pairs from some point to its end."""
    start = _PAIR.search(line)
    if start is None:
        return None
    found = syslog_front(line[: start.start()])
    place = start.start()
    while place < len(line):
        match = _PAIR.match(line, place)
        if match is None:
            return None
        key, quoted, bare = match.groups()
        found.setdefault(key, quoted.replace('\\"', '"') if quoted is not None else bare)
        place = match.end()
    if len(found) < 2 + _LEAST:
        return None
    if "date" in found and "time" in found:
        found["at"] = _with_zone(f"{found['date']} {found['time']}", found.get("logged", ""))
    return found


def _with_zone(at: str, logged: str) -> str:
    """A time of the device with the zone it is in, where the header's time shows which that is."""
    try:
        own, header = datetime.fromisoformat(at), datetime.fromisoformat(logged)
    except ValueError:
        return at
    if own.tzinfo is not None or header.tzinfo is None:
        return at
    for shown in (header, header.astimezone(UTC)):
        if abs(own - shown.replace(tzinfo=None)) < _SAME_TIME:
            return own.replace(tzinfo=shown.tzinfo).isoformat()
    return at
