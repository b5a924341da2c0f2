"""`flowmon parsers coverage`: how much of a log is understood, what is set aside, and what the rest looks like."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from flowmon.commands import opening
from flowmon.commands.output import clean
from flowmon.errors import SourceError
from flowmon.model.event import Event
from flowmon.parsing.catalogue import RECOGNISE_BYTES, Catalogue
from flowmon.sources import Stream, discover
from flowmon.tracking.names import HostNames

Form = Literal["text", "json"]
SHAPES = 10
"""The most frequent shapes that are told."""
_MOST_SHAPES = 20_000
"""So many different shapes are told apart: what comes after is counted alone."""

_VARIABLE = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"), "TIME"),
    (re.compile(r"<?[^\s<>\"=,;:()\[\]]+@[^\s<>\"=,;:()\[\]]+>?"), "ADDRESS"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b|\b[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){3,7}\b"), "IP"),
    (re.compile(r"\"[^\"]*\""), '"…"'),
    (re.compile(r"\b(?=\w*\d)[0-9A-Za-z]{8,}\b"), "ID"),
    (re.compile(r"\d+"), "N"),
)
"""What differs from line to line of one shape, in this order."""


def shape(line: str) -> str:
    """A line without what differs from line to line: times, addresses, ids, numbers, quoted texts."""
    text = line[:400]
    for pattern, word in _VARIABLE:
        text = pattern.sub(word, text)
    return text[:200]


@dataclass
class Coverage:
    """What became of the lines of one log."""

    path: str
    format: str | None = None
    """Name of the format; None where none fits, and then all lines are unmatched."""
    matched: int = 0
    """Lines of which a rule made something."""
    ignored: int = 0
    """Lines that a rule sets aside, or of programs that no format reads."""
    unmatched: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)

    def miss(self, line: str) -> None:
        """Note the shape of a line that no rule takes."""
        found = shape(line)
        if found in self.shapes or len(self.shapes) < _MOST_SHAPES:
            self.shapes[found] += 1
            self.samples.setdefault(found, line)

    def as_json(self) -> dict[str, Any]:
        """As `--format json` prints it."""
        common = self.shapes.most_common(SHAPES)
        top = [{"shape": one, "count": count, "sample": self.samples[one]} for one, count in common]
        return {
            "path": self.path, "format": self.format, "matched": self.matched, "ignored": self.ignored,
            "unmatched": self.unmatched, "events": dict(self.kinds.most_common()), "shapes": top,
        }


def run(path: str, config: Path | None = None, form: Form = "text") -> int:
    """Measure a log, or the logs below a folder: 0 where anything was understood, else 1."""
    settings = opening.load_config(config)
    formats = opening.catalogue(settings)
    found = discover([path])
    for problem in found.problems:
        opening.tell(problem)
    if not found.streams:
        raise SourceError("; ".join(found.problems) or f"{path}: nothing to read")
    names = HostNames(settings, this_host="localhost")
    understood = False
    for stream in found.streams:
        measured = measure(stream, formats, names)
        understood = understood or measured.matched > 0
        if form == "json":
            print(msgspec.json.encode(measured.as_json()).decode())
        else:
            _print(measured)
    return 0 if understood else 1


def measure(stream: Stream, formats: Catalogue, names: HostNames) -> Coverage:
    """Read a log line by line, and count what becomes of each."""
    chunk = stream.read(final=True)
    found = Coverage(stream.path)
    if chunk is None:
        return found
    found.path = chunk.path
    recognised = formats.reader(chunk.data[:RECOGNISE_BYTES], hosts=names, host="localhost", zone=None)
    events = 0

    def count(event: Event) -> None:
        nonlocal events
        events += 1
        found.kinds[type(event).__name__.lower()] += 1

    while chunk is not None:
        at = chunk.offset
        for line in chunk.data.splitlines(keepends=True):
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if recognised is None:
                found.unmatched += 1
                found.miss(text)
                continue
            found.format, reader = recognised
            counters, before = reader.counters, events
            missed, strange = counters.unmatched, counters.foreign
            reader.feed(line, at, count)
            at += len(line)
            if counters.unmatched > missed:
                found.miss(text)
            elif events == before or counters.foreign > strange:
                found.ignored += 1
        chunk = stream.read(final=True)
    if recognised is not None:
        counters = recognised[1].counters
        found.unmatched = counters.unmatched
        found.matched = max(counters.lines - counters.unmatched - found.ignored, 0)
    return found


def _print(found: Coverage) -> None:
    lines = found.matched + found.ignored + found.unmatched
    path = clean(found.path)
    if not lines:
        print(f"{path}: empty, or not readable")
        return
    if found.format is None:
        print(f"{path}: no format fits its lines")
    else:
        own = found.matched + found.unmatched
        share = found.matched / own if own else 1.0
        print(f"{path}: {found.format}: {share:.2%} of {own} lines understood, {found.ignored} set aside")
    if found.kinds:
        print("  " + ", ".join(f"{count} {kind}" for kind, count in found.kinds.most_common()))
    if found.unmatched:
        print(f"  not understood: {found.unmatched} lines; the most frequent shapes, each with a line:")
        for one, count in found.shapes.most_common(SHAPES):
            print(f"  {count:>7}  {clean(one)}")
            print(f"           {clean(found.samples[one][:300])}")
