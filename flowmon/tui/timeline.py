"""What happened to a message, in order of time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from flowmon.model.answers import Attempt, Detail, Hop
from flowmon.tui.format import clock, number, span
from flowmon.tui.glyphs import STATUS_TONES
from flowmon.tui.look import Look
from flowmon.tui.text import Line, clean
from flowmon.tui.widgets.document import DocLine

SECOND = timedelta(seconds=1)


class Fact(NamedTuple):
    """One thing that happened; facts sort by where they stand."""

    stands_at: datetime
    hop: int
    """Place of the hop on whose host it happened."""
    rank: int
    """Within one moment at one hop: arrival, verdict, attempt, departure."""
    at: datetime
    """By the log's own clock."""
    line: Line


class _Hops:
    """Puts facts of several clocks in order.

    Many logs have whole seconds: what is within a second of an arrival does not come before it.
    """

    def __init__(self, hops: list[Hop]) -> None:
        self.arrivals: list[datetime] = []
        self._first: dict[str, int] = {}
        last: datetime | None = None
        for place, hop in enumerate(hops):
            at = hop.arrived_at
            if last is not None and timedelta(0) < last - at < SECOND:
                at = last
            self.arrivals.append(at)
            self._first.setdefault(hop.host, place)
            last = at

    def stands(self, host: str, at: datetime) -> tuple[datetime, int]:
        """Where a fact of a host stands, and at which hop."""
        place = self._first.get(host)
        if place is None:
            return at, len(self.arrivals)
        arrived = self.arrivals[place]
        return (arrived if timedelta(0) < arrived - at < SECOND else at), place


def timeline(detail: Detail, look: Look) -> list[DocLine]:
    """A line for each fact: when, how long after the first, and what."""
    start = detail.message.first_seen_at
    lines = []
    for fact in sorted(_facts(detail, look), key=lambda fact: fact[:3]):
        since = f"+{span((fact.at - start).total_seconds())}"
        head: Line = [(f" {clock(fact.at, look.now, look.zone):<13}", "muted"), (f"{since:>7}  ", "faint")]
        lines.append(DocLine([*head, *fact.line]))
    return lines


def _facts(detail: Detail, look: Look) -> list[Fact]:
    hops = _Hops(detail.message.hops)
    facts: list[Fact] = []
    for place, hop in enumerate(detail.message.hops):
        name, at = clean(hop.host), hops.arrivals[place]
        queue = f" as {clean(hop.queue_id)}" if hop.queue_id else ""
        came: Line = [("arrives at ", "muted"), (name, "text"), (queue, "muted")]
        facts.append(Fact(at, place, 0, hop.arrived_at, came))
        if hop.left_at is not None:
            where = f" for {clean(hop.next_hop)}" if hop.next_hop else ""
            left: Line = [("leaves ", "muted"), (name, "text"), (where, "muted")]
            facts.append(Fact(max(at, hop.left_at), place, 3, hop.left_at, left))
    for verdict in detail.verdicts:
        said: Line = [(f"{clean(verdict.filter)} says ", "muted"), (clean(verdict.action), "text")]
        facts.append(Fact(*hops.stands(verdict.host, verdict.at), 1, verdict.at, said))
    for attempt in detail.attempts:
        first, last = attempt.first_at, attempt.last_at
        facts.append(Fact(*hops.stands(attempt.host, first), 2, first, _tried(attempt, look, "")))
        if attempt.count > 1:
            more = _tried(attempt, look, f", {number(attempt.count)} times by now")
            facts.append(Fact(*hops.stands(attempt.host, last), 2, last, more))
    return facts


def _tried(attempt: Attempt, look: Look, more: str) -> Line:
    word = f"{look.glyphs.status[attempt.status]} {attempt.status.value}"
    where = f" by {clean(attempt.relay)}" if attempt.relay else f" on {clean(attempt.host)}"
    why = f" ({clean(attempt.reason)})" if attempt.reason else ""
    return [
        (clean(attempt.recipient), "text"), (" ", ""), (word, STATUS_TONES[attempt.status]),
        (f"{where}{why}{more}", "muted"),
    ]  # fmt: skip
