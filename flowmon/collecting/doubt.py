"""Doubt: a log of which its format understands no line any more may be another format's."""

from __future__ import annotations

from typing import NamedTuple

from flowmon.parsing.reader import Counters
from flowmon.sources import Chunk

_LINES = 20
"""So many lines in a row raise a doubt; twice as many after each that changed nothing."""
_BYTES = 262_144
"""Of the lines that are held."""


class Counts(NamedTuple):
    """How many lines were read, not understood, and of programs that no format claims."""

    lines: int
    unmatched: int
    foreign: int

    @classmethod
    def of(cls, counters: Counters) -> Counts:
        return cls(counters.lines, counters.unmatched, counters.foreign)

    def plus(self, other: Counts) -> Counts:
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))

    def minus(self, other: Counts) -> Counts:
        return Counts(*(a - b for a, b in zip(self, other, strict=True)))


_NONE = Counts(0, 0, 0)


class Doubt:
    """Holds the lines of one log since the last that was understood."""

    def __init__(self) -> None:
        self.held: list[Chunk] = []
        self.counts = _NONE
        """Of the lines that are held."""
        self._needed = _LINES

    def raised(self, chunk: Chunk, counted: Counts) -> bool:
        """Note a chunk that was read and what was counted of it; whether so much was not understood that it is time
        to ask again which format this is."""
        fruitless = counted.unmatched > 0 and counted.unmatched + counted.foreign >= counted.lines
        last = self.held[-1] if self.held else None
        if last is not None and not (
            fruitless and last.path == chunk.path and last.offset + len(last.data) == chunk.offset
            and sum(len(one.data) for one in self.held) + len(chunk.data) <= _BYTES
        ):
            self.held, self.counts = [], _NONE
        if not fruitless:
            return False
        self.held.append(chunk)
        self.counts = self.counts.plus(counted)
        if self.counts.lines < self._needed:
            return False
        self._needed *= 2
        return True

    def lines(self) -> Chunk:
        """The lines that are held, as one chunk."""
        first = self.held[0]
        return Chunk(first.path, first.file, first.offset, b"".join(one.data for one in self.held))
