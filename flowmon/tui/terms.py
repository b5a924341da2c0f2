"""Terms that cells put into the filter."""

from __future__ import annotations

from flowmon.store import filter as language


def term(field: str, value: str | None) -> str | None:
    """The term that finds exactly this value; None for a value that is unknown."""
    return None if value is None else language.term(field, value)
