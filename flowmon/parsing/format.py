"""Formats: parser files, read and checked.

One TOML file describes one log format. Its grammar is in docs/parsers.md; what is wrong with a file is said with its
name, the rule and the remedy.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import msgspec

from flowmon import toml_file
from flowmon.errors import ParserFileError
from flowmon.model.event import KINDS, SERVICE
from flowmon.model.words import DeliveryStatus
from flowmon.parsing.converters import CONVERTERS
from flowmon.parsing.guarded import STRIKES, TIMEOUT_SECONDS, GuardedPattern
from flowmon.parsing.rules import Change, Rule, own_fields

_PART = re.compile(r"%\{(\w+)\}")

OTHERS = "*"
"""In a `map`: what all other texts mean."""

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}", re.ASCII)
"""What may be the name of a format."""
NAME_RULE = "use lower-case letters, digits and dashes"
FIXED = {
    "origin": ("smtp", "pickup", "mailbox", "report", "agent", SERVICE),
    "command": ("CONNECT", "EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "BDAT", "END-OF-MESSAGE", "VRFY",
                "ETRN"),
}
"""Fields whose words mean something to what reads the events: a constant must be one of them."""

Framing = Literal["syslog", "header", "csv", "json", "cef", "pairs"]
RECORDS: tuple[Framing, ...] = ("csv", "json", "cef", "pairs")


class SampleSpec(msgspec.Struct, forbid_unknown_fields=True):
    """A line and what must come of it."""

    line: str
    expect: dict[str, Any] | list[dict[str, Any]] = {}
    """Fields of an event of the rule's kind; others are not looked at. A list: of each event that the line makes, in
    their order, whose `kind` may be named too."""
    absent: list[str] = []
    """Fields that the line must not fill."""
    events: int = 1
    """How many events the line makes (records that list several recipients), where `expect` does not list them."""
    fields: str = ""
    """For csv: the `#Fields` of the line; the format's `columns` when empty."""


class RuleSpec(msgspec.Struct, forbid_unknown_fields=True):
    """One `[[rule]]`."""

    name: str
    kind: str = ""
    ignore: str = ""
    programs: list[str] = []
    starts: str | list[str] = ""
    id: bool = True
    pattern: str = ""
    set: dict[str, Any] = {}
    map: dict[str, dict[str, Any]] = {}
    convert: dict[str, str] = {}
    time: str = ""
    """Records: the column of the time that the rule tells of, where it is not the record's."""
    when: dict[str, str | list[str]] = {}
    """Records: what columns must hold, without regard to case; globs may stand in it."""
    unless: dict[str, str | list[str]] = {}
    """Records: what columns must not hold."""
    same: dict[str, str] = {}
    """Records: columns that must hold the same text."""
    fields: dict[str, str | list[str]] = {}
    """Records: event field to column, dotted path, template; of a list the first that is not empty."""
    host: str | list[str] = ""
    """Records: columns that name the host that wrote the row, when other than the format's."""
    each: str = ""
    """The field whose list makes one event per item: of records a list column, of lines a list separated by commas."""
    find: dict[str, dict[str, str]] = {}
    """Of a captured text, the word of the first pattern that is found in it."""
    differs_from: str = ""
    """Records: a list column; items of `each` that stand in it too make no event."""
    more: bool = False
    """The next rule that fits takes the line too."""
    sample: list[SampleSpec] = []


class CommonSpec(msgspec.Struct, forbid_unknown_fields=True):
    """What all rules of one kind share, for records; a rule's own entries come first, an empty one drops the field."""

    fields: dict[str, str | list[str]] = {}
    convert: dict[str, str] = {}


class FormatSpec(msgspec.Struct, forbid_unknown_fields=True):
    """One parser file."""

    name: str
    framing: Framing
    title: str = ""
    programs: list[str] = []
    id: str = ""
    header: str = ""
    columns: list[str] = []
    time: str | list[str] = ""
    """Records: the column of the time; of several the first that the log has."""
    zone: Literal["", "UTC"] = ""
    """The zone of times that name none, where the format is always in one."""
    host: str | list[str] = ""
    service: str = ""
    """Records: the host's name where neither the record nor the user names one: the export of a service."""
    within: list[str] = []
    """JSON: dotted paths at which an object holds the list of its records."""
    lists: list[str] = []
    """Columns that hold lists, separated by `;`: parallel to that of a rule's `each`."""
    log_type: str = ""
    """csv: what `#Log-type:` must say, where the file has such a line: several logs may have the same columns."""
    dialogue: tuple[str, str] | None = None
    """csv: the rows are lines of SMTP sessions; the signs in column `event` for a command and a reply."""
    common: dict[str, CommonSpec] = {}
    """By kind."""
    signature: str = ""
    """Header framing: what one of the first lines must hold for a log to be of this format."""
    continuation: str = ""
    """Header framing: what a line without header looks like that goes on with the record above it."""
    ends: bool = True
    """Rules of kind `ended` tell the end of every message; false: it is done when all its recipients are."""
    parts: dict[str, str] = {}
    """Pieces of patterns by name, for `%{name}` in patterns; one may name those above it."""
    rule: list[RuleSpec] = []
    foreign: list[str] = []
    """Lines that look like this format and are none of its rules' (samples that must stay unmatched)."""


class Format:
    """A parser file that passed: its rules compiled, its samples kept."""

    def __init__(self, spec: FormatSpec, path: Path, *, trusted: bool) -> None:
        self.spec = spec
        self.name = spec.name
        self.framing: Framing = spec.framing
        self.path = path
        self.trusted = trusted
        self._where = f"{path}"
        self._parts: dict[str, str] = {}
        self._finders: list[tuple[str, Any]] = []
        for name, part in spec.parts.items():
            self._parts[name] = self._filled(f"parts.{name}", part)
        if not NAME.fullmatch(spec.name):
            raise ParserFileError(f"{path}: `name` {spec.name!r} cannot name a format: {NAME_RULE}")
        self.rules: list[Rule] = []
        self.records: list[tuple[Rule, RuleSpec]] = []
        if not spec.rule:
            raise ParserFileError(f"{path}: no [[rule]]: a format without rules reads nothing")
        seen: set[str] = set()
        for kind in spec.common:
            if kind not in KINDS:
                raise ParserFileError(f"{path}: `common.{kind}`: unknown kind{near_words(kind, KINDS)}")
        for rule in spec.rule:
            if rule.kind in spec.common:
                _share(rule, spec.common[rule.kind])
            if rule.name in seen:
                raise ParserFileError(f"{path}: two rules named {rule.name!r}: give each its own name")
            seen.add(rule.name)
            self._add(rule)
        self.id_text = self._filled("id", spec.id)
        own_id = self._compile("id", spec.id) if spec.id else None
        self.id_pattern = own_id
        self.id_match = own_id.match if own_id else None
        self.id_groups = dict(own_id.groupindex) if own_id else {}
        self.header = self._compile("header", spec.header) if spec.header else None
        self.signature = self._compile("signature", spec.signature) if spec.signature else None
        self.continuation = self._compile("continuation", spec.continuation) if spec.continuation else None
        if spec.framing == "header" and (self.header is None or "time" not in self.header.groupindex):
            raise ParserFileError(f"{path}: framing \"header\" needs `header`, a pattern with a group named time")
        if spec.framing == "syslog" and not spec.programs:
            raise ParserFileError(f"{path}: framing \"syslog\" needs `programs`: the names that write such lines")

    def _compile(self, key: str, pattern: str) -> re.Pattern[str] | GuardedPattern:
        pattern = self._filled(key, pattern)
        try:
            return re.compile(pattern, re.ASCII) if self.trusted else GuardedPattern(pattern)
        except re.error as fault:
            raise ParserFileError(f"{self._where}: `{key}` is no regular expression: {fault}") from None

    def _filled(self, key: str, pattern: str) -> str:
        """A pattern with its parts in the place of their names."""
        def part(found: re.Match[str]) -> str:
            try:
                return self._parts[found[1]]
            except KeyError:
                near = near_words(found[1], self._parts)
                raise ParserFileError(f"{self._where}: `{key}`: no part {found[1]!r} before it{near}") from None

        return _PART.sub(part, pattern)

    def claims(self, program: str) -> bool:
        """Whether lines of this syslog program are this format's."""
        return any(fnmatchcase(program, glob) for glob in self.spec.programs)

    def _add(self, spec: RuleSpec) -> None:
        where = f"{self.path}: rule {spec.name!r}"
        if bool(spec.kind) == bool(spec.ignore):
            raise ParserFileError(f"{where}: give either `kind` (what it makes) or `ignore` (why it means nothing)")
        if not spec.sample:
            raise ParserFileError(f"{where}: no [[rule.sample]]: each rule needs a line that proves it")
        if spec.kind and spec.kind not in KINDS:
            raise ParserFileError(f"{where}: unknown kind {spec.kind!r}{near_words(spec.kind, KINDS)}")
        record = self.framing in RECORDS
        if record and (spec.pattern or spec.starts):
            raise ParserFileError(f"{where}: records are chosen by `when`, not by `starts` and `pattern`")
        if not record and (spec.when or spec.unless or spec.same or spec.fields or spec.host):
            raise ParserFileError(f"{where}: `when`, `fields` and their like are for csv, json, cef and pairs only")
        if record and spec.each and spec.each not in spec.fields:
            raise ParserFileError(f"{where}: `each` names {spec.each!r}, which `fields` does not fill")
        changes = self._changes(spec, where) if spec.kind else ()
        literals = spec.starts if isinstance(spec.starts, list) else [spec.starts]
        for literal in literals:
            rule = Rule(
                self.name, spec.name, programs=tuple(spec.programs), literal=literal,
                with_id=bool(self.spec.id) and spec.id,
                pattern=self._filled(f"pattern of rule {spec.name!r}", spec.pattern) or None,
                event=KINDS[spec.kind] if spec.kind else None, ignored=spec.ignore or None, changes=changes,
                trusted=self.trusted, each=spec.each, more=spec.more,
            )
            if record:
                self.records.append((rule, spec))
            else:
                self.rules.append(rule)

    def _changes(self, spec: RuleSpec, where: str) -> tuple[Change, ...]:
        names = own_fields(KINDS[spec.kind])
        changes: list[Change] = []
        for key, table in (("set", spec.set), ("map", spec.map), ("convert", spec.convert), ("find", spec.find)):
            for field in table:
                if field not in names:
                    near = near_words(field, names)
                    raise ParserFileError(f"{where}: `{key}.{field}`: {spec.kind} has no such field{near}")
        for field, converter in spec.convert.items():
            if converter not in CONVERTERS:
                raise ParserFileError(
                    f"{where}: `convert.{field}`: unknown converter {converter!r}{near_words(converter, CONVERTERS)}"
                )
            changes.append((names.index(field), CONVERTERS[converter], None))
        for field, values in spec.map.items():
            words = {k: _word(field, v, where) for k, v in values.items()}
            changes.append((names.index(field), words, words.pop(OTHERS, None)))
        for field, patterns in spec.find.items():
            found = {_word(field, word, where): pattern for word, pattern in patterns.items()}
            changes.append((names.index(field), self._finder(found, where), None))
        for field, value in spec.set.items():
            changes.append((names.index(field), None, _word(field, value, where)))
        return tuple(changes)

    def _finder(self, patterns: dict[Any, str], where: str) -> Callable[[str], Any]:
        """A converter: the word of the first pattern that stands anywhere in the text."""
        compiled = [(word, self._compile(f"find of {where}", pattern)) for word, pattern in patterns.items()]
        self._finders += [(f"`find` of {where.partition(': ')[2]}", pattern) for _, pattern in compiled]

        def found(text: str) -> Any:
            return next((word for word, pattern in compiled if pattern.search(text)), None)

        return found

    def check(self) -> None:
        """Compile every pattern and hold its captures against the fields of its kind. Raises ParserFileError."""
        for rule, spec in [*((r, self._spec(r)) for r in self.rules), *self.records]:
            where = f"{self.path}: rule {spec.name!r}"
            try:
                captured = rule.captures()
            except re.error as fault:
                raise ParserFileError(f"{where}: `pattern` is no regular expression: {fault}") from None
            if rule.event is None:
                continue
            known = {*own_fields(rule.event), "queue_id", "session"}
            named = {name for name in captured if not name.startswith("_")}
            for name in sorted((named | set(spec.fields)) - known):
                raise ParserFileError(f"{where}: {name!r} is no field of {spec.kind}{near_words(name, known)}")

    def switched_off(self) -> list[str]:
        """Patterns of a user's own that were switched off for taking too long too often, each with the remedy."""
        patterns = [(f"`{key}`", pattern) for key, pattern in (
            ("header", self.header), ("id", self.id_pattern), ("signature", self.signature),
            ("continuation", self.continuation),
        )]  # fmt: skip
        patterns += [(f"rule {rule.name!r}", rule.guarded) for rule in self.rules]
        patterns += self._finders
        return [
            f"{self.path}: {what}: its pattern is switched off: it took more than {TIMEOUT_SECONDS * 1000:.0f} ms for "
            f"{STRIKES} lines, and what it is for is not understood; let no part repeat what repeats, start again"
            for what, pattern in patterns if isinstance(pattern, GuardedPattern) and pattern.off
        ]

    def _spec(self, rule: Rule) -> RuleSpec:
        return next(spec for spec in self.spec.rule if spec.name == rule.name)


def _share(rule: RuleSpec, common: CommonSpec) -> None:
    """Give a rule what its kind shares."""
    rule.fields = {name: column for name, column in {**common.fields, **rule.fields}.items() if column}
    rule.convert = {**{name: by for name, by in common.convert.items() if name in rule.fields}, **rule.convert}


def _word(field: str, value: Any, where: str) -> Any:
    """A constant, as the word it must be."""
    if field in FIXED and value and value not in FIXED[field]:
        near = near_words(str(value), FIXED[field])
        raise ParserFileError(f"{where}: {field} {value!r} is none of the words that it may be{near}")
    if field != "status" or value is None or value == "":
        return value if value != "" or field != "status" else None
    try:
        return DeliveryStatus(value)
    except ValueError:
        words = [str(s) for s in DeliveryStatus]
        near = near_words(str(value), words)
        raise ParserFileError(f"{where}: status {value!r} is no word of mail flow{near}") from None


def near_words(word: str, known: Any) -> str:
    """The known word that was likely meant, else all of them."""
    names = sorted(map(str, known))
    close = get_close_matches(word, names, 1)
    return f" (did you mean {close[0]!r}?)" if close else f"; known: {', '.join(names)}"


def load(path: Path, *, trusted: bool = False) -> Format:
    """Read one parser file. Raises ParserFileError that names the file, the place and the remedy."""
    data = toml_file.read(path, ParserFileError)
    try:
        spec = msgspec.convert(data, FormatSpec)
    except msgspec.ValidationError as fault:
        from flowmon.parsing.wording import misfit

        raise ParserFileError(misfit(str(fault), data, path)) from None
    try:
        return Format(spec, path, trusted=trusted)
    except ParserFileError as fault:
        from flowmon.parsing.wording import with_line

        raise ParserFileError(with_line(str(fault), path)) from None
