"""Rules: what a parser file says about one kind of line, compiled so that the hot path only matches at a position.

A rule is reached by program and literal, matched there, and builds its event by position. Pattern and builder are made
when the first line reaches the rule: a start must not pay for systems that are not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, Protocol

from flowmon.model.event import COMMON, Event
from flowmon.parsing.guarded import GuardedPattern

LINE_CAP = 16_384
"""Characters of a text line that rules look at; what stands behind them is cut off. Records have `ROW_CAP`."""

Change = tuple[int, Callable[[str], object] | dict[str, Any] | None, Any]
"""(place among the own fields, converter or map, constant or default)."""
Build = Callable[[Any, float, str, "str | None", "str | None", int, Callable[[Event], None]], None]
"""(match, at, host, queue_id, session, position, fold): makes what the match tells, and hands it to `fold`."""


_NAMED = re.compile(r"\(\?P<(\w+)>")
_NUMBERED = re.compile(r"\\[1-9]|\(\?\(\d")
"""A reference to a group by its number, which is another one where groups come before it."""


class Matched(Protocol):
    """What the matches of `re` and `regex` have in common."""

    def groups(self) -> tuple[Any, ...]: ...
    def group(self, *groups: int) -> Any: ...


class _Nothing:
    """The match of a rule that has no pattern: it captures nothing."""

    def groups(self) -> tuple[Any, ...]:
        return ()

    def group(self, *groups: int) -> Any:
        return None


_NOTHING = _Nothing()


class WithId(NamedTuple):
    """A rule and the queue ID before it, matched at once."""

    match: Callable[[str, int], Any]
    build: Build


class Rule:
    """One rule: either `ignored` says why the line means nothing for a message's flow, or it makes events."""

    __slots__ = (
        "bare", "build", "changes", "each", "event", "format", "guarded", "ignored", "literal", "match", "more",
        "name", "pattern", "programs", "quick", "trusted", "with_id",
    )

    def __init__(
        self, format: str, name: str, *, programs: tuple[str, ...], literal: str, with_id: bool,
        pattern: str | None, event: type[Event] | None, ignored: str | None, changes: tuple[Change, ...] = (),
        trusted: bool = True, each: str = "", more: bool = False,
    ) -> None:
        self.format = format
        self.name = name
        self.programs = programs
        """Globs for the last part of a program's name; empty for all."""
        self.literal = literal
        """What the body starts with."""
        self.with_id = with_id
        """The body stands behind the format's queue ID."""
        self.event = event
        self.ignored = ignored
        self.changes = changes
        """What is not taken as captured."""
        self.trusted = trusted
        """Built in: matched by `re`. A user's own pattern runs under `regex` with a timeout."""
        self.each = each
        """The captured field that lists several, separated by commas: one event for each."""
        self.more = more
        """The next rule that fits takes the line too."""
        self.guarded: GuardedPattern | None = None
        """A user's own pattern, once it is compiled."""
        self.pattern = pattern
        self.bare = pattern is None and event is None
        """Its literal is all: no pattern to match, no event to make."""
        self.quick = pattern is None and not more
        """Its literal tells all, so that the hot path need not ask `match`."""
        self.match: Callable[[str, int], Matched | None] = self._first_match
        self.build: Build = self._no_build
        """Makes the events of a match; only for rules with an event."""

    def serves(self, program: str) -> bool:
        """Whether lines of this program (its last part) may be of this rule."""
        return not self.programs or any(fnmatchcase(program, glob) for glob in self.programs)

    def prepare(self) -> None:
        """Compile pattern and builder, once. Raises re.error for a faulty pattern."""
        if self.match != self._first_match:
            return
        groups: dict[str, int] = {}
        if self.pattern is None:
            self.match = self._literal_match
        else:
            compiled: Any
            pattern = self._whole_pattern()
            if self.trusted:
                compiled = re.compile(pattern, re.ASCII | re.DOTALL)
            else:
                compiled = self.guarded = GuardedPattern(pattern, dotall=True)
            self.match = compiled.fullmatch
            groups = dict(compiled.groupindex)
        if self.event is not None:
            self.build = builder(self.event, self.format, groups, self.changes, self.each)

    def behind(self, id_pattern: str, before: Iterable[str]) -> WithId | None:
        """This rule together with the queue ID before it, as one match.

        `before`: the literals of the rules that are tried before this one. The match leaves lines to them that begin
        with a longer literal of theirs. None where more than a literal decides between them, or where the two patterns
        would mean something else as one.
        """
        mine, pattern = self.literal, self._whole_pattern()
        if self.event is None or self.more or not self.trusted or _NUMBERED.search(pattern):
            return None
        if any(mine.startswith(literal) for literal in before):
            return None
        if not {*_NAMED.findall(id_pattern)}.isdisjoint(_NAMED.findall(pattern)):
            return None  # each names the ID: the rule's own counts
        longer = "|".join(re.escape(literal) for literal in before if literal.startswith(mine))
        others = f"(?!{longer})" if longer else ""
        compiled = re.compile(f"(?>{id_pattern}){others}(?:{pattern})", re.ASCII | re.DOTALL)
        build = builder(self.event, self.format, dict(compiled.groupindex), self.changes, self.each)
        return WithId(compiled.fullmatch, build)

    def _whole_pattern(self) -> str:
        """The pattern from the begin of the literal on."""
        literal = re.escape(self.literal)
        if self.pattern is None:
            return f"{literal}.*"
        return self.pattern if self.pattern.startswith((self.literal, literal)) else f"(?={literal}){self.pattern}"

    def literal_build(self) -> Build:
        """What makes the event of a rule that has no pattern: its match tells nothing more."""
        self.prepare()
        return self.build

    def captures(self) -> set[str]:
        """Names that the pattern captures (compiles it)."""
        self.prepare()
        return set(_NAMED.findall(self.pattern or ""))

    def _first_match(self, line: str, start: int) -> Matched | None:
        self.prepare()
        return self.match(line, start)

    def _literal_match(self, line: str, start: int) -> Matched | None:
        return _NOTHING if line.startswith(self.literal, start) else None

    def _no_build(self, *_: object) -> None:
        raise AssertionError(f"rule {self.name!r} of {self.format!r} makes no event")


def own_fields(event: type[Event]) -> tuple[str, ...]:
    """The fields of a kind beyond those that the framing fills."""
    return event.__struct_fields__[len(COMMON):]


def builder(
    event: type[Event], format: str, groups: dict[str, int], changes: tuple[Change, ...], each: str = ""
) -> Build:
    """A function that makes the event of a match by position, written out for this rule.

    As namedtuple does, its text is made of numbers and of names of ours only; constants, maps and converters come in
    as its globals. A list of steps walked for every line would cost three times as much.
    """
    scope: dict[str, Any] = {"event": event, "system": format, "items": comma_items}
    changed = {place: (change, constant) for place, change, constant in changes}
    values = []
    for place, name in enumerate(own_fields(event)):
        captured = "item" if name == each else f"v[{groups[name] - 1}]" if name in groups else None
        values.append(_value(place, captured, changed, scope))
    while values and values[-1] == "None":
        values.pop()
    queue = f"v[{groups['queue_id'] - 1}] or queue_id" if "queue_id" in groups else "queue_id"
    session = f"v[{groups['session'] - 1}] or session" if "session" in groups else "session"
    made = f"fold(event(at, host, system, {queue}, {session}, position{''.join(', ' + v for v in values)}))\n"
    text = (
        "def build(match, at, host, queue_id, session, position, fold):\n"
        + ("    v = match.groups()\n" if groups else "")
        + (f"    for item in items(v[{groups[each] - 1}]):\n        " if each in groups else "    ")
        + made
    )
    exec(text, scope)
    build: Build = scope["build"]
    return build


def _value(
    place: int, captured: str | None, changed: dict[int, tuple[Any, Any]], scope: dict[str, Any]
) -> str:
    """The expression for the field at `place`; what it needs goes into `scope`."""
    if place not in changed:
        return captured or "None"
    change, constant = changed[place]
    scope[f"c{place}"] = change if change is not None else constant
    if change is None:
        return f"c{place}"
    if captured is None:
        return "None"
    if isinstance(change, dict):
        scope[f"d{place}"] = constant
        return f"c{place}.get({captured}, d{place})"
    return f"None if {captured} is None else c{place}({captured})"


def comma_items(text: str | None) -> list[str]:
    """Addresses of a list separated by commas, without angle brackets; commas inside brackets or quotes stay."""
    if text is None:
        return []
    if "," not in text:
        return [_bare(text)]
    return [bare for item in _ITEM.findall(text) if (bare := _bare(item))]


_ITEM = re.compile(r"(?:<[^>]*>|\"[^\"]*\"|[^,<\"]|[<\"])+")


def _bare(text: str) -> str:
    text = text.strip()
    return text[1:-1] if text[:1] == "<" and text[-1:] == ">" else text
