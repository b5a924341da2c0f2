"""`flowmon parsers`: the formats in force, proving one, what becomes of a line, beginning a new one."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from flowmon import paths
from flowmon.commands import opening
from flowmon.commands.explaining import reading, sure
from flowmon.commands.output import clean, columns
from flowmon.commands.record_skeleton import record_skeleton
from flowmon.commands.skeleton import skeleton
from flowmon.errors import DiagnosisFileError, ParserFileError, SourceError
from flowmon.model.event import COMMON, Event
from flowmon.parsing.check import faults, knows_header, near
from flowmon.parsing.format import NAME, NAME_RULE, Format, load
from flowmon.parsing.reader import placed
from flowmon.parsing.wrapped import unwrap
from flowmon.sources import discover
from flowmon.tracking import own_rules

_RECORD = re.compile(r"\s*(?:\{|#Fields:|(?:<\d{1,3}>)?\w+=|.{0,80}\bCEF:\d)")
"""How a line of records begins; behind a header of another kind are texts, even if they are made of `key=value`."""
_NEEDED = 2_000
"""Lines of a log that are enough to begin a file from."""


def list_(config: Path | None = None) -> int:
    """The formats in force, with their files; then the files that were rejected, and why."""
    formats = opening.catalogue(opening.load_config(config))
    rows = [
        [f.name, f.spec.title, f.framing, str(len(f.spec.rule)),
         f"built in: {f.path}" if f.trusted else str(f.path)]
        for f in sorted(formats.formats.values(), key=lambda f: f.name)
    ]
    rows += [[clean(name), "", "python", "-", "an installed package"] for name in sorted(formats.plugins)]
    columns(["NAME", "TITLE", "FRAMING", "RULES", "FROM"], rows)
    for fault in formats.rejected:
        print(f"rejected: {clean(fault)}")
    return 0


def check(file: Path) -> int:
    """Prove a parser file, or one with diagnosis rules, by its samples: 0 when all hold, 1 with what is wrong."""
    if file.is_dir():
        raise ParserFileError(f"{file}: is a folder: name one of its files")
    if not file.is_file():
        raise ParserFileError(f"{file}: no such file; `flowmon parsers new NAME` begins one")
    if own_rules.is_one(file):
        return _check_diagnosis(file)
    try:
        format = load(file)
        wrong = faults(format)
    except ParserFileError as fault:
        wrong = [str(fault)]
    for one in wrong:
        print(clean(one))
    if wrong:
        return 1
    captured = {rule.name: rule.captures() for rule in format.rules}
    captured |= {rule.name: set(spec.fields) for rule, spec in format.records}
    columns(["RULE", "KIND", "SAMPLES", "CAPTURES"], [
        [rule.name, "set aside" if rule.ignore else rule.kind, str(len(rule.sample)),
         " ".join(sorted(captured.get(rule.name, ())))]
        for rule in format.spec.rule
    ])
    samples = sum(len(rule.sample) for rule in format.spec.rule)
    rules = _count(len(format.spec.rule), "rule")
    print(f"{file}: {format.name}: {rules}, {_count(samples, 'sample')}: all hold")
    builtin = _built_in(format.name)
    if builtin is not None and builtin.resolve() != file.resolve():
        print(f"It takes the place of the built-in format {format.name}, with all its rules ({builtin}): "
              "a `name` of its own lets both read")
    return 0


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _built_in(name: str) -> Path | None:
    """The file of the built-in format of this name; None where there is none."""
    file = paths.data_folder("parsers") / f"{name}.toml"
    return file if file.is_file() else None


def _check_diagnosis(file: Path) -> int:
    """Prove a file with diagnosis rules by its samples."""
    try:
        own = own_rules.load(file)
    except DiagnosisFileError as fault:
        print(clean(str(fault)))
        return 1
    samples = sum(len(rule.samples) for rule in own.rule)
    print(f"{file}: diagnosis: {len(own.rule)} rules, {samples} samples: all hold")
    return 0


def explain(line: str, config: Path | None = None) -> int:
    """What flowmon makes of one log line; `-` reads it from standard input."""
    if line == "-":
        line = sys.stdin.readline()
    line = line.rstrip("\r\n")
    formats = opening.catalogue(opening.load_config(config))
    found = reading(formats, line)
    if found is None:
        _say_why_not(line, list(reversed(formats.formats.values())))
        return 1
    format, events, name = found
    if (enclosed := unwrap(line)) is not None and not sure(format, line):
        line = enclosed.text.partition("\n")[0]
    certain = sure(format, line)
    if not certain and not events:
        print("no format takes it for sure: it shows nothing by which flowmon tells a log's format. In a log of which "
              "other lines do:")
    rule = next(rule for rule in format.spec.rule if rule.name == name)
    print(f"{format.name}, rule {rule.name!r} of {format.path}")
    if not events:
        print(f"  set aside: {rule.ignore}" if rule.ignore else "  makes no event")
    for event in events:
        _print_event(event)
    if not certain:
        print(f"  A log is {format.name}'s only if a line of it holds the format's `signature`; this one does not")
    return 0 if certain or events else 1


def _print_event(event: Event) -> None:
    print(f"  {type(event).__name__.lower()}")
    rows = [(name, getattr(event, name)) for name in event.__struct_fields__ if name not in ("position", "system")]
    for name, value in rows:
        if name == "at":
            value = datetime.fromtimestamp(value, UTC).isoformat(timespec="milliseconds")
        if value is not None or name not in COMMON:
            print(f"    {name:22} {'-' if value is None else repr(value) if value == '' else clean(str(value))}")


def _say_why_not(line: str, formats: list[Format]) -> None:
    known = [f for f in formats if knows_header(f, line)]
    if not known:
        print("no format takes it: no header that flowmon knows (syslog, or a format's own), or a program of none")
    for format in known:
        print(f"{format.name}: header and program are its own, but none of its {len(format.spec.rule)} rules fits")
        how_far = near(format, line)
        if how_far:
            print(f"  the nearest: {clean(how_far)}")
    print("To read such lines: `flowmon parsers new NAME` begins a parser file; docs/parsers.md has the grammar.")


def new(name: str, log: Path | None = None) -> int:
    """Begin a parser file of one's own in the configuration folder: from lines of a log, else from an example."""
    if not NAME.fullmatch(name):
        raise ParserFileError(f"{name!r} cannot name a format: {NAME_RULE}")
    if (builtin := _built_in(name)) is not None:
        raise ParserFileError(
            f"{name} is a built-in format, and a file of yours with this name would take the place of all its rules: "
            f"choose another name. To change the built-in one, copy {builtin} to {paths.config_folder() / 'parsers'}"
        )
    text = TEMPLATE.replace("NAME", name) if log is None else _from_lines(name, log)
    folder = paths.config_folder() / "parsers"
    file = folder / f"{name}.toml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise ParserFileError(f"{file}: is there already; edit it, or choose another name") from None
    except OSError as fault:
        raise ParserFileError(f"{file}: cannot be written: {fault.strerror}") from None
    told = "Put lines of your log into its samples" if log is None else "Say in its rules what the lines mean"
    print(f"{file}\n{told}, then prove it: flowmon parsers check {file}")
    return 0


def _from_lines(name: str, log: Path) -> str:
    """A skeleton made from the first lines of a log; - is standard input. Raises SourceError, ParserFileError."""
    lines = [enclosed.text if (enclosed := unwrap(line)) is not None and skeleton(name, [enclosed.text]) else line
             for line in _first_lines(log)]
    makers = (record_skeleton, skeleton) if lines and _RECORD.match(lines[0]) else (skeleton, record_skeleton)
    text = makers[0](name, lines) or makers[1](name, lines)
    if not text:
        raise ParserFileError(
            f"{log}: none of its lines has a header with a time that flowmon knows, and they are no records (CSV with "
            "commas under a row of names, a JSON object on each line, CEF, key=value) with a time in one of their "
            "columns; docs/parsers.md shows both"
        )
    return text


def _first_lines(log: Path) -> list[str]:
    """The first lines of a log, read as all logs are: also what is compressed, and no more than is needed."""
    found = discover([str(log)])
    if not found.streams:
        raise SourceError("; ".join(found.problems) or f"{log}: nothing to read")
    lines: list[str] = []
    stream = found.streams[0]
    while len(lines) < _NEEDED and (chunk := stream.read(final=True)) is not None:
        lines += [line.rstrip("\r") for line in placed(chunk.data, 0)[0]]
    if stream.error and not lines:
        raise SourceError(stream.error)
    return [line.removeprefix("\ufeff") for line in lines[:_NEEDED]]


TEMPLATE = """\
# What the lines of NAME mean. The grammar: docs/parsers.md. Prove it: flowmon parsers check FILE
name = "NAME"
framing = "syslog"
programs = ["NAME"]
id = '''(?P<queue_id>[0-9A-F]{8,16}): '''

[[rule]]
name = "delivered"
kind = "attempt"
starts = "to=<"
pattern = '''to=<(?P<recipient>[^>]*)>, relay=(?P<relay>[^,]+), status=(?P<status>\\w+) \\((?P<diagnostic>.*)\\)'''
map.status = { sent = "relayed", deferred = "deferred", "*" = "bounced" }
[[rule.sample]]
line = 'Nov 24 10:44:26 mx1 NAME[7]: 5ED29248: to=<kim@example.com>, relay=mx.example.com, status=sent (250 OK)'
expect = { queue_id = "5ED29248", recipient = "kim@example.com", status = "relayed", diagnostic = "250 OK" }

[[rule]]
name = "chatter"
ignore = "says nothing about a message"
id = false
pattern = "(?:starting|stopping).*"
[[rule.sample]]
line = 'Nov 24 10:44:26 mx1 NAME[7]: starting'
"""
"""A parser file that holds, to be changed. `NAME` stands for its name."""

__all__ = ["check", "explain", "list_", "new"]
