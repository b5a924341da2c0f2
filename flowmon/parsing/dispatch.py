"""From a body to its rule: by program and literal, never by trying all rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from flowmon.model.event import Event
from flowmon.parsing.format import Format
from flowmon.parsing.rules import Build, Rule, WithId

Fold = Callable[[Event], None]
"""What takes the events."""

REPEATED = "message repeated "
"""A body that begins so is for the framing to unfold; no rule may take it as a whole."""


class _Literals:
    """Rules by the first characters of the body."""

    __slots__ = ("by_literal", "length", "rest")

    def __init__(self, rules: Sequence[Rule], *, rest_beside: bool) -> None:
        literals = [r for r in rules if r.literal]
        self.length = min((len(r.literal) for r in literals), default=0)
        table: dict[str, list[Rule]] = {}
        for rule in literals:
            table.setdefault(rule.literal[: self.length], []).append(rule)
        self.rest = tuple(r for r in rules if not r.literal)
        """Rules without a literal, tried last."""
        beside = self.rest if rest_beside else ()
        self.by_literal = {
            key: (*sorted(found, key=lambda r: -len(r.literal)), *beside) for key, found in table.items()
        }


class ShortWays(NamedTuple):
    """What most lines need of a table, flat, so that the hot path needs no call to find their rule.

    By its first `length` characters a body has in `plain` the literal that it must go on with for one rule to take it,
    and what makes that rule's event, None where it is ignored; or nothing, where it takes a look at patterns. A body
    that is not in `plain` has a queue ID: then the rule that took the last line with the same last character is likely
    to take it too, and one match does for the ID and the rule. All else goes to `Table.feed`, which learns from it.
    """

    length: int
    plain: dict[str, tuple[str, Build | None] | tuple[()]]
    likely: dict[str, WithId]


class Table:
    """The rules for the lines of one program."""

    __slots__ = ("_id_match", "_id_pattern", "_plain", "_plain_length", "_plain_rest", "_queue_group", "_session_group",
                 "_ways", "_with_id", "_with_id_length", "_with_id_rest", "formats", "short")

    def __init__(self, format: Format, program: str | None) -> None:
        self.formats = format.name
        rules = [r for r in format.rules if program is None or r.serves(program)]
        with_id = _Literals([r for r in rules if r.with_id], rest_beside=True)
        plain = _Literals([r for r in rules if not r.with_id], rest_beside=False)
        self._with_id, self._with_id_length, self._with_id_rest = with_id.by_literal, with_id.length, with_id.rest
        self._plain, self._plain_length, self._plain_rest = plain.by_literal, plain.length, plain.rest
        self._id_match: Any = format.id_match if any(r.with_id for r in rules) else None
        self._queue_group: int = format.id_groups.get("queue_id", 0)
        self._session_group: int = format.id_groups.get("session", 0)
        self._id_pattern = format.id_text
        self._ways: dict[Rule, WithId | None] = {}
        self.short = ShortWays(self._plain_length, {key: _short_way(rules) for key, rules in self._plain.items()}, {})
        """For the hot path: see ShortWays."""

    def _learn(self, rule: Rule, rules: tuple[Rule, ...], line: str) -> None:
        """Let the next line that ends like this one try this rule first, where none before it could take that too."""
        if rule not in self._ways:
            before = [other.literal for other in rules[: rules.index(rule)]]
            self._ways[rule] = rule.behind(self._id_pattern, before)
        way = self._ways[rule]
        if way is not None:
            self.short.likely[line[-1:]] = way

    def quickly(
        self, line: str, start: int, at: float, host: str, session: str | None, position: int, fold: Fold
    ) -> bool:
        """`feed`, with a try of the short ways before it."""
        length, plain, likely = self.short
        if line[start : start + length] not in plain:
            way = likely.get(line[-1:])
            if way is not None:
                match = way[0](line, start)
                if match is not None:
                    way[1](match, at, host, None, session, position, fold)
                    return True
        return self.feed(line, start, at, host, session, position, fold)

    def feed(
        self, line: str, start: int, at: float, host: str, session: str | None, position: int, fold: Fold
    ) -> bool:
        """Find the rule of the body that starts at `start`, and hand its event on. False: no rule matched."""
        rules = self._plain.get(line[start : start + self._plain_length])
        if rules is not None and _take(rules, line, start, at, host, None, session, position, fold) is not None:
            return True
        if self._id_match is not None:
            found = self._id_match(line, start)
            if found is not None:
                queue_id = found.group(self._queue_group) if self._queue_group else None
                if self._session_group:
                    session = found.group(self._session_group) or session
                body = found.end()
                rules = self._with_id.get(line[body : body + self._with_id_length], self._with_id_rest)
                taken = _take(rules, line, body, at, host, queue_id, session, position, fold)
                if taken is not None:
                    self._learn(taken, rules, line)
                    return True
        if line.startswith(REPEATED, start):
            return False
        return _take(self._plain_rest, line, start, at, host, None, session, position, fold) is not None


def _short_way(rules: tuple[Rule, ...]) -> tuple[str, Build | None] | tuple[()]:
    """See ShortWays.plain: for the rules of bodies with one beginning."""
    only = rules[0]
    if len(rules) > 1 or not only.quick:
        return ()
    return only.literal, only.literal_build() if only.event is not None else None


def _take(
    rules: tuple[Rule, ...], line: str, body: int, at: float, host: str, queue_id: str | None, session: str | None,
    position: int, fold: Fold,
) -> Rule | None:
    """The rule that takes the line, None for none; its events go to `fold`."""
    taken = None
    for rule in rules:
        if rule.bare:
            if line.startswith(rule.literal, body):
                return rule
            continue
        match = rule.match(line, body)
        if match is not None:
            taken = rule
            if rule.event is not None:
                rule.build(match, at, host, queue_id, session, position, fold)
                if rule.more:
                    continue
            return rule
    return taken


__all__ = ["Fold", "Table"]
