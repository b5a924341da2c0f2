"""Rules: what a parser file says about one kind of line, compiled so that the hot path only matches at a position.

A rule is reached by program and literal, matched there, and builds its event by position: the pattern's groups are
picked in the order of the event's fields by one call; a group that never matches stands for fields not captured.
Patterns are compiled when the first line reaches them: a start must not pay for systems that are not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, Protocol

import regex

from flowmon.model.event import COMMON, Event

LINE_CAP = 10_000
"""Characters of a line that rules look at."""

USER_TIMEOUT_SECONDS = 0.05
USER_STRIKES = 3
"""A user's own pattern that times out so often is switched off."""

_ABSENT = r"(?:(?!)())?"

Change = tuple[int, Callable[[str], object] | dict[str, Any] | None, Any]
"""(place among the own fields, converter or map, constant or default)."""


class Matched(Protocol):
    """What the matches of `re` and `regex` have in common."""

    def group(self, *groups: int) -> Any: ...


class Rule:
    """One rule: either `ignored` says why the line means nothing for a message's flow, or it makes events."""

    __slots__ = (
        "_indices", "_own_queue", "_own_session", "_pattern", "changes", "event", "format", "ignored", "literal",
        "match", "name", "programs", "strikes", "trusted", "with_id",
    )

    def __init__(
        self, format: str, name: str, *, programs: tuple[str, ...], literal: str, with_id: bool,
        pattern: str | None, event: type[Event] | None, ignored: str | None, changes: tuple[Change, ...] = (),
        trusted: bool = True,
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
        self.strikes = 0
        self.match: Callable[[str, int], Matched | None] = self._first_match
        self._pattern = pattern
        self._indices: tuple[int, ...] = ()
        self._own_queue = 0
        self._own_session = 0

    def serves(self, program: str) -> bool:
        """Whether lines of this program (its last part) may be of this rule."""
        return not self.programs or any(fnmatchcase(program, glob) for glob in self.programs)

    def prepare(self) -> None:
        """Compile the pattern. Raises re.error or regex.error for a faulty one."""
        pattern = self._pattern if self._pattern is not None else re.escape(self.literal) + ".*"
        compiled: Any
        if self.trusted:
            compiled = re.compile(pattern + _ABSENT, re.ASCII | re.DOTALL)
            self.match = compiled.fullmatch
        else:
            compiled = regex.compile(pattern + _ABSENT, regex.ASCII | regex.DOTALL)
            self.match = self._guarded(compiled)
        groups, absent = compiled.groupindex, compiled.groups
        if self.event is not None:
            self._indices = tuple(groups.get(name, absent) for name in own_fields(self.event))
        self._own_queue = groups.get("queue_id", 0)
        self._own_session = groups.get("session", 0)

    def captures(self) -> set[str]:
        """Names that the pattern captures (compiles it)."""
        self.prepare()
        return set(re.findall(r"\(\?P<(\w+)>", self._pattern or ""))

    def _first_match(self, line: str, start: int) -> Matched | None:
        self.prepare()
        return self.match(line, start)

    def _guarded(self, compiled: Any) -> Callable[[str, int], Matched | None]:
        def match(line: str, start: int) -> Matched | None:
            if self.strikes >= USER_STRIKES:
                return None
            try:
                found: Matched | None = compiled.fullmatch(line, start, timeout=USER_TIMEOUT_SECONDS)
            except TimeoutError:
                self.strikes += 1
                return None
            return found

        return match

    def build(
        self, match: Matched, at: float, host: str, queue_id: str | None, session: str | None, position: int
    ) -> Event:
        """The event of a match. Only for rules with an event."""
        if self._own_queue:
            queue_id = match.group(self._own_queue) or queue_id
        if self._own_session:
            session = match.group(self._own_session) or session
        indices = self._indices
        values = match.group(*indices) if len(indices) > 1 else (match.group(indices[0]),)
        if self.changes:
            values = list(values)
            for place, change, constant in self.changes:
                text = values[place]
                if change is None:
                    values[place] = constant
                elif text is not None:
                    values[place] = change.get(text, constant) if type(change) is dict else change(text)  # type: ignore[operator]  # a dict was ruled out
        return self.event(at, host, self.format, queue_id, session, position, *values)  # type: ignore[misc]  # never None here


def own_fields(event: type[Event]) -> tuple[str, ...]:
    """The fields of a kind beyond those that the framing fills."""
    return event.__struct_fields__[len(COMMON):]
