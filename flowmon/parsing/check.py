"""Proving a format by its samples: each line must be taken by its own rule, and give what it expects."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from math import inf
from typing import Any

import msgspec

from flowmon.errors import ParserFileError
from flowmon.model.event import KINDS, Event
from flowmon.model.words import DeliveryStatus
from flowmon.parsing.columns import unknown_columns
from flowmon.parsing.dispatch import Table
from flowmon.parsing.format import RECORDS, Format, RuleSpec, SampleSpec, near_words
from flowmon.parsing.guarded import GuardedPattern
from flowmon.parsing.headed import HeaderReader
from flowmon.parsing.hostile import Hostile, best, cpu_seconds, too_slow
from flowmon.parsing.nearest import nearest, own_rule
from flowmon.parsing.reader import SyslogReader
from flowmon.parsing.records import RecordReader
from flowmon.parsing.rules import Rule
from flowmon.parsing.stamps import Stamps
from flowmon.parsing.wording import with_line

REFERENCE = 1_796_000_000.0
"""Epoch time near which samples without a year stand: November 2026."""
SLOW_SECONDS = 0.05
"""What a pattern may take for the worst line, of the processor: what it takes longer holds up the reading."""


class _OneHost:
    def name(self, raw: str) -> str:
        return raw.partition(".")[0].lower()


class _OneFormat:
    def __init__(self, format: Format) -> None:
        self._format = format

    def table(self, program: str) -> Table | None:
        if not self._format.claims(program):
            return None
        _, slash, last = program.rpartition("/")
        bare = "/" in "".join(self._format.spec.programs)
        return Table(self._format, last if slash else (None if bare else program))


class Watch:
    """Notes which rules take a line, by standing in for their `match` while it is open."""

    def __init__(self, rules: list[Rule]) -> None:
        self.taken: list[str] = []
        self._rules = rules
        self._kept: list[tuple[Any, bool, bool]] = []

    def __enter__(self) -> Watch:
        for rule in self._rules:
            rule.prepare()
            self._kept.append((rule.match, rule.bare, rule.quick))
            self._stand_in(rule)
        return self

    def __exit__(self, *_: object) -> None:
        for rule, kept in zip(self._rules, self._kept, strict=True):
            rule.match, rule.bare, rule.quick = kept

    def _stand_in(self, rule: Rule) -> None:
        match = rule.match

        def watched(line: str, start: int) -> Any:
            found = match(line, start)
            if found is not None:
                self.taken.append(rule.name)
            return found

        rule.match, rule.bare, rule.quick = watched, False, False


def _reader(format: Format, line: str, reference: float = REFERENCE) -> Any:
    stamps = Stamps(None, reference)
    by_syslog = format.header is not None and format.spec.programs and format.header.match(line) is None
    if format.framing == "syslog" or by_syslog:
        return SyslogReader(_OneFormat(format), _OneHost(), stamps, "sample")
    if format.framing == "header":
        return HeaderReader(format, Table(format, None), _OneHost(), stamps, "sample", sure=True)
    return RecordReader(format, _OneHost(), stamps, "sample")


def read_one(
    format: Format, line: str, fields: str = "", *, reference: float = REFERENCE
) -> tuple[list[Event], list[str], bool]:
    """Events of one line, names of the rules that matched it (the first took it), and whether it was understood.

    `reference` is the epoch time near which a line without a year stands.
    """
    reader = _reader(format, line, reference)
    events: list[Event] = []
    if format.framing == "csv":
        columns = fields or ",".join(format.spec.columns)
        if columns:
            reader.feed(f"#Fields: {columns}\n".encode(), 0, events.append)
    with Watch(format.rules) as watch:
        reader.feed(line.encode("utf-8") + b"\n", 0, events.append)
    taken = watch.taken or list(getattr(reader, "taken", ()))
    return events, taken, not reader.counters.unmatched and not reader.counters.foreign


def knows_header(format: Format, line: str) -> bool:
    """Whether the line has a header of the format's framing, and where that names a program, one of the format's."""
    if format.framing in RECORDS:
        return False
    reader = _reader(format, line)
    reader.feed(line.encode("utf-8") + b"\n", 0, _nothing)
    return reader.counters.last_at is not None and not reader.counters.foreign


def near(format: Format, line: str) -> str:
    """For a line that no rule takes: which comes nearest and where it stops, in words; "" where none does."""
    reader = _reader(format, line)
    found = nearest(format, reader, line) if format.framing not in RECORDS else None
    return found.told(line) if found is not None else ""


def _nothing(event: Event) -> None:
    """Takes an event and does nothing with it."""


def faults(format: Format, *, thorough: bool = True, allowed: float = SLOW_SECONDS) -> list[str]:
    """What is wrong with a format, one sentence each; empty when its samples prove it and none of it is slow.

    `thorough`: look for slow patterns as long as it takes (seconds for a large file), not only for the plain ones.
    `allowed`: see `slow`.
    """
    try:
        format.check()
    except ParserFileError as fault:
        return [with_line(str(fault), format.path)]
    found = unknown_columns(format)
    for spec in format.spec.rule:
        for sample in spec.sample:
            found += _sample(format, spec, sample)
    for line in format.spec.foreign:
        _, taken, _ = read_one(format, line)
        if taken:
            found.append(f"{format.path}: rule {taken[0]!r} takes a line that is listed as foreign: {line[:120]!r}")
    found += slow(format, thorough=thorough, allowed=allowed)
    return [with_line(fault, format.path) for fault in found]


def _shown(value: Any) -> str:
    return repr(str(value)) if isinstance(value, DeliveryStatus) else repr(value)


def _first(format: Format, taken: list[str]) -> list[str]:
    """Of the rules that match a line those that take it: the first, and while they say `more` the next."""
    more = {spec.name for spec in format.spec.rule if spec.more}
    ends = next((place for place, name in enumerate(taken) if name not in more), len(taken))
    return taken[: ends + 1]


def _sample(format: Format, spec: RuleSpec, sample: SampleSpec) -> list[str]:
    where = f"{format.path}: rule {spec.name!r}: sample {sample.line[:80]!r}"
    events, taken, understood = read_one(format, sample.line, sample.fields)
    if not understood or not taken:
        return [f"{where}: no rule matches it: {_why_not(format, spec, sample.line)}"]
    if spec.name not in (_first(format, taken) if format.rules else taken):
        return [f"{where}: rule {taken[0]!r} takes it first: make their `starts` or patterns exclude each other"]
    if spec.ignore:
        return [] if not events else [f"{where}: makes an event though the rule ignores"]
    number = len(sample.expect) if isinstance(sample.expect, list) else sample.events
    if len(events) != number:
        made = ", ".join(type(event).__name__.lower() for event in events) or "none"
        return [f"{where}: events expected: {number}, made: {len(events)} ({made})"]
    wrong = [f"{where}: {fault}" for event in events if (fault := _wrong_type(event))]
    if isinstance(sample.expect, list):
        for place, (event, wanted) in enumerate(zip(events, sample.expect, strict=True), 1):
            wrong += [f"{where}: event {place}: {fault}" for fault in _differences(event, wanted)]
    own = [event for event in events if type(event) is KINDS[spec.kind]]
    if not own:
        return [*wrong, f"{where}: none of its events is of the rule's kind {spec.kind}"]
    if isinstance(sample.expect, dict):
        told = [_differences(event, sample.expect) for event in own]
        wrong += [f"{where}: {fault}" for fault in min(told, key=len)]
    for name in sample.absent:
        if any(getattr(event, name, "no such field") is not None for event in own):
            wrong.append(f"{where}: {name} is {getattr(own[0], name, 'no such field')!r}, expected none")
    return wrong


def _differences(event: Event, wanted: dict[str, Any]) -> list[str]:
    """In what an event is not as a sample expects it. The word `kind` stands for the event's own."""
    kind = type(event).__name__.lower()
    fields = [name for name in event.__struct_fields__ if name not in ("position", "system")]
    found = []
    for name, want in wanted.items():
        if name != "kind" and name not in fields:
            found.append(f"`expect`: {kind} has no field {name!r}{near_words(name, fields)}")
        elif (have := kind if name == "kind" else getattr(event, name)) != want:
            found.append(f"{name} is {_shown(have)}, expected {want!r}")
    return found


def _why_not(format: Format, spec: RuleSpec, line: str) -> str:
    """Why a sample's own rule does not take it, in words."""
    if format.framing in RECORDS:
        times = [format.spec.time] if isinstance(format.spec.time, str) else format.spec.time
        time_of = " or ".join(times)
        return f"it is no {format.framing} record with a time in {time_of!r}, or what `when` asks for is not there"
    reader = _reader(format, line)
    if reader.body_of(line) is None:
        header = format.header.match(line) if format.header is not None else None
        if header is not None:
            return f"its time {header.group('time')!r} is none that flowmon reads"
        return f"it does not begin as framing {format.framing!r} asks" + (": see `header`" if format.header else "")
    if not knows_header(format, line):
        return f"its program is none of `programs` ({', '.join(format.spec.programs)})"
    return own_rule(format, reader, line, spec.name) or near(format, line) or "its text begins otherwise"


def _wrong_type(event: Event) -> str:
    """What a field holds that is not of its type, a float where a whole number belongs for one; "" when all are."""
    try:
        msgspec.convert(msgspec.structs.asdict(event), type(event))
    except msgspec.ValidationError as fault:
        return f"{fault}: give the field another converter"
    return ""


def slow(format: Format, *, thorough: bool = True, allowed: float = SLOW_SECONDS) -> list[str]:
    """Rules whose pattern needs too long for a hostile line, more than `allowed` seconds of the processor, and patterns
    of the framing that do."""
    found = []
    for rule in format.rules:
        if rule.pattern is None:
            continue
        rule.prepare()  # it may have been used, and switched off
        texts = Hostile(rule.pattern, _bodies(format, rule), thorough=thorough)
        worst = too_slow(texts, partial(_seconds, rule), allowed)
        if worst is not None:
            found.append(f"{format.path}: rule {rule.name!r}: its pattern needs too long for lines such as "
                         f"{worst[1][:120]!r}…: let no part of it repeat what already repeats")
    return found + _slow_framing(format, allowed)


def _bodies(format: Format, rule: Rule) -> list[str]:
    """The samples of a rule, from where its pattern begins."""
    lines = [sample.line for spec in format.spec.rule if spec.name == rule.name for sample in spec.sample]
    found = []
    for line in lines:
        places = (match.start() for match in re.finditer(re.escape(rule.literal), line[:500]))
        begin = next((place for place in places if rule.match(line, place) is not None), None)
        if begin is not None:
            found.append(line[begin:])
    return found or lines[:1]


def _seconds(rule: Rule, text: str) -> float:
    """How long a rule looks at a text: endless where it was stopped, as a user's own soon would be switched off."""
    took = cpu_seconds(partial(rule.match, text, 0))
    return inf if _was_stopped(rule.guarded) else took


_HOSTILE = ("a" * 9000, "<" * 9000, " " * 9000, "a=b, " * 1800, "\\\"" * 4500, "=> <" * 2200)


def _slow_framing(format: Format, allowed: float) -> list[str]:
    """The patterns that are tried on every line, header or ID: which need too long for lines that begin like samples
    and go on hostile."""
    samples = [spec.sample[0].line for spec in format.spec.rule[:3]]
    cuts = [(line, [0, *(m.end() for m in re.finditer(r"[^\w.+-]+", line[:200]))]) for line in samples]
    begins = {line[:cut] for line, places in cuts for cut in places}
    inside = begins | {line[a:b] for line, places in cuts for a, b in pairwise(places)}
    slow = []
    for key, pattern, starts in (
        ("header", format.header, begins), ("id", format.id_pattern, inside),
        ("signature", format.signature, inside), ("continuation", format.continuation, inside),
    ):
        # what the pattern asks for literally stands at the end, or its absence would be seen at once
        literals = re.sub(r"\\(\W)", r"\1", getattr(format.spec, key))
        lines = (start + tail + end for start in sorted(starts) for tail in _HOSTILE for end in ("", "\x01" + literals))
        if pattern is None:
            continue
        look = pattern.search if key == "signature" else pattern.match
        if any(best(partial(_looked, look, pattern, line), allowed) > allowed for line in lines):
            slow.append(f"{format.path}: `{key}` needs too long for some lines: let no part of it repeat what already "
                        "repeats")
    return slow


def _looked(look: Callable[[str], object], pattern: re.Pattern[str] | GuardedPattern, line: str) -> float:
    took = cpu_seconds(partial(look, line))
    return inf if isinstance(pattern, GuardedPattern) and _was_stopped(pattern) else took


def _was_stopped(pattern: GuardedPattern | None) -> bool:
    """Whether a match took too long; it is not held against the pattern any further."""
    if pattern is None or not pattern.strikes:
        return False
    pattern.strikes = 0
    return True
