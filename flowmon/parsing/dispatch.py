"""From a body to its rule: by program and literal, never by trying all rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flowmon.model.event import Event
from flowmon.parsing.format import Format
from flowmon.parsing.rules import LINE_CAP, Rule

Fold = Callable[[Event], None]
"""What takes the events."""

MATCHED, UNMATCHED = True, False


class _Literals:
    """Rules by the first characters of the body."""

    __slots__ = ("by_literal", "length", "rest")

    def __init__(self, rules: Sequence[Rule]) -> None:
        literals = [r for r in rules if r.literal]
        self.length = min((len(r.literal) for r in literals), default=0)
        table: dict[str, list[Rule]] = {}
        for rule in literals:
            table.setdefault(rule.literal[: self.length], []).append(rule)
        self.by_literal = {key: tuple(sorted(found, key=lambda r: -len(r.literal))) for key, found in table.items()}
        self.rest = tuple(r for r in rules if not r.literal)
        """Rules without a literal, tried last."""


class Table:
    """The rules for the lines of one program."""

    __slots__ = ("_id_groups", "_id_match", "_plain", "_with_id", "formats")

    def __init__(self, format: Format, program: str | None) -> None:
        self.formats = format.name
        rules = [r for r in format.rules if program is None or r.serves(program)]
        self._with_id = _Literals([r for r in rules if r.with_id])
        self._plain = _Literals([r for r in rules if not r.with_id])
        self._id_match = format.id_match if any(r.with_id for r in rules) else None
        groups = self._id_match.__self__.groupindex if self._id_match else {}  # type: ignore[attr-defined]  # a bound method of a pattern
        self._id_groups = (groups.get("queue_id", 0), groups.get("session", 0))

    def feed(
        self, line: str, start: int, at: float, host: str, session: str | None, position: int, fold: Fold
    ) -> bool:
        """Find the rule of the body that starts at `start`, and hand its event on. False: no rule matched."""
        if self._id_match is not None:
            found = self._id_match(line, start)
            if found is not None:
                queue_group, session_group = self._id_groups
                queue_id = found.group(queue_group) if queue_group else None
                if session_group:
                    session = found.group(session_group) or session
                end = found.end()
                rules = self._with_id
                for rule in rules.by_literal.get(line[end : end + rules.length], ()):
                    match = rule.match(line, end)
                    if match is not None:
                        if rule.event is not None:
                            fold(rule.build(match, at, host, queue_id, session, position))
                        return MATCHED
                if rules.rest and self._try(rules.rest, line, end, at, host, queue_id, session, position, fold):
                    return MATCHED
        rules = self._plain
        for rule in rules.by_literal.get(line[start : start + rules.length], ()):
            match = rule.match(line, start)
            if match is not None:
                if rule.event is not None:
                    fold(rule.build(match, at, host, None, session, position))
                return MATCHED
        return bool(rules.rest) and self._try(rules.rest, line, start, at, host, None, session, position, fold)

    @staticmethod
    def _try(
        rules: tuple[Rule, ...], line: str, start: int, at: float, host: str, queue_id: str | None,
        session: str | None, position: int, fold: Fold,
    ) -> bool:
        for rule in rules:
            match = rule.match(line, start)
            if match is not None:
                if rule.event is not None:
                    fold(rule.build(match, at, host, queue_id, session, position))
                return MATCHED
        return UNMATCHED


__all__ = ["LINE_CAP", "Fold", "Table"]
