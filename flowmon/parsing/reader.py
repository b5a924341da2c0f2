"""Framings: from the bytes of a log to time, host, program and body, line by line, and on to the rules.

Here are those of syslog: RFC 3164, RFC 5424 and ISO 8601 headers, mixed as they come, and of Postfix's own
maillog_file, which has the first form. Lines with a header of a format's own are in headed.py, CSV and JSON records in
records.py. Each reader belongs to one log and keeps what it needs from one line to the next.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from itertools import accumulate
from typing import Any

from flowmon.parsing.dispatch import Fold, ShortWays, Table
from flowmon.parsing.rules import LINE_CAP
from flowmon.parsing.seen import Seen
from flowmon.parsing.stamps import Stamps

SAMPLES_KEPT = 5
_HEAD_CACHE = 20_000
_ZONES = 40
"""More zones than there are on earth are not kept: hostile lines may name any."""
_REPEATED = re.compile(r"message repeated (\d{1,6}) times: \[ (.*)\]\Z", re.DOTALL)
_RFC5424 = re.compile(
    r"<\d{1,3}>1 (\S+) (\S+) (\S+) (\S+) \S+ (?:-|(?:\[(?:[^\]\"\\]|\"(?:[^\"\\]|\\.)*\"|\\.)*\])+) ?\ufeff? *"
)
_PROGRAM = re.compile(r"(\S+) ([^\[\s:]+)(?:\[(\d+)\])?:? ")
_LEVELLED = re.compile(
    r"(\S++) (?:auth|authpriv|cron|daemon|ftp|kern|local[0-7]|lpr|mail|news|security|syslog|user|uucp)"
    r"\.(?:alert|crit|debug|emerg|err|error|info|notice|panic|warn|warning) ([^\[\s:]++(?:\[\d+\])?): ", re.ASCII
)
"""BusyBox's syslogd puts facility and level between host and program."""
_OWN_TAG = re.compile(r"[\w./-]+\[\d+\]", re.ASCII)
_RELAYED = re.compile(
    r"(\S++) (?:(?P<rfc5424>1 )(?=\d{4}-\d\d-\d\dT)|(?=<\d{1,3}>|[A-Z][a-z]{2} [ \d]\d |\d{4}-\d\d-\d\d[T ]))", re.ASCII
)
"""A host before a header: a relay puts one of its own before what it does not understand."""
_FIRST = re.compile(r"\d{1,6} (?=<\d{1,3}>)|\ufeff", re.ASCII)
"""Octet counting of RFC 6587, which a receiver should have taken off, or the mark of UTF-8."""
_ID_TAG = re.compile(r"\[ID \d+ [\w.]+\] ")


_Entry = tuple[str, str | None, Table | None, ShortWays | None]
"""Host, session (process), the rules of the program (None for a foreign one), and their short ways."""


class Counters:
    """What a reader saw; only grows."""

    __slots__ = ("clipped", "foreign", "last_at", "lines", "samples", "unmatched")

    def __init__(self) -> None:
        self.lines = 0
        self.unmatched = 0
        """Lines of a known program that no rule matched, or that have no header of the framing."""
        self.foreign = 0
        """Lines of programs that no format claims."""
        self.clipped = 0
        """Lines that were cut, or not read, for their length."""
        self.last_at: float | None = None
        self.samples: deque[str] = deque(maxlen=SAMPLES_KEPT)
        """The last lines that no rule matched."""

    def miss(self, line: str) -> None:
        """Count a line that no rule matched, and keep it to show."""
        self.unmatched += 1
        self.samples.append(line[:500])


def placed(data: bytes, base: int, clipped: Counters | None = None) -> tuple[list[str], Iterable[int]]:
    """Lines of a chunk without their ends, and their positions (one more than lines); `base`: of the first byte.

    With `clipped` no line is longer than LINE_CAP, and those that were are counted there.
    """
    if data.isascii():
        lines = data.decode("ascii").split("\n")
        lengths = [len(line) + 1 for line in lines]
    else:
        raw = data.split(b"\n")
        lines = [line.decode("utf-8", "replace") for line in raw]
        lengths = [len(line) + 1 for line in raw]
    if not lines[-1]:
        lines.pop()
    if clipped is not None and max(lengths) > LINE_CAP + 1:
        _clip(lines, clipped)
    return lines, accumulate(lengths, initial=base)


def _clip(lines: list[str], counters: Counters) -> None:
    """Cut what no rule shall see off the lines that are too long: behind a blank, as half an address is another one."""
    for number, line in enumerate(lines):
        if len(line) > LINE_CAP:
            counters.clipped += 1
            lines[number] = line[: line.rfind(" ", 0, LINE_CAP) + 1] or line[:LINE_CAP]


class SyslogReader:
    """Lines with a syslog header. `tables` finds the rules of a program, None for a foreign one."""

    def __init__(self, tables: Any, hosts: Any, stamps: Stamps, host: str | None) -> None:
        self.counters = Counters()
        self._tables = tables
        self._hosts = hosts
        self._stamps = stamps
        self._host = host
        self._heads: dict[str, _Entry] = {}
        self._iso_heads: dict[str, _Entry] = {}
        """The same by zone and head, for the one zone of `_iso`."""
        self._iso_zones: dict[str, dict[str, _Entry]] = {}
        """Those of all zones."""
        self._prefix = self._iso = self._iso_zone = "-"
        self._prefix_at = self._iso_at = 0.0
        self._iso_head = ""
        """Zone and head of the line that was framed last, where the next line may begin so."""
        self.seen: dict[str, Seen] | None = None
        """Hosts that several logs tell of; None when every host has one log."""
        self.log = ""
        """Tells this log from the others in `seen`."""

    def hosts(self) -> set[str]:
        """Hosts whose lines were read, as far as a format claims them."""
        return {host for host, _, table, _ in self._heads.values() if table is not None}

    def feed(self, data: bytes, base: int, fold: Fold) -> None:  # noqa: C901 - a call more for each line costs a tenth
        """Read a chunk of whole lines; `base` is the position of its first byte."""
        counters = self.counters
        lines, positions = placed(data, base, counters)
        counters.lines += len(lines)
        heads, seen = self._heads, self.seen
        prefix, prefix_at = self._prefix, self._prefix_at
        iso, iso_at, iso_heads = self._iso, self._iso_at, self._iso_heads
        at, head = counters.last_at or 0.0, ""
        returns = b"\r" in data
        for line, here in zip(lines, positions, strict=False):
            # what most lines share with the one before: the second
            entry = None
            if line[:15] == prefix:
                colon = line.find(": ", 16)
                if colon > 0:
                    at, body = prefix_at, colon + 2
                    entry = heads.get(line[16:colon])
            elif line[:20] == iso:
                micros = line[20:26]
                colon = line.find(": ", 26)
                if colon > 0 and micros.isdecimal():
                    at, body = iso_at + int(micros) / 1e6, colon + 2
                    entry = iso_heads.get(line[26:colon])
            if entry is None or (returns and line[-1:] == "\r"):
                line = line.rstrip("\r")
                self._iso_head = ""
                framed = self._frame(line)
                if framed is None:
                    if line:
                        counters.miss(line)
                    continue
                at, body, head = framed
                prefix, prefix_at = self._prefix, self._prefix_at
                iso, iso_at, iso_heads = self._iso, self._iso_at, self._iso_heads
                entry = heads.get(head) or self._entry(head)
                if self._iso_head:
                    iso_heads[self._iso_head] = entry
            host, session, table, short = entry
            if table is None:
                counters.foreign += 1
                continue
            if short is not None and seen is None:
                length, plain, likely = short
                told = plain.get(line[body : body + length])
                if told is None:
                    way = likely.get(line[-1:])
                    if way is not None:
                        match = way[0](line, body)
                        if match is not None:
                            way[1](match, at, host, None, session, here, fold)
                            continue
                elif told:
                    literal, build = told
                    if line.startswith(literal, body):
                        if build is not None:
                            build(None, at, host, None, session, here, fold)
                        continue
            if seen is not None and host in seen and seen[host].again(self.log, at, session, line[body:]):
                continue
            if not table.feed(line, body, at, host, session, here, fold) and not self._again(
                line, body, at, entry, here, fold
            ):
                counters.miss(line)
        counters.last_at = at or None

    def body_of(self, line: str) -> int | None:
        """Where the text after the header begins; None without a header of this framing."""
        framed = self._frame(line)
        return framed[1] if framed is not None else None

    def _frame(self, line: str, *, relayed: bool = False) -> tuple[float, int, str] | None:
        """Time, start of the body, and the head `host program[pid]`; None without a syslog header.

        `relayed`: what stood before the header was taken off.
        """
        start = 0
        if line[:1] == "<":
            match = _RFC5424.match(line)
            if match is not None:
                stamp = self._stamps.iso(match.group(1))
                if stamp is None:
                    return None
                host, program, pid = match.group(2), match.group(3), match.group(4)
                return stamp[0], match.end(), f"{host} {program}" if pid == "-" else f"{host} {program}[{pid}]"
            start = line.find(">", 0, 6) + 1
        stamp = self._stamps.any(line, start)
        if stamp is None or line[stamp[1] : stamp[1] + 1] != " ":
            counted = _FIRST.match(line) if not relayed else None
            return self._behind(line, counted.end(), "") if counted is not None else None
        at, end = stamp
        match = _PROGRAM.match(line, end + 1)
        if match is None or line[match.end() - 2] not in "]:" or match.group(1)[-1] == ":":
            return self._unusual(line, at, end + 1, relayed=relayed)
        tag = _ID_TAG.match(line, match.end())
        if start == 0 and tag is None:
            self._remember(line, at, end, match.end())
        return at, tag.end() if tag else match.end(), line[end + 1 : match.end()].rstrip(": ")

    def _unusual(self, line: str, at: float, start: int, *, relayed: bool) -> tuple[float, int, str] | None:
        """The same for a line whose time is followed by something else than host and program."""
        levelled = _LEVELLED.match(line, start)
        if levelled is not None:
            return at, levelled.end(), f"{levelled.group(1)} {levelled.group(2)}"
        outer = _RELAYED.match(line, start) if not relayed else None
        inner = None
        if outer is not None:
            inner = self._behind(line, outer.end(), outer.group(1), rfc5424=outer["rfc5424"] is not None)
        return inner or self._without_host(line, at, start)

    def _behind(
        self, line: str, start: int, relay: str, *, rfc5424: bool = False
    ) -> tuple[float, int, str] | None:
        """The same for a line whose own header begins at `start`; it is of the relay where that names no host."""
        priority = "<22>1 " if rfc5424 else ""
        found = self._frame(priority + line[start:], relayed=True)
        if found is None:
            return None
        at, body, head = found
        return at, body + start - len(priority), head if " " in head or not relay else f"{relay} {head}"

    def _without_host(self, line: str, at: float, start: int) -> tuple[float, int, str] | None:
        """The same for a line that names no host, as appliances send them: with a process, or of a program that a
        format claims."""
        colon = line.find(": ", start)
        tag = line[start:colon]
        if colon < 0 or " " in tag:
            return None
        if self._tables.table(tag.partition("[")[0]) is None and _OWN_TAG.fullmatch(tag) is None:
            return None
        return at, colon + 2, tag

    def _remember(self, line: str, at: float, end: int, body: int) -> None:
        """Keep what the next line of the same second is likely to share."""
        if end == 15:
            self._prefix, self._prefix_at = line[:15], at
        elif line[19:20] == "." and end > 26 and line[26] in "+-Z":
            if line[26:end] != self._iso_zone:
                if len(self._iso_zones) > _ZONES:
                    self._iso_zones.clear()
                self._iso_zone = line[26:end]
                self._iso_heads = self._iso_zones.setdefault(self._iso_zone, {})
            self._iso, self._iso_at = line[:20], at - float(line[19:26])
            self._iso_head = line[26 : body - 2] if line[body - 2 : body] == ": " else ""

    def _entry(self, head: str) -> _Entry:
        raw_host, _, tag = head.rpartition(" ")
        if not raw_host:
            raw_host = self._host or ""
        program, bracket, pid = tag.partition("[")
        if len(self._heads) > _HEAD_CACHE:
            self._heads.clear()
            for heads in self._iso_zones.values():
                heads.clear()
        table = self._tables.table(program)
        short = table.short if table is not None else None
        entry = self._heads[head] = (self._hosts.name(raw_host), pid.rstrip("]") if bracket else None, table, short)
        return entry

    def _again(
        self, line: str, body: int, at: float, entry: _Entry, here: int, fold: Fold
    ) -> bool:
        """A line that stands for several: `message repeated N times: [ ... ]`."""
        match = _REPEATED.match(line, body)
        table = entry[2]
        if match is None or table is None:
            return False
        inner = match.group(2).rstrip()
        done = False
        for _ in range(min(int(match.group(1)), 1000)):
            done = table.feed(inner, 0, at, entry[0], entry[1], here, fold)
        return done


__all__ = ["Counters", "SyslogReader", "placed"]
