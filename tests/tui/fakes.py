"""A reader with a small fixed set of answers and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

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
from tests.tui.mail import HEALTH, NOW, PROBLEMS, QUEUES, ROWS, SOURCES, STUCK, minutes


class FakeReader:
    """Answers from the lists of mail.py; set its attributes to tell another story."""

    def __init__(self) -> None:
        self.clock = NOW
        self.commits = 1
        self.state = HEALTH
        self.queue_rows = list(QUEUES)
        self.problem_rows = list(PROBLEMS)
        self.source_rows = list(SOURCES)
        self.message_rows = list(ROWS)
        self.details = {3: STUCK}
        self.asked: list[tuple[str, str]] = []
        """Name of each question, with the text of its filter."""
        self.windows: list[tuple[int, int]] = []
        """Limit and offset of each question for rows."""
        self.fault: Exception | None = None

    def commit(self) -> None:
        """Something changed."""
        self.commits += 1

    def _note(self, question: str, by: Filter | None = None) -> None:
        if self.fault is not None:
            raise self.fault
        self.asked.append((question, by.text if by else ""))

    def _matching(self, by: Filter | None) -> list[MessageRow]:
        """Just enough of a filter for tests: from, status and to, by equality."""
        rows = self.message_rows
        for term in by.terms if by else ():
            field, _, value = term.partition(":")
            if field == "from":
                rows = [row for row in rows if row.envelope_sender == value]
            elif field == "status" and value != "open":
                rows = [row for row in rows if row.status.value == value]
            elif field == "reason":
                rows = [row for row in rows if row.reason == value]
        return rows

    def version(self) -> int:
        return self.commits

    def now(self) -> datetime:
        return self.clock

    def health(self) -> Health:
        self._note("health")
        return self.state

    def throughput(self, parts: int, filter: Filter | None = None) -> list[Outcomes]:
        self._note("throughput", filter)
        return minutes(parts)

    def count(self, filter: Filter | None = None) -> int:
        self._note("count", filter)
        return len(self._matching(filter))

    def rows(
        self, filter: Filter | None = None, *, order: str = "last_seen", descending: bool = True,
        limit: int = 200, offset: int = 0,
    ) -> list[MessageRow]:  # fmt: skip
        self._note("rows", filter)
        self.windows.append((limit, offset))
        return self._matching(filter)[offset : offset + limit]

    def messages(self, filter: Filter | None = None) -> Iterator[Message]:
        return iter(detail.message for detail in self.details.values())

    def detail(self, id: int) -> Detail | None:
        self._note("detail")
        return self.details.get(id)

    def message_id(self, id: int) -> str | None:
        self._note("message_id")
        return self.details[id].message.message_id if id in self.details else None

    def values(self, key: str, start: str) -> list[str]:
        return [value for value in ("edge", "edge2", "relay") if key == "host" and value.startswith(start)]

    def find(self, what: str) -> list[int]:
        return []

    def queues(self, filter: Filter | None = None) -> list[QueueRow]:
        self._note("queues", filter)
        next_hops = [term.removeprefix("next:") for term in filter.terms if term.startswith("next:")] if filter else []
        return [row for row in self.queue_rows if not next_hops or row.next_hop in next_hops]

    def problems(self, filter: Filter | None = None) -> list[ProblemRow]:
        self._note("problems", filter)
        return self.problem_rows

    def sources(self) -> list[SourceRow]:
        self._note("sources")
        return self.source_rows

    def totals(self, filter: Filter | None = None) -> Totals:
        return Totals()

    def close(self) -> None:
        """Nothing is open."""
