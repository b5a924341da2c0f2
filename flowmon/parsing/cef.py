"""Common Event Format: one line, seven fields in front, then `key=value` with blanks in the values.

`CEF:0|vendor|product|version|signature|name|severity|key=value key=value`, after whatever a syslog daemon put before
it. A backslash escapes `|` and itself in front, `=`, itself and line ends (as n) behind. Source: ArcSight Common Event
Format, revision 25 (keys and their long names are its dictionary).
"""

from __future__ import annotations

import re

_START = re.compile(r"CEF: ?\d+\|")
_PRIORITY = re.compile(r"^<\d{1,3}>(?:1 )?")
_FRONT = re.compile(r"((?:[^|\\]|\\.)*)\|")
_KEY = re.compile(r"(?:^|(?<= ))([A-Za-z][A-Za-z0-9_.\-]{0,63})=")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LABEL = re.compile(r"(\w+\d)Label")
_NAMES = ("vendor", "product", "version", "signature", "name", "severity")
_LONG = {
    "startTime": "start", "endTime": "end", "sourceAddress": "src", "sourceHostName": "shost", "deviceAction": "act",
    "sourceUserName": "suser", "destinationUserName": "duser", "destinationAddress": "dst", "message": "msg",
    "destinationHostName": "dhost", "deviceHostName": "dvchost", "deviceAddress": "dvc", "deviceReceiptTime": "rt",
}
"""Some writers use the names of the dictionary's right column."""


def syslog_front(text: str) -> dict[str, str]:
    """Time and host of the syslog header before a record, as `logged` and `logger`; both empty without one."""
    stamp, _, host = _PRIORITY.sub("", text).strip().rpartition(" ")
    return {"logged": stamp, "logger": host}


def parse(line: str) -> dict[str, str] | None:
    """The fields of an event: those in front by name, those behind by key, custom ones (`cs1`) by their label too, and
    the time and host of a syslog header before it as `logged` and `logger`. None for a line that is no event."""
    start = _START.search(line)
    if start is None:
        return None
    found = syslog_front(line[: start.start()])
    place = start.end()
    for name in _NAMES:
        match = _FRONT.match(line, place)
        if match is None:
            return None
        found[name] = _plain(match[1])
        place = match.end()
    behind = line[place:]
    keys = list(_KEY.finditer(behind))
    for key, after in zip(keys, [*keys[1:], None], strict=False):
        end = after.start() if after is not None else len(behind)
        found[_LONG.get(key[1], key[1])] = _plain(behind[key.end() : end].strip())
    for name in [name for name in found if (label := _LABEL.fullmatch(name)) and label[1] in found]:
        found.setdefault(found[name], found[name.removesuffix("Label")])
    return found


def _plain(text: str) -> str:
    """A value without escapes, and without the quotes that some writers put round it."""
    if len(text) > 1 and text[0] == text[-1] == "'":
        text = text[1:-1]
    return _ESCAPED.sub(lambda match: "\n" if match[1] == "n" else match[1], text) if "\\" in text else text
