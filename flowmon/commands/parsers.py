"""`flowmon parsers`: the formats in force, proving one, what becomes of a line, beginning a new one."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from flowmon import paths
from flowmon.commands import opening
from flowmon.commands.explaining import reading
from flowmon.commands.output import clean, columns
from flowmon.commands.skeleton import skeleton
from flowmon.errors import DiagnosisFileError, ParserFileError, SourceError
from flowmon.model.event import COMMON, Event
from flowmon.parsing.check import faults, knows_header, near
from flowmon.parsing.format import Format, load
from flowmon.tracking import own_rules

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}", re.ASCII)


def list_(config: Path | None = None) -> int:
    """The formats in force, with their files; then the files that were rejected, and why."""
    formats = opening.catalogue(opening.load_config(config))
    rows = [
        [f.name, f.spec.title, f.framing, str(len(f.spec.rule)), "built in" if f.trusted else str(f.path)]
        for f in sorted(formats.formats.values(), key=lambda f: f.name)
    ]
    rows += [[clean(name), "", "python", "-", "an installed package"] for name in sorted(formats.plugins)]
    columns(["NAME", "TITLE", "FRAMING", "RULES", "FROM"], rows)
    for fault in formats.rejected:
        print(f"rejected: {clean(fault)}")
    return 0


def check(file: Path) -> int:
    """Prove a parser file, or one with diagnosis rules, by its samples: 0 when all hold, 1 with what is wrong."""
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
    columns(["RULE", "KIND", "SAMPLES", "CAPTURES"], [
        [rule.name, "set aside" if rule.ignore else rule.kind, str(len(rule.sample)),
         " ".join(sorted(captured.get(rule.name, ())))]
        for rule in format.spec.rule
    ])
    samples = sum(len(rule.sample) for rule in format.spec.rule)
    print(f"{file}: {format.name}: {len(format.spec.rule)} rules, {samples} samples: all hold")
    return 0


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
    rule = next(rule for rule in format.spec.rule if rule.name == name)
    print(f"{format.name}, rule {rule.name!r} of {format.path}")
    if not events:
        print(f"  set aside: {rule.ignore}" if rule.ignore else "  makes no event")
    for event in events:
        _print_event(event)
    return 0


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
    if not _NAME.fullmatch(name):
        raise ParserFileError(f"{name!r} cannot name a format: use lower-case letters, digits and dashes")
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
    """A skeleton made from the lines of a log; - is standard input. Raises SourceError, ParserFileError."""
    try:
        lines = sys.stdin.readlines() if str(log) == "-" else log.read_text("utf-8", "replace").splitlines()
    except OSError as fault:
        raise SourceError(f"{log}: cannot be read: {fault.strerror}") from None
    text = skeleton(name, lines)
    if not text:
        raise ParserFileError(f"{log}: none of its lines has a header with a time that flowmon knows; docs/parsers.md "
                              "shows how records (CSV, JSON) are described")
    return text


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
