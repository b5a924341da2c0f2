"""What one line of a host tells for another line by the number of a process, or ahead of the line it belongs to.

qmail names the process that brings a report or a forward into the queue, and tells of that message by its own number
before or after; Courier tells what the next host answered on the line before the one with the status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowmon.model.event import Attempt, Change, Copy
from flowmon.model.flow import Fate, Hop
from flowmon.model.words import DeliveryStatus

if TYPE_CHECKING:
    from flowmon.tracking.host import HostTracker

SESSIONS_KEPT = 20_000
DELIVERY = "delivery "
"""Stands before the number of a delivery among the clients of sessions: a session may have the same number."""
PROCESS = "qp "
"""What names the process that brought a message into qmail's queue: it stands as the session of the arrival."""
_REPORT_BY, _COPY_BY = "report by ", "copy by "
_APART_SECONDS = 60.0
"""How long after each other two lines may name one process: numbers of processes are used again."""


def note(sessions: dict[str, Any], session: str, what: object) -> None:
    """Keep something of a session; the oldest is let go where the ends of many were never logged."""
    sessions.pop(session, None)
    if len(sessions) >= SESSIONS_KEPT:
        del sessions[next(iter(sessions))]
    sessions[session] = what


def has_made(host: HostTracker, of: Hop | None, process: str, at: float, *, is_report: bool) -> None:
    """A process brought a report about `of`, or a copy of it, into the queue: the message that this process brought a
    moment ago, else the one that it is about to."""
    if of is None:
        return
    made = host.in_session.get(process)
    if made is not None and made is not of and 0 <= at - made.arrived_at <= _APART_SECONDS:
        _join(host, of, made, is_report=is_report)
    else:
        note(host.in_session, (_REPORT_BY if is_report else _COPY_BY) + process, of)


def has_forwarded(host: HostTracker, event: Copy) -> None:
    """The same of a delivery, which stands as the session."""
    named = host.clients.get(DELIVERY + event.session) if event.session is not None else None
    if named is not None and event.copy_id is not None:
        has_made(host, host.hops.get(named.partition(" ")[0]), event.copy_id, event.at, is_report=False)


def comes_of(host: HostTracker, hop: Hop, process: str) -> None:
    """Join a message that a process brought in with what was told before to have had it made."""
    for prefix in (_REPORT_BY, _COPY_BY):
        of = host.in_session.pop(prefix + process, None)
        if of is not None and 0 <= hop.arrived_at - of.last_at <= _APART_SECONDS:
            _join(host, of, hop, is_report=prefix is _REPORT_BY)


def forwarded(parent: Hop, process: str) -> list[Fate]:
    """Recipients of a message that went on in the one that this process brought in; those delivered too stay here."""
    return [
        fate for fate in parent.fates.values()
        if fate.status is DeliveryStatus.EXPANDED and fate.diagnostic is not None and fate.diagnostic.endswith(process)
    ]


def _join(host: HostTracker, of: Hop, made: Hop, *, is_report: bool) -> None:
    if made.queue_id is None or is_report != (made.sender in ("", "#@[]")):
        return  # reports have no sender, and nothing else has none
    if is_report:
        of.reports = [*(of.reports or ()), made.queue_id]
    else:
        of.copies = [*(of.copies or ()), made.queue_id]
    host.common.changed[of.serial] = of


def answered(host: HostTracker, event: Change) -> None:
    """The next host's answer for a recipient: it is kept for the line that tells the status."""
    if event.recipient is not None and event.diagnostic is not None:
        note(host.clients, f"{event.queue_id} {event.recipient}", event.diagnostic)


def answer_to(host: HostTracker, event: Attempt) -> str | None:
    """What the next host answered to a try whose own line does not say it."""
    return host.clients.pop(f"{event.queue_id} {event.recipient}", None)
