"""From a body to its rule: by program and literal, never by trying all rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flowmon.model.event import Event
from flowmon.parsing.format import Format
from flowmon.parsing.rules import LINE_CAP, Rule

Fold = Callable[[Event], None]
"""What takes the events."""

_NONE: tuple[Rule, ...] = ()


class _Literals:
    """Rules by the first characters of the body."""

    __slots__ = ("by_literal", "length", "rest")

    def __init__(self, rules: Sequence[Rule]) -> None:
        literals = [r for r in rules if r.literal]
        self.length = min((len(r.literal) for r in literals), default=0)
        table: dict[str, list[Rule]] = {}
        for rule in literals:
            table.setdefault(rule.literal[: self.length], []).append(rule)
        rest = [r for r in rules if not r.literal]
        self.by_literal = {
            key: (*sorted(found, key=lambda r: -len(r.literal)), *rest) for key, found in table.items()
        }
        self.rest = tuple(rest)
        """Rules without a literal, tried last."""


class Table:
    """The rules for the lines of one program."""

    __slots__ = ("_id_match", "_plain", "_plain_length", "_plain_rest", "_queue_group", "_session_group", "_with_id",
                 "_with_id_length", "_with_id_rest", "formats")

    def __init__(self, format: Format, program: str | None) -> None:
        self.formats = format.name
        rules = [r for r in format.rules if program is None or r.serves(program)]
        with_id = _Literals([r for r in rules if r.with_id])
        plain = _Literals([r for r in rules if not r.with_id])
        self._with_id, self._with_id_length, self._with_id_rest = with_id.by_literal, with_id.length, with_id.rest
        self._plain, self._plain_length, self._plain_rest = plain.by_literal, plain.length, plain.rest
        self._id_match: Any = format.id_match if any(r.with_id for r in rules) else None
        groups = self._id_match.__self__.groupindex if self._id_match else {}
        self._queue_group: int = groups.get("queue_id", 0)
        self._session_group: int = groups.get("session", 0)

    def feed(
        self, line: str, start: int, at: float, host: str, session: str | None, position: int, fold: Fold
    ) -> bool:
        """Find the rule of the body that starts at `start`, and hand its event on. False: no rule matched."""
        rules = self._plain.get(line[start : start + self._plain_length], _NONE)
        if rules:
            for rule in rules:
                if rule.bare:
                    if line.startswith(rule.literal, start):
                        return True
                    continue
                match = rule.match(line, start)
                if match is not None:
                    if rule.event is not None:
                        rule.build(match, at, host, None, session, position, fold)
                    return True
        if self._id_match is not None:
            found = self._id_match(line, start)
            if found is not None:
                end = found.end()
                for rule in self._with_id.get(line[end : end + self._with_id_length], self._with_id_rest):
                    match = rule.match(line, end)
                    if match is not None:
                        if rule.event is not None:
                            queue_id = found.group(self._queue_group) if self._queue_group else None
                            if self._session_group:
                                session = found.group(self._session_group) or session
                            rule.build(match, at, host, queue_id, session, position, fold)
                        return True
        for rule in self._plain_rest:
            match = rule.match(line, start)
            if match is not None:
                if rule.event is not None:
                    rule.build(match, at, host, None, session, position, fold)
                return True
        return False


__all__ = ["LINE_CAP", "Fold", "Table"]
