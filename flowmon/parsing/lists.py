"""Lists and named parts inside one value of a record.

Lists are separated by `;`, which may also stand inside brackets, braces and quotes: only those outside separate.
Parts are named values in one of four forms: `{NAME=value}`, `S:NAME=value;S:…`, `…|name=value|…`, `Name:value, …`.
"""

from __future__ import annotations

import re
from functools import lru_cache

_OPEN, _CLOSE = "[{", "]}"


def split_list(text: str) -> list[str]:
    """Items of a list. An item may be empty; the empty text has none."""
    if not text:
        return []
    if not any(sign in text for sign in '[{"'):
        items = text.split(";")
    else:
        items = _split_outside(text, quotes=text.count('"') % 2 == 0)
    items = [item.strip() for item in items]
    if len(items) > 1 and not items[-1]:
        items.pop()
    return items


def _split_outside(text: str, *, quotes: bool) -> list[str]:
    """Split at `;` outside brackets and braces, and outside quotes where they come in pairs."""
    items: list[str] = []
    depth, start, quoted = 0, 0, False
    for place, sign in enumerate(text):
        if sign == '"' and quotes:
            quoted = not quoted
        elif quoted:
            continue
        elif sign in _OPEN:
            depth += 1
        elif sign in _CLOSE:
            depth = max(depth - 1, 0)
        elif sign == ";" and depth == 0:
            items.append(text[start:place])
            start = place + 1
    items.append(text[start:])
    return items


def part(text: str, name: str) -> str:
    """The named part of a value; "" when there is none."""
    start = text.find("{" + name + "=")
    if start >= 0:
        return _braced(text, start + len(name) + 2)
    match = _part_pattern(name).search(text)
    if match is None:
        return ""
    return next((group for group in match.groups() if group), "").strip()


def _braced(text: str, start: int) -> str:
    """From `start` to the brace that closes."""
    depth = 1
    for place in range(start, len(text)):
        if text[place] == "{":
            depth += 1
        elif text[place] == "}":
            depth -= 1
            if depth == 0:
                return text[start:place].strip()
    return text[start:].strip()


@lru_cache(maxsize=200)
def _part_pattern(name: str) -> re.Pattern[str]:
    key = re.escape(name)
    return re.compile(rf"(?:\A|;)S:{key}=(.*?)(?:;S:|\Z)|(?:\A|\|){key}=([^|]*)|(?:\A|, ?){key}:([^,]*)", re.DOTALL)
