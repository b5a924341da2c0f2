"""What an expression of the filter language is made of; its text is canonical."""

from __future__ import annotations

from dataclasses import dataclass

from flowmon.store import filter_sql
from flowmon.store.filter_lex import quoted


@dataclass(frozen=True, slots=True)
class Term:
    """A key with its canonical value; key "" is free text."""

    key: str
    value: str

    def __str__(self) -> str:
        if not self.key:
            return quoted(self.value, free=True)
        joint = "" if filter_sql.FIELDS[self.key].compares else ":"
        return f"{self.key}{joint}{quoted(self.value, free=False)}"


@dataclass(frozen=True, slots=True)
class Not:
    """What it holds must not match."""

    inner: Node

    def __str__(self) -> str:
        return f"-{self.inner}" if isinstance(self.inner, Term) else f"not ({self.inner})"


@dataclass(frozen=True, slots=True)
class And:
    """All parts match."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " ".join(f"({p})" if isinstance(p, Or) else str(p) for p in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """One part matches."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " or ".join(str(p) for p in self.parts)


Node = Term | Not | And | Or


def parts_of(node: Node) -> tuple[Node, ...]:
    """The parts that must all hold."""
    return node.parts if isinstance(node, And) else (node,)


def alternatives(node: Node) -> tuple[Term, ...]:
    """The terms of which one must hold; () where it is made of more than terms."""
    parts = node.parts if isinstance(node, Or) else (node,)
    terms = tuple(part for part in parts if isinstance(part, Term))
    return terms if len(terms) == len(parts) else ()


def joined(parts: list[Node]) -> Node:
    """What holds where all of these do."""
    flat = [inner for part in parts for inner in parts_of(part)]
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def either(parts: list[Node]) -> Node:
    """What holds where one of these does."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))
