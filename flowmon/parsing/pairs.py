"""Lines of `key=value` in any order, as appliances write them: `date=2026-11-24 time=10:44:26 type=spam from="a@b"`.

A value with blanks stands in quotes. Before the first key may stand a syslog header; its host is `logger`. The time is
made of `date` and `time` where both are there: column `at`.
"""

from __future__ import annotations

import re

from flowmon.parsing.cef import syslog_front

_PAIR = re.compile(r'([A-Za-z][A-Za-z0-9_.-]{0,63})=(?:"((?:[^"\\]|\\.)*)"|((?!")\S*))(?: +|$)')
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
        found["at"] = f"{found['date']} {found['time']}"
    return found
