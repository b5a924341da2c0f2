"""The filter language of every screen and command, parsed once and run as SQL.

    from:@example.com status:deferred -reason:greylist
    (host:mx1 or host:mx2) age>10m "mailbox full"
    not next:mx.example.net and time:10:00-11:00

Terms side by side must all hold, `or` binds weaker than that, `not` and a leading `-` exclude. `*` and `?` are
wildcards, quotes keep spaces, a backslash takes the meaning of `* ? " ( )`. The keys are in `filter_sql.FIELDS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from flowmon.store import filter_failure, filter_match, filter_sql
from flowmon.store.filter_lex import KEY, Token, fault, literal, quoted, tokens
from flowmon.store.filter_nodes import And, Node, Not, Or, Term, alternatives, either, joined, parts_of
from flowmon.suggest import nearest

MAX_TERMS = 100
MAX_DEPTH = 30
"""Parentheses and negations inside each other."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed expression. Two are equal when their canonical texts are."""

    text: str
    """Canonical: parsing it again gives the same filter."""
    node: Node = field(compare=False, repr=False)

    def sql(self, now: float) -> filter_match.Condition:
        """A condition over `messages m`, in parentheses, and its parameters.

        `now` is the time of asking in seconds since the epoch: ages and relative times count from it.
        """
        return _condition(self.node, now)

    @property
    def parts(self) -> tuple[Node, ...]:
        """The parts that must all hold."""
        return parts_of(self.node)

    @property
    def excluded(self) -> Filter | None:
        """What it leaves out, where it does nothing else."""
        return _filter(self.node.inner) if isinstance(self.node, Not) else None

    def period(self, now: float) -> tuple[float | None, float | None]:
        """The time that all must fall into, from and to, in seconds since the epoch; None is open."""
        spans = [filter_sql.period(time, now) for time in self.times]
        starts = [start for start, _ in spans if start is not None]
        ends = [end for _, end in spans if end is not None]
        return max(starts, default=None), min(ends, default=None)

    @property
    def times(self) -> tuple[str, ...]:
        """The times that all must fall into, as written."""
        return tuple(p.value for p in self.parts if isinstance(p, Term) and p.key == "time")

    def without_time(self) -> Filter | None:
        """This filter less the time that all must fall into; None when nothing is left."""
        kept = [p for p in self.parts if not (isinstance(p, Term) and p.key == "time")]
        return _filter(joined(kept)) if kept else None

    @property
    def terms(self) -> tuple[str, ...]:
        """The parts that must all hold, each as text that `and_` and `without` take."""
        several = len(self.parts) > 1
        return tuple(f"({part})" if several and isinstance(part, Or) else str(part) for part in self.parts)

    def and_(self, term_text: str) -> Filter:
        """This filter and one more term (or expression); the same when it is there already. Raises FilterError."""
        more = parse(term_text)
        if more is None:
            return self
        have = parts_of(self.node)
        return _filter(joined([*have, *(p for p in parts_of(more.node) if p not in have)]))

    def without(self, term_text: str) -> Filter | None:
        """This filter less a term that must hold; None when nothing is left. Raises FilterError."""
        less = parse(term_text)
        gone = () if less is None else parts_of(less.node)
        kept = [p for p in parts_of(self.node) if p not in gone]
        return _filter(joined(kept)) if kept else None


def parse(text: str) -> Filter | None:
    """Read an expression; None when it is empty. Raises FilterError: the place, what stands there, what is possible."""
    found = tokens(text)
    return _filter(_Parser(found, len(text) + 1).whole()) if found else None


def term(key: str, value: str | None = None, *, exclude: bool = False) -> str:
    """The text of a term that finds exactly this value: what a screen adds when a value is chosen.

    `key` is one of FIELDS, or "" for free text. The empty address is the null sender.
    """
    if key == "next" and value:
        value = filter_failure.chosen_next_hop(value)
    text = str(Term(key, "<>" if not value and key in ("from", "to") else literal(value or "")))
    return f"-{text}" if exclude else text


def _filter(node: Node) -> Filter:
    return Filter(str(node), node)


def _condition(node: Node, now: float) -> filter_match.Condition:
    asked = _asked(node, now)
    if asked is not None and asked.keyed:
        return f"({filter_match.LOOK_UP})", [asked.text]
    if isinstance(node, Term):
        text, parameters = _term_condition(node, now)
        return f"({text})", parameters
    if isinstance(node, Not):
        text, parameters = _condition(node.inner, now)
        return f"({text} IS NOT TRUE)", parameters
    texts, bound = [], []
    parts: Iterable[Node] = node.parts
    if isinstance(node, And):
        failure, others = _of_one_failure(node.parts)
        if failure:
            text, parameters = filter_failure.one_failure([[(way.key, way.value) for way in ways] for ways in failure])
            texts.append(text)
            bound += parameters
        parts = _gathered(others, now)
    for part in parts:
        text, parameters = _condition(part, now)
        texts.append(text)
        bound += parameters
    return f"({(' AND ' if isinstance(node, And) else ' OR ').join(texts)})", bound


def _term_condition(node: Term, now: float) -> filter_match.Condition:
    return (filter_sql.FIELDS[node.key].condition if node.key else filter_sql.anywhere)(node.value, now)


class _Asked(NamedTuple):
    """What the index is asked."""

    text: str
    keyed: bool
    """For keys too: of statuses alone columns tell as well, and not every store has keys."""


def _asked(node: Node, now: float) -> _Asked | None:
    """What the index is asked where it tells all of a node; None where it does not."""
    if isinstance(node, Term):
        if node.key == "status":
            return _Asked(filter_sql.asked_status(node.value), keyed=False)
        text, parameters = _term_condition(node, now)
        return _Asked(str(parameters[0]), keyed=True) if text == filter_match.LOOK_UP else None
    if isinstance(node, Not):
        return None  # it tells what has a key, not what has none
    if isinstance(node, Or):
        return _together([_asked(part, now) for part in node.parts], " OR ")
    wanted = _together([_asked(part, now) for part in node.parts if not isinstance(part, Not)], " AND ")
    excluded = [_asked(part.inner, now) for part in node.parts if isinstance(part, Not)]
    if wanted is None or not excluded:
        return wanted
    unwanted = _together(excluded, " OR ")
    if unwanted is None:
        return None
    return _Asked(f"({wanted.text}) NOT ({unwanted.text})", keyed=wanted.keyed or unwanted.keyed)


def _together(parts: list[_Asked | None], sign: str) -> _Asked | None:
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    return _Asked(sign.join(f"({part.text})" for part in known), keyed=any(part.keyed for part in known))


def _of_one_failure(parts: Sequence[Node]) -> tuple[list[tuple[Term, ...]], Sequence[Node]]:
    """What must hold of the same failure, of each the terms of which one must; and the other parts."""
    together: list[tuple[Term, ...]] = []
    others: list[Node] = []
    keys: set[str] = set()
    for part in reversed(parts):  # of a key given twice the last is meant: what one drilled into
        ways = alternatives(part)
        if ways and all(filter_failure.of_a_failure(way.key, way.value) and way.key not in keys for way in ways):
            together.append(ways)
            keys.update(way.key for way in ways)
        else:
            others.append(part)
    return (together, others[::-1]) if len(together) > 1 else ([], parts)  # of one alone nothing else is meant


def _gathered(parts: Sequence[Node], now: float) -> Sequence[Node]:
    """The parts of an And, those that the index tells of as one: it is quicker than what keeps them apart."""
    told = [p for p in parts if _asked(p.inner if isinstance(p, Not) else p, now) is not None]
    together = And(tuple(told))
    asked = _asked(together, now) if len(told) > 1 else None
    if asked is None or not asked.keyed:
        return parts
    return [together, *(part for part in parts if part not in told)]


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, found: list[Token], end: int) -> None:
        self.tokens = found
        self.end = end
        self.at = 0
        self.depth = 0
        self.terms = 0

    def next_kind(self) -> str:
        """What comes; "" at the end."""
        return self.tokens[self.at].kind if self.at < len(self.tokens) else ""

    def take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def whole(self) -> Node:
        node = self.disjunction()
        if self.next_kind():
            raise fault(self.take().column, 'this ")" closes nothing; remove it, or open a "(" before')
        return node

    def disjunction(self) -> Node:
        parts = [self.conjunction()]
        while self.next_kind() == "or":
            self.take()
            parts.append(self.conjunction())
        return either(parts)

    def conjunction(self) -> Node:
        parts = [self.factor()]
        while self.next_kind() not in ("", "or", ")"):
            if self.next_kind() == "and":
                self.take()
            parts.append(self.factor())
        return joined(parts)

    def factor(self) -> Node:
        if self.next_kind() in ("", "and", "or", ")"):
            self._nothing()
        token = self.take()
        if token.kind == "word":
            return self._term(token)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise fault(token.column, f"more than {MAX_DEPTH} parentheses and negations inside each other; use fewer")
        if token.kind == "not":
            inner = self.factor()
            node: Node = inner.inner if isinstance(inner, Not) else Not(inner)
        else:
            node = self.disjunction()
            if self.next_kind() != ")":
                raise fault(token.column, 'this "(" is not closed; add a ")"')
            self.take()
        self.depth -= 1
        return node

    def _nothing(self) -> None:
        """A term had to come. Raises FilterError."""
        column = self.tokens[self.at].column if self.at < len(self.tokens) else self.end
        before = self.tokens[self.at - 1] if self.at else None
        found = f'"{self.next_kind()}"' if self.next_kind() else "the end"
        after = f' after "{before.kind}"' if before is not None and before.kind != "word" else ""
        raise fault(column, f"a term must stand here{after}, not {found}; "
                            "for example from:@example.com or status:deferred")

    def _term(self, token: Token) -> Term:
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise fault(token.column, f"more than {MAX_TERMS} terms; use fewer")
        start = KEY.match(token.value)
        if start is None or start.end() > token.bare:
            return Term("", self._normal(filter_sql.free_text, token.value, token.column))
        key, sign = start[1].lower(), start[2]
        known = filter_sql.FIELDS.get(key)
        if known is None:
            near = nearest(key, filter_sql.FIELDS)
            guess = f'; did you mean "{near}"?' if near else ";"
            raise fault(
                token.column, f'no key is called "{start[1]}"{guess} known: {", ".join(filter_sql.FIELDS)}. '
                f'To search for the text itself, put it in quotes: {quoted(token.value, free=True)}')
        value = token.value[start.end() :]
        if sign != ":":
            if not known.compares and key != "time":
                raise fault(token.column + len(key), f'"{key}" takes ":", not "{sign}"; write {known.explanation}')
            value = sign + value
        if not value:
            raise fault(token.column + start.end(), f"a value is missing; write {known.explanation}")
        return Term(key, self._normal(known.normal, value, token.column + start.end()))

    def _normal(self, normal: filter_sql.Normal, value: str, column: int) -> str:
        try:
            return normal(value)
        except ValueError as wrong:
            raise fault(column, str(wrong)) from None
