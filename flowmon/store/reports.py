"""Which messages are reports (DSNs) about which others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from flowmon.model.flow import Flow
from flowmon.store.schema import Key
from flowmon.store.terms import match

_REPORT_SECONDS = 864_000.0
"""How far a report may be from what it reports about."""


class Reports:
    """Looks for the reports about a message, and for what a report is about."""

    def __init__(self, ask: Callable[..., list[Any]], flow: Callable[[int, bytes], Flow]) -> None:
        """`flow` unpacks the body of a row."""
        self._ask = ask
        self._flow = flow

    def of(self, flow: Any) -> tuple[list[int], int | None]:
        """Rows of the reports about a flow, and the row that it reports about."""
        made: list[int] = []
        about: int | None = None
        for hop in flow.hops:
            for name in hop.reports or ():
                made += self._beside(hop, name, flow.id) or [row for row, _ in self._named(name, flow.id)]
            if hop.queue_id is not None and hop.sender:
                made += [row for row, other in self._with(Key.RECIPIENT, hop.sender, since=hop.arrived_at) if any(
                    (h.host == hop.host and h.parent_id == hop.queue_id and h.sender == "") or
                    (h.about is not None and h.about == hop.message_id) for h in other.hops)]
            if hop.parent_id is not None and hop.sender == "":
                found = self._beside(hop, hop.parent_id, flow.id)
                about = found[0] if found else about
        first = flow.hops[0]
        if about is None and first.sender == "" and first.queue_id is not None:
            about = self._reported(first)
        if about is None and first.about is not None:
            about = next((row for row, other in self._named(first.about, flow.id) if any(
                h.sender and h.sender in first.fates and h.arrived_at <= first.last_at for h in other.hops)), None)
        return list(dict.fromkeys(made)), about

    def _reported(self, report: Any) -> int | None:
        """The row of the message that names this hop as its report: from whom the report goes to, else of its time."""
        to_senders = (pair for to in report.fates for pair in self._with(Key.SENDER, to, until=report.last_at))
        for row, other in chain(to_senders, self._failed_near(report)):
            if any(h.host == report.host and report.queue_id in (h.reports or ()) for h in other.hops):
                return row
        return None

    def _named(self, message_id: str, own: int) -> Iterator[tuple[int, Any]]:
        """Other messages with a Message-ID."""
        for id in self._rows(Key.MESSAGE_ID, message_id, " ORDER BY rowid DESC LIMIT 20"):
            if id != own:
                yield id, self._at(id)

    def _rows(self, kind: Key, value: str, order: str = "") -> list[int]:
        asked = match([(kind, value)])
        return [id for (id,) in self._ask(f"SELECT rowid FROM keys WHERE keys MATCH ?{order}", (asked,))]

    def _beside(self, hop: Any, queue_id: str, own: int) -> list[int]:
        return [
            id for id in self._rows(Key.QUEUE_ID, queue_id) if id != own and any(
                h.host == hop.host and h.queue_id == queue_id and abs(h.arrived_at - hop.last_at) < _REPORT_SECONDS
                for h in self._at(id).hops
            )
        ]

    def _with(
        self, kind: Key, address: str, *, since: float = 0.0, until: float = float("inf")
    ) -> Iterator[tuple[int, Any]]:
        """Messages from or to an address within a time, the newest first."""
        sql = (
            "SELECT m.id, m.body FROM messages m WHERE m.id IN (SELECT rowid FROM keys WHERE keys MATCH ?) "
            "AND m.last_at >= ? AND m.first_at <= ? ORDER BY m.first_at DESC LIMIT 200"
        )
        asked = match([(kind, address.lower())])
        for id, body in self._ask(sql, (asked, since - 5.0, min(until + 5.0, 1e12))):
            yield id, self._flow(id, body)

    def _failed_near(self, hop: Any) -> Iterator[tuple[int, Any]]:
        """Messages given up while a report was on its way (a report to a postmaster is not to the sender)."""
        sql = "SELECT id, body FROM messages WHERE last_at >= ? AND first_at <= ? AND status <= 1 LIMIT 500"
        for id, body in self._ask(sql, (hop.arrived_at - 5.0, hop.last_at + 5.0)):
            yield id, self._flow(id, body)

    def _at(self, id: int) -> Any:
        return self._flow(id, self._ask("SELECT body FROM messages WHERE id = ?", (id,))[0][0])
