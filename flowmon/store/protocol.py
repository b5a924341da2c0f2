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
    ProblemRow,
    QueueRow,
    SourceRow,
    Totals,
)
from flowmon.model.outcomes import Outcomes
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

    def throughput(self, parts: int, filter: Filter | None = None) -> list[Outcomes]:
        """Outcomes in at most so many equal parts, oldest first, without gaps.

        The period is that of the filter's `time:`; else it ends now(), and begins so many minutes ago, or with the
        oldest message where that is younger. A part covers minutes or hours as a clock has them.
        """
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

    def message_id(self, id: int) -> str | None:
        """The Message-ID of one message, in angle brackets; None when no log tells it, or the message is not there."""
        ...

    def find(self, what: str) -> list[int]:
        """Rows of the messages with this message-id (with or without <>), queue ID or address, newest first."""
        ...

    def values(self, key: str, start: str) -> list[str]:
        """The first few values of a filter's key that begin with a text, in order: what may be completed."""
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
