"""What a condition asks, seen from its SQL: the index, the tallies."""

from __future__ import annotations

import re
from typing import Any

from flowmon.store.filter import Filter
from flowmon.store.filter_match import LOOK_UP, LOOKED_UP, Condition
from flowmon.store.filter_nodes import Term
from flowmon.store.filter_sql import OPEN, status_places
from flowmon.store.terms import BEGINNING

_ONLY = re.compile(rf"(?: WHERE )?\(*{re.escape(LOOK_UP)}\)*")


def is_look_up(where: str) -> bool:
    """Whether a condition only looks up messages in the index, each once."""
    return _ONLY.fullmatch(where) is not None


def look_ups(where: str) -> list[int]:
    """The places, among the parameters of a condition, of what the index is asked."""
    parts = where.split(LOOKED_UP)
    return [sum(part.count("?") for part in parts[: n + 1]) + n for n in range(len(parts) - 1)]


def with_ids(where: str) -> str:
    """The same condition with JSON lists of ids in the place of what the index is asked."""
    return where.replace(LOOKED_UP, "SELECT value FROM json_each(?)")


def is_beginning(asked: Any) -> bool:
    """Whether the index is asked for terms that begin so: all of them are gathered for each question."""
    return BEGINNING in asked


def of_tallies(filter: Filter) -> Condition | None:
    """A filter of statuses alone as a condition of `tallies`; None for any other."""
    masks: list[str | float] = []
    for part in filter.parts:
        if not isinstance(part, Term) or part.key != "status" or OPEN in part.value.split(","):
            return None
        masks.append(sum(1 << place for place in status_places(part.value)))
    return " AND ".join(["(statuses & ?) != 0"] * len(masks)), masks


__all__ = ["LOOKED_UP", "is_beginning", "is_look_up", "look_ups", "of_tallies", "with_ids"]
