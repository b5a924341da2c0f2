"""`flowmon parsers coverage`: how much of a log is understood, what is set aside, and what the rest looks like."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from flowmon.commands import opening
from flowmon.commands.output import clean, cut
from flowmon.errors import SourceError
from flowmon.model.event import Event
from flowmon.parsing.catalogue import RECOGNISE_BYTES, Catalogue, LineReader
from flowmon.parsing.headed import HeaderReader
from flowmon.parsing.reader import SyslogReader
from flowmon.parsing.records import RecordReader
from flowmon.sources import Stream, discover
from flowmon.tracking.names import HostNames

Form = Literal["text", "json"]
SHAPES = 10
"""The most frequent shapes that are told."""
ASIDE = 3
"""The same, of lines that are set aside."""
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
    text = cut(line, 400)
    for pattern, word in _VARIABLE:
        text = pattern.sub(word, text)
    return cut(text, 200)


@dataclass
class Coverage:
    """What became of the lines of one log."""

    path: str
    format: str | None = None
    """Name of the format; None where none fits, and then all lines are unmatched."""
    matched: int = 0
    """Lines of which a rule made something."""
    ignored: int = 0
    """Lines that a rule sets aside."""
    foreign: int = 0
    """Lines of programs that no format reads."""
    unmatched: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)
    aside: Counter[str] = field(default_factory=Counter)
    """Shapes of the first lines that a rule sets aside."""
    programs: Counter[str] = field(default_factory=Counter)
    """Of the lines that no format reads."""
    error: str | None = None
    """Why it could not be read, or not to its end."""
    clipped: int = 0
    """Lines that were too long to be read to their end."""
    last_miss: str = ""

    @property
    def lines(self) -> int:
        """Those that say something: not what names columns."""
        return self.matched + self.ignored + self.foreign + self.unmatched

    def miss(self, line: str) -> None:
        """Note the shape of a line that no rule takes."""
        self.last_miss = found = shape(line)
        if found in self.shapes or len(self.shapes) < _MOST_SHAPES:
            self.shapes[found] += 1
            self.samples.setdefault(found, line)

    def unmiss(self) -> None:
        """The last line that was missed was the begin of a record, as is seen now."""
        self.shapes -= Counter([self.last_miss])

    def set_aside(self, line: str) -> None:
        """Count a line that a rule sets aside, and note the shape of the first ones."""
        self.ignored += 1
        if self.ignored <= _MOST_SHAPES:
            self.aside[shape(line)] += 1

    def as_json(self) -> dict[str, Any]:
        """As `--format json` prints it."""
        common = self.shapes.most_common(SHAPES)
        top = [{"shape": one, "count": count, "sample": self.samples[one]} for one, count in common]
        return {
            "path": self.path, "format": self.format, "matched": self.matched, "ignored": self.ignored,
            "foreign": self.foreign, "unmatched": self.unmatched, "clipped": self.clipped,
            "events": dict(self.kinds.most_common()), "shapes": top, "error": self.error,
        }


def run(*paths: str, config: Path | None = None, form: Form = "text") -> int:
    """Measure logs, and those below folders: 0 where anything was understood, else 1.

    Raises SourceError when nothing can be read.
    """
    settings = opening.load_config(config)
    formats = opening.catalogue(settings)
    found = discover([*paths])
    if not found.streams:
        raise SourceError("; ".join(found.problems) or f"{', '.join(paths)}: nothing to read")
    for problem in found.problems:
        opening.tell(problem)
    names = HostNames(settings, this_host="localhost")
    read = failed = understood = False
    for stream in found.streams:
        measured = measure(stream, formats, names)
        read = read or measured.lines > 0
        failed = failed or measured.error is not None
        understood = understood or measured.matched > 0
        if measured.error and measured.error not in found.problems:
            opening.tell(measured.error)
        for told in formats.switched_off():
            opening.tell(told)
        if form == "json":
            print(msgspec.json.encode(measured.as_json()).decode())
        else:
            _print(measured)
    if failed and not read:
        raise SourceError("no log could be read: nothing to tell")
    return 0 if understood else 1


def measure(stream: Stream, formats: Catalogue, names: HostNames) -> Coverage:
    """Read a log line by line, and count what becomes of each."""
    chunk = stream.read(final=True)
    found = Coverage(stream.path, error=stream.error)
    if chunk is None:
        return found
    found.path = chunk.path
    recognised = formats.reader(chunk.data[:RECOGNISE_BYTES], hosts=names, host="localhost", zone=None)
    reader = recognised[1] if recognised is not None else None
    if recognised is not None:
        found.format = recognised[0]
    if isinstance(reader, HeaderReader):
        reader.be_sure()
    while chunk is not None:
        at = chunk.offset
        for line in chunk.data.split(b"\n"):
            if reader is not None and line:
                _feed(found, reader, line, at)
            elif line:
                found.unmatched += 1
                found.miss(_text(line))
            at += len(line) + 1
        chunk = stream.read(final=True)
    found.error = stream.error or stream.notice
    if reader is not None:
        found.unmatched, found.clipped = reader.counters.unmatched, reader.counters.clipped
    return found


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r")


def _feed(found: Coverage, reader: LineReader, line: bytes, at: int) -> None:
    """Have one line read, and count what became of it."""
    counters, text, made = reader.counters, _text(line), 0
    lines, missed, strange = counters.lines, counters.unmatched, counters.foreign

    def count(event: Event) -> None:
        nonlocal made
        made += 1
        found.kinds[type(event).__name__.lower()] += 1

    reader.feed(line + b"\n", at, count)
    if counters.unmatched > missed:
        found.miss(text)
        return
    if counters.unmatched < missed:
        found.unmiss()
    names_columns = isinstance(reader, RecordReader) and (text[:1] == "#" or not reader.taken)
    if made:
        found.matched += 1
    elif counters.foreign > strange:
        found.foreign += 1
        found.programs[_program(reader, text)] += 1
    elif counters.lines > lines and text.strip() and not names_columns:
        found.set_aside(text)


def _program(reader: LineReader, line: str) -> str:
    """The program that a syslog header names."""
    body = reader.body_of(line) if isinstance(reader, SyslogReader) else None
    words = line[:body].split() if body else []
    return words[-1].rstrip(":").partition("[")[0] if words else "?"


def _print(found: Coverage) -> None:
    path = clean(found.path)
    if not found.lines:
        if found.error is None:
            print(f"{path}: nothing to read in it")
        return
    if found.format is None:
        print(f"{path}: no format fits its lines")
    else:
        own = found.matched + found.unmatched
        told = f"{found.matched / own:.2%} of {_lines(own)} understood" if own else "no line tells of mail"
        left = [f"{_lines(found.ignored)} set aside by a rule"] if found.ignored else []
        left += [f"{_lines(found.foreign)} of programs that no format reads"] if found.foreign else []
        print(f"{path}: {found.format}: {told}" + (f"; not counted in: {', '.join(left)}" if left else ""))
    if found.kinds:
        print("  " + ", ".join(f"{count} {kind}" for kind, count in found.kinds.most_common()))
    if found.clipped:
        print(f"  too long to be read to the end: {_lines(found.clipped)}")
    if found.aside:
        some = f" (of the first {_MOST_SHAPES:,})" if found.ignored > _MOST_SHAPES else ""
        print(f"  set aside as saying nothing about a message{some}, the most frequent shapes:")
        for one, count in found.aside.most_common(ASIDE):
            print(f"  {count:>7}  {clean(one)}")
    if found.programs:
        programs = ", ".join(f"{clean(name)} {count}" for name, count in found.programs.most_common(SHAPES))
        print(f"  programs that no format reads: {programs}")
    if found.unmatched:
        print(f"  not understood: {_lines(found.unmatched)}; the most frequent shapes, each with a line:")
        for one, count in found.shapes.most_common(SHAPES):
            print(f"  {count:>7}  {clean(one)}")
            print(f"           {cut(clean(found.samples[one]), 300)}")


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"
