"""What happens to mail beside its way through a host.

Refusals, what operators change, reports, copies, verdicts of filters, address probes, ends of sessions, troubles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flowmon.model.event import (
    Arrival,
    Attempt,
    Change,
    Copy,
    Event,
    Line,
    Notice,
    Numbered,
    Probe,
    Refusal,
    Report,
    Session,
    Verdict,
)
from flowmon.model.flow import Fate, Heard, Hop, Said, Spoken, Trouble
from flowmon.model.words import DeliveryStatus
from flowmon.tracking import fates, processes
from flowmon.tracking.facts import HostFacts
from flowmon.tracking.processes import DELIVERY, note

if TYPE_CHECKING:
    from flowmon.tracking.host import HostTracker

REFUSALS_APART_SECONDS = 600.0
"""Refusals of one session that are so far apart are two."""

_D = DeliveryStatus
_PROBE_SENDER = "double-bounce@"
"""Postfix probes addresses in this name; a refused session of it is no message (a bounce that is refused is a try of
the host that sends it, and joins that)."""
_EARLY_VERDICTS = 1000
_LINES_KEPT = 200
TROUBLES_KEPT = 1000
_VERDICT_BEFORE_SECONDS, _VERDICT_AFTER_SECONDS = 5.0, 30.0
"""How long before the begin and after the end of a hop a filter may seem to speak of it: logs in whole seconds, lines
that come late. Queue IDs are used again."""
_EARLY_SECONDS = 600.0
"""The same before the first line of a hop whose begin the log does not tell."""


def _refusal(host: HostTracker, event: Refusal) -> None:
    status = event.status
    if event.command != "AUTH":
        _count_refusal(host.facts, status)
    if status is None:
        return
    client = event.client
    if client is None and event.session is not None:
        client = host.clients.get(event.session)
    hop = host.hop_of(event) or _refused_session(host, event, client)
    if event.envelope_sender is not None:
        hop.sender = event.envelope_sender
    if event.message_id is not None:
        hop.message_id = event.message_id
    if event.subject is not None:
        hop.subject = event.subject
    if event.login is not None:
        hop.login = event.login
    hop.client = hop.client or client
    hop.holds += status is _D.HELD
    if event.recipient is not None:
        fates.refused(hop, event, event.recipient, status)
    whole = event.queue_id is None or event.command not in ("RCPT", "MAIL", None)
    if whole or event.recipient is None:
        hop.state, hop.state_text = status, event.diagnostic
        if status is not _D.HELD:
            host.end(hop, event.at)


def _count_refusal(facts: HostFacts, status: DeliveryStatus | None) -> None:
    if status is _D.REJECTED:
        facts.rejected += 1
    elif status is _D.HELD:
        facts.held += 1
    elif status is _D.DISCARDED:
        facts.discarded += 1
    elif status is None:
        facts.reject_warnings += 1


def _refused_session(host: HostTracker, event: Refusal, client: str | None) -> Hop:
    """The hop that stands for the refused transaction of a session: same client, same sender."""
    hop = host.refusals.get(event.session) if event.session is not None else None
    if (
        hop is not None and hop.system == event.system and hop.client == client and hop.refused == event.command
        and (event.envelope_sender is None or hop.sender == event.envelope_sender)
        and event.at - hop.last_at < REFUSALS_APART_SECONDS
    ):
        host.touch(hop, event)
        return hop
    hop = host.new(event, None)
    hop.refused = event.command or "RCPT"
    hop.began = True
    hop.probe = event.envelope_sender is not None and event.envelope_sender.startswith(_PROBE_SENDER)
    if event.session is not None:
        note(host.refusals, event.session, hop)
    return hop


def may_go_on(host: HostTracker, hop: Hop, horizon: float) -> bool:
    """Whether more refusals of a refused session may come: it is open, and the last was not long before `horizon`, nor
    before what its host told last (whose log may be far behind others)."""
    return (
        hop.session is not None and host.refusals.get(hop.session) is hop
        and hop.last_at > min(horizon, host.facts.begins) - REFUSALS_APART_SECONDS
    )


def _numbered(host: HostTracker, event: Numbered) -> None:
    """Turn numbers into recipients: those of one message are named in their order, all before the first try."""
    if event.number is None:
        _by_delivery(host, event)
        return
    hop = host.hop_of(event)
    if hop is None or not event.number.isdecimal():
        return
    number = int(event.number)
    named = hop.recipients.split() if hop.recipients else []
    recipient = event.recipient
    if event.status is None and recipient is not None:
        if number == len(named):  # else the log begins in the middle: whose the later numbers are is not known
            hop.recipients = " ".join([*named, recipient])
            hop.fates.setdefault(recipient, Fate(recipient, _D.QUEUED, event.at, since=event.at, count=0))
        return
    if recipient is None:
        recipient = named[number] if number < len(named) else None
    fate = hop.fates.get(recipient) if recipient is not None else None
    if event.status is not None and recipient is not None:
        relay = event.relay
        if relay is None and event.session is not None:
            relay = host.clients.get(event.session)
        host.handlers[Attempt](Attempt(
            event.at, event.host, event.system, event.queue_id, event.session, event.position, recipient, event.status,
            None, relay, event.enhanced_status, event.diagnostic,
        ))
    elif fate is not None and fate.count:
        fate.diagnostic, fate.reply_id = event.diagnostic, None


def _by_delivery(host: HostTracker, event: Numbered) -> None:
    """A delivery, named with its recipients first, then told by its number, or with its message of all of them."""
    session = event.session
    if session is None:
        return
    if event.status is None:
        hop = host.hop_of(event)
        if hop is not None and event.recipient is not None:
            begin = f"{event.queue_id} {event.transport or '-'} "
            told = host.clients.get(DELIVERY + session, "")
            named = told[len(begin):].split(" ") if told.startswith(begin) else []
            note(host.clients, DELIVERY + session, begin + " ".join(dict.fromkeys([*named, event.recipient])))
            hop.fates.setdefault(event.recipient, Fate(event.recipient, _D.QUEUED, event.at, since=event.at, count=0))
        return
    queue_id, transport, recipients = host.clients.pop(DELIVERY + session, "- - ").split(" ", 2)
    if not recipients or event.queue_id not in (None, queue_id):
        return  # the log begins in the middle: whose delivery it is, is not known
    here = transport == "mailbox"
    status = _D.DELIVERED if here and event.status is _D.RELAYED else event.status
    # a number of qmail's is of the last that it was given for: those before were never told the end of
    for recipient in recipients.split(" ")[-1 if event.queue_id is None else 0:]:
        host.handlers[Attempt](Attempt(
            event.at, event.host, event.system, queue_id, None, event.position, recipient, status, None, event.relay,
            event.enhanced_status, event.diagnostic, transport=transport if transport != "-" else None,
        ))


def _change(host: HostTracker, event: Change) -> None:
    status = event.status
    hop = host.hop_of(event)
    if hop is None:
        return
    if status is None:
        processes.answered(host, event)
        return
    if status is _D.HELD:
        host.facts.held += 1
        hop.holds += 1
    if status is _D.QUEUED:
        hop.state = hop.state_text = None
    elif event.recipient is None:
        hop.state, hop.state_text = status, event.diagnostic
    fates.changed(hop, status, event.at, event.diagnostic, event.recipient)


def _report(host: HostTracker, event: Report) -> None:
    report = event.report_id or event.report_message_id
    if report is not None and report.startswith(processes.PROCESS):
        processes.has_made(host, host.hop_of(event), report, event.at, is_report=True)
        return
    if event.queue_id is None and event.about_message_id is not None and event.report_id is not None:
        made = host.hops.get(event.report_id)
        if made is not None:
            made.about = event.about_message_id
            host.touch(made, event)
        return
    hop = host.hop_of(event)
    if hop is not None and report is not None:
        hop.reports = [*(hop.reports or ()), report]


def _copy(host: HostTracker, event: Copy) -> None:
    if event.copy_id is not None and event.copy_id.startswith(processes.PROCESS):
        processes.has_forwarded(host, event)
        return
    hop = host.hop_of(event)
    if hop is not None and event.copy_id is not None:
        hop.copies = [*(hop.copies or ()), event.copy_id]


def _verdict(host: HostTracker, event: Verdict) -> None:
    queue_id = event.queue_id
    said = Said(event.at, event.host, event.system, event.action, event.score, event.detail, event.reason)
    if queue_id is None:
        if event.message_id is not None:
            host.common.late.append(Heard(said, None, event.message_id, event.envelope_sender, event.recipient))
        return
    hop = host.hops.get(queue_id)
    if hop is not None and is_about(said, hop):
        host.touch(hop, event)
        hop.verdicts = [*(hop.verdicts or ()), said]
        return
    host.common.late.append(Heard(said, queue_id, None))
    if hop is None or said.at > hop.arrived_at:
        if len(host.verdicts) > _EARLY_VERDICTS:
            del host.verdicts[next(iter(host.verdicts))]
        host.verdicts.setdefault(queue_id, []).append(said)


def is_about(said: Said, hop: Hop) -> bool:
    """Whether a filter that names a hop's queue ID spoke while that hop was at work."""
    before = _VERDICT_BEFORE_SECONDS if hop.began else _EARLY_SECONDS
    return hop.arrived_at - before <= said.at and (
        hop.left_at is None or said.at <= hop.last_at + _VERDICT_AFTER_SECONDS
    )


def early(host: HostTracker, queue_id: str, event: Event) -> list[Said] | None:
    """What filters said a short while before of a queue ID that now has its first line."""
    before = _VERDICT_BEFORE_SECONDS if isinstance(event, Arrival) else _EARLY_SECONDS
    said = [one for one in host.verdicts.pop(queue_id, ()) if event.at - one.at <= before]
    return said or None


def _line(host: HostTracker, event: Line) -> None:
    queue_id = event.queue_id
    if queue_id is None:
        return
    spoken = Spoken(event.at, event.position, event.session)
    hop = host.hops.get(queue_id)
    if hop is not None:
        _give(hop, spoken)
        host.common.changed[hop.serial] = hop
        return
    lines = host.lines.setdefault(queue_id, [])
    if len(lines) < _LINES_KEPT:
        lines.append(spoken)
    if len(host.lines) > _EARLY_VERDICTS:
        del host.lines[next(iter(host.lines))]


def spoken_early(host: HostTracker, hop: Hop, queue_id: str) -> None:
    """Give a hop that begins the lines of its session that came a short while before."""
    for spoken in host.lines.pop(queue_id, ()):
        if abs(spoken.at - hop.arrived_at) <= _EARLY_SECONDS:
            _give(hop, spoken)


def _give(hop: Hop, spoken: Spoken) -> None:
    hop.evidence.append(spoken.position)
    if hop.session is None:
        hop.session = spoken.session


def _probe(host: HostTracker, event: Probe) -> None:
    hop = host.hop_of(event)
    if hop is not None:
        hop.probe = True


def _session(host: HostTracker, event: Session) -> None:
    session = event.session
    if session is None:
        return
    if event.queue_id is not None:
        _brought(host, event, host.clients.get(session))
        return
    host.refusals.pop(session, None)
    hop = host.in_session.pop(session, None)
    if hop is not None and not hop.queued and hop.left_at is None and hop.state is None:  # held is accepted
        hop.aborted = True
        host.end(hop, event.at)
        host.common.changed[hop.serial] = hop
    if event.client is not None:
        note(host.clients, session, event.client)
    elif host.clients:
        host.clients.pop(session, None)
        host.clients.pop(DELIVERY + session, None)  # MailEnable begins the next message of a session so


def broken_off(hop: Hop, at: float) -> None:
    """Note that mail never came into the queue: what refused it has told so, or the client went away."""
    if hop.state is None or hop.state is _D.HELD:
        hop.state = hop.state_text = None
        hop.aborted = True
        fates.changed(hop, _D.REJECTED, at, None, None)


def _brought(host: HostTracker, event: Session, client: str | None) -> None:
    """The session brought this message through a filter before the queue, which saw only the proxy."""
    hop = host.hop_of(event)
    if hop is not None and hop.client is None:
        hop.client = client


def _notice(host: HostTracker, event: Notice) -> None:
    if event.next_hop is not None:
        _way(host, event, event.next_hop.lower())
    elif event.text:
        host.common.notices.append((event.at, event.host, event.text[:500]))


def _way(host: HostTracker, event: Notice, next_hop: str) -> None:
    """Keep the newest word on the way to a next hop, whichever log told it first."""
    troubles = host.common.troubles
    have = troubles.get((event.host, next_hop))
    if have is not None and have.at > event.at:
        return
    if have is not None:
        del troubles[event.host, next_hop]  # put behind all others
    elif len(troubles) >= TROUBLES_KEPT:
        del troubles[next(iter(troubles))]
    troubles[event.host, next_hop] = Trouble(event.host, next_hop, event.at, event.text[:500] if event.text else None)


HANDLERS: dict[type[Event], Callable[[HostTracker, Any], None]] = {
    Refusal: _refusal, Numbered: _numbered, Change: _change, Report: _report, Copy: _copy, Verdict: _verdict,
    Probe: _probe, Session: _session, Notice: _notice, Line: _line,
}
"""What takes each of these kinds of events, with the host that it tells of."""
