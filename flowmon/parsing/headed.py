"""A framing: lines with a header of a format's own, a pattern that names the time."""

from __future__ import annotations

from typing import Any

from flowmon.parsing.dispatch import Fold, Table
from flowmon.parsing.format import Format
from flowmon.parsing.reader import Counters, placed
from flowmon.parsing.rules import LINE_CAP
from flowmon.parsing.stamps import Stamps


class HeaderReader:
    """Lines with a program's own header: a pattern of the format that names time and, where it has them, more.

    Until the format's signature has been seen (`sure`: no need to), every line counts as not understood: logs of other
    programs may have the same header.
    """

    def __init__(
        self, format: Format, table: Table, hosts: Any, stamps: Stamps, host: str, *, sure: bool = False
    ) -> None:
        if format.header is None:
            raise ValueError(f"{format.name} has no header pattern")
        self.counters = Counters()
        self._format = format
        self._take = table.quickly
        self._stamps = stamps
        self._host = hosts.name(host)
        self._hosts = hosts
        self._match = format.header.match
        groups = format.header.groupindex
        self._time = groups["time"]
        self._names_host, self._names_session = "host" in groups, "session" in groups
        self._last: str | None = None
        """The stamp of the line before."""
        self._last_at = 0.0
        self._continues = format.continuation.match if format.continuation else None
        self._in_record = False
        self._signature = format.signature if not sure else None
        self._doubted = 0
        """Lines that count as not understood only because the signature has not been seen."""

    def feed(self, data: bytes, base: int, fold: Fold) -> None:
        """Read a chunk of whole lines; `base` is the position of its first byte."""
        counters = self.counters
        lines, positions = placed(data, base, counters)
        counters.lines += len(lines)
        for line, here in zip(lines, positions, strict=False):
            if line[-1:] == "\r":
                line = line[:-1]
            understood = self._line(line, here, fold)
            if not understood:
                counters.miss(line)
            if self._signature is not None:
                self._doubt(line, understood)

    def be_sure(self) -> None:
        """The log is of this format: no line is in doubt any more."""
        self._signature = None
        self.counters.unmatched -= self._doubted
        self._doubted = 0

    def _line(self, line: str, here: int, fold: Fold) -> bool:
        match = self._match(line)
        at = self._at(match[self._time]) if match is not None else None
        if match is None or at is None:
            return not line or (self._in_record and self._continues is not None and bool(self._continues(line)))
        self._in_record = True
        self.counters.last_at = at
        host = self._hosts.name(match["host"]) if self._names_host else self._host
        session = match["session"] if self._names_session else None
        return self._take(line, match.end(), at, host, session, here, fold)

    def _at(self, text: str) -> float | None:
        """The instant of a stamp: most lines have that of the one before."""
        if text != self._last:
            stamp = self._stamps.any(text)
            if stamp is None:
                return None
            self._last, self._last_at = text, stamp[0]
        return self._last_at

    def body_of(self, line: str) -> int | None:
        """Where the text after the header begins; None without a header of this framing."""
        match = self._match(line)
        return match.end() if match is not None and self._stamps.any(match.group("time")) is not None else None

    def _doubt(self, line: str, understood: bool) -> None:
        if self._signature is not None and self._signature.search(line[:LINE_CAP]) is not None:
            self._signature = None
            self.counters.unmatched -= self._doubted
        elif understood:
            self._doubted += 1
            self.counters.unmatched += 1


__all__ = ["HeaderReader"]
