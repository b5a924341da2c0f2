"""The reading side of a store: all that screens and commands may ask.

An answer is a consistent picture of one commit. A reader never blocks the collector.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from flowmon.model.answers import (
    Detail,
    Health,
    Message,
    MessageRow,
    MinuteRow,
    ProblemRow,
    QueueRow,
    SourceRow,
    Totals,
)
from flowmon.store.filter import Filter


class Reader(Protocol):
    """Questions to a store. Every `filter` may be None: everything."""

    def version(self) -> int:
        """A number that changes with every commit of the collector (cheap; ask before anything else)."""
        ...

    def now(self) -> datetime:
        """The clock of ages: the wall clock for live sources, else the time of the newest line."""
        ...

    def health(self) -> Health: ...

    def minutes(self, count: int, filter: Filter | None = None) -> list[MinuteRow]:
        """The last `count` minutes up to now(), oldest first, without gaps."""
        ...

    def count(self, filter: Filter | None = None) -> int: ...

    def rows(
        self, filter: Filter | None = None, *, order: str = "last_seen", descending: bool = True,
        limit: int = 200, offset: int = 0,
    ) -> list[MessageRow]:
        """Messages for a table. `order`: last_seen, first_seen, sender, status (worst first), size, attempts, age."""
        ...

    def messages(self, filter: Filter | None = None) -> Iterator[Message]:
        """Whole messages, in order of first_seen_at."""
        ...

    def detail(self, id: int) -> Detail | None:
        """Everything of one message; None when it is no longer there (retention, or merged into another)."""
        ...

    def find(self, what: str) -> list[int]:
        """Rows of the messages with this message-id (with or without <>), queue ID or address, newest first."""
        ...

    def queues(self, filter: Filter | None = None) -> list[QueueRow]:
        """What waits, by host and next hop; what hurts most first."""
        ...

    def problems(self, filter: Filter | None = None) -> list[ProblemRow]:
        """Failures by class, reason and next hop; most messages first."""
        ...

    def sources(self) -> list[SourceRow]: ...

    def totals(self, filter: Filter | None = None) -> Totals: ...

    def close(self) -> None: ...
