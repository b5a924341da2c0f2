"""Values of the store that go on as a person began to write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flowmon.store.filter_lex import literal
from flowmon.store.filter_match import after, glob
from flowmon.store.schema import Key
from flowmon.store.terms import term, value_of

MOST = 8
_KINDS = {"from": (Key.SENDER, Key.SENDER_DOMAIN), "to": (Key.RECIPIENT, Key.RECIPIENT_DOMAIN)}
_PLAIN = {"host": Key.HOST, "next": Key.NEXT_HOP, "id": Key.QUEUE_ID}


def values(ask: Callable[[str, Any], list[Any]], key: str, start: str) -> list[str]:
    """The first values of a key that begin with `start`, in order; [] for a key whose values are not looked up."""
    begins = f"{glob(literal(start))}*"
    if key == "reason":
        rows = ask("SELECT DISTINCT reason FROM failures WHERE reason GLOB ? ORDER BY reason LIMIT ?",
                   (begins, MOST))
        return [row[0] for row in rows]
    if key == "queue":
        rows = ask("SELECT DISTINCT lower(host || '/' || next_hop) AS queue FROM queue WHERE queue GLOB ? "
                   "ORDER BY queue LIMIT ?", (begins, MOST))
        return [row[0] for row in rows]
    if key in _KINDS:
        whole, domain = _KINDS[key]
        if start.startswith("@"):
            return [f"@{found}" for found in _keys(ask, domain, start[1:])]
        return _keys(ask, whole, start)
    return _keys(ask, _PLAIN[key], start) if key in _PLAIN else []


def _keys(ask: Callable[[str, Any], list[Any]], kind: Key, start: str) -> list[str]:
    first = term(kind, start)
    rows = ask("SELECT term FROM key_terms WHERE term >= ? AND term < ? LIMIT ?", (first, after(first), MOST))
    return [value_of(row[0]) for row in rows]
