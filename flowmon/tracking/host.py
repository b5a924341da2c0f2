"""What is open on one host, and how each kind of event changes it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from flowmon.model.event import (
    Arrival,
    Attempt,
    Change,
    Copy,
    Ended,
    Event,
    Identity,
    Notice,
    Probe,
    Queued,
    Refusal,
    Report,
    Session,
    Verdict,
)
from flowmon.model.flow import Fate, Hop, Said
from flowmon.model.words import DeliveryStatus
from flowmon.tracking import fates
from flowmon.tracking.facts import HostFacts

GRACE_SECONDS = 30.0
"""How long a hop that ended is kept for lines that come late, in time of the log."""
REFUSALS_APART_SECONDS = 600.0
"""Refusals of one session that are so far apart are two."""

_D = DeliveryStatus
_PROBE_SENDER = "double-bounce@"
"""Postfix probes addresses in this name; a refused session of it is no message (a bounce that is refused is a try of
the host that sends it, and joins that)."""
_EARLY_VERDICTS = 1000
_NOTICES_KEPT = 20


class Common:
    """What the hosts of a tracker share."""

    __slots__ = ("changed", "endless", "notices", "serial")

    def __init__(self, serial: int, endless: frozenset[str]) -> None:
        self.serial = serial
        """The last serial given to a hop."""
        self.endless = endless
        """Systems whose logs do not say when a message is done: it is when all its recipients are."""
        self.changed: dict[int, Hop] = {}
        """Hops that changed since they were taken, by serial."""
        self.notices: deque[tuple[float, str, str]] = deque(maxlen=_NOTICES_KEPT)
        """(time, host, text) of servers' own troubles."""


class HostTracker:
    """Folds the events of one host. `handlers` takes them by kind."""

    __slots__ = ("_common", "clients", "ended", "facts", "handlers", "hops", "in_session", "refusals", "verdicts")

    def __init__(self, common: Common, facts: HostFacts) -> None:
        self._common = common
        self.facts = facts
        self.hops: dict[str, Hop] = {}
        """By queue ID: what is open, and what ended a short while ago."""
        self.ended: deque[Hop] = deque()
        self.refusals: dict[str, Hop] = {}
        """The refused transaction of each session that is open."""
        self.in_session: dict[str, Hop] = {}
        """The hop that each session is sending."""
        self.clients: dict[str, str] = {}
        """Who is connected, by session, where only the connect line says so."""
        self.verdicts: dict[str, list[Said]] = {}
        """What filters said of queue IDs that no other line has told of yet."""
        self.handlers: dict[type[Event], Callable[[Any], None]] = {
            Arrival: self._arrival, Identity: self._identity, Queued: self._queued, Attempt: self._attempt,
            Refusal: self._refusal, Ended: self._ended, Change: self._change, Report: self._report, Copy: self._copy,
            Verdict: self._verdict, Session: self._session, Probe: self._probe, Notice: self._notice,
        }

    # --- hops ---------------------------------------------------------------------------------------------------

    def _new(self, event: Event, queue_id: str | None) -> Hop:
        common = self._common
        common.serial += 1
        hop = Hop(common.serial, event.host, event.system, queue_id, event.at, event.at)
        hop.fates = {}
        hop.evidence = [event.position]
        hop.session = event.session
        common.changed[hop.serial] = hop
        if queue_id is not None:
            self.hops[queue_id] = hop
            if self.verdicts:
                hop.verdicts = self.verdicts.pop(queue_id, None)
        return hop

    def _touch(self, hop: Hop, event: Event) -> None:
        """Note that a line tells more of a hop."""
        hop.evidence.append(event.position)
        if event.at > hop.last_at:
            hop.last_at = event.at
        self._common.changed[hop.serial] = hop

    def _hop(self, event: Event) -> Hop | None:
        """The hop that the event is about; a new one where the log begins in the middle; None without a queue ID."""
        queue_id = event.queue_id
        if queue_id is None:
            return None
        hop = self.hops.get(queue_id)
        if hop is None or (hop.left_at is not None and event.at - hop.last_at > GRACE_SECONDS):
            return self._new(event, queue_id)
        hop.evidence.append(event.position)
        if event.at > hop.last_at:
            hop.last_at = event.at
        self._common.changed[hop.serial] = hop
        return hop

    def _end(self, hop: Hop, at: float) -> None:
        if hop.left_at is None:
            hop.left_at = at
            self.ended.append(hop)

    def let_go(self, horizon: float) -> list[Hop]:
        """Forget what ended before `horizon` (epoch seconds); gives it."""
        gone = []
        ended = self.ended
        while ended and ended[0].last_at < horizon:
            hop = ended.popleft()
            if hop.queue_id is not None and self.hops.get(hop.queue_id) is hop:
                del self.hops[hop.queue_id]
            gone.append(hop)
        return gone

    def restore(self, hop: Hop) -> None:
        """Take up a hop that a store kept."""
        if hop.queue_id is not None:
            self.hops[hop.queue_id] = hop
        if hop.left_at is not None:
            self.ended.append(hop)

    # --- kinds --------------------------------------------------------------------------------------------------

    def _arrival(self, event: Arrival) -> None:
        self.facts.received += 1
        queue_id = event.queue_id
        if queue_id is None:
            return
        hop = self.hops.get(queue_id)
        if hop is None or (
            hop.began and (hop.left_at is not None or hop.queued or event.at - hop.last_at > GRACE_SECONDS)
        ):
            hop = self._new(event, queue_id)
        else:
            hop.evidence.append(event.position)
            self._common.changed[hop.serial] = hop
        hop.began = True
        hop.client, hop.login, hop.origin, hop.parent_id = event.client, event.login, event.origin, event.parent_id
        session = hop.session = event.session
        if session is not None:
            if event.client is None and self.clients:
                hop.client = self.clients.get(session)
            if event.origin != "pickup":
                self.in_session[session] = hop
        if event.envelope_sender is not None:
            hop.sender = event.envelope_sender
        if event.size is not None or event.message_id is not None or event.recipient is not None:
            self._more_of_arrival(hop, event)

    def _more_of_arrival(self, hop: Hop, event: Arrival) -> None:
        """What other systems tell on one line, and Postfix on several."""
        if event.size is not None:
            hop.size = event.size
            hop.queued = True
            self.facts.bytes_received += event.size
        if event.message_id is not None:
            hop.message_id = event.message_id
        if event.recipient is not None:
            fates.known(hop, event.recipient, event.original_recipient)
        if event.subject is not None:
            hop.subject = event.subject
        if event.network_message_id is not None:
            hop.network_message_id = event.network_message_id

    def _identity(self, event: Identity) -> None:
        hop = self._hop(event)
        if hop is None:
            return
        if event.message_id is not None:
            hop.message_id = event.message_id
        if event.subject is not None:
            hop.subject = event.subject
        if event.envelope_sender is not None:
            hop.sender = event.envelope_sender
        if event.recipient is not None:
            fates.known(hop, event.recipient, event.original_recipient)

    def _queued(self, event: Queued) -> None:
        hop = self._hop(event)
        if hop is None:
            return
        if hop.size is None and event.size is not None and hop.began:
            self.facts.bytes_received += event.size
        hop.queued = True
        hop.aborted = False
        hop.sender = event.envelope_sender
        hop.size = event.size
        hop.recipient_count = event.recipient_count
        if hop.state is _D.HELD:
            hop.state = hop.state_text = None
            for fate in hop.fates.values():
                if fate.status is _D.HELD:
                    fate.status = _D.QUEUED

    def _attempt(self, event: Attempt) -> None:
        hop = self._hop(event)
        if hop is None:
            return
        status, recipient = event.status, event.recipient
        if event.message_id is not None or event.envelope_sender is not None or event.network_message_id is not None:
            _more_of_attempt(hop, event)
        if status is not None and recipient is not None:
            self._count(hop, event.diagnostic, status)
            fates.tried(hop, event, recipient, status)
            if not hop.began and event.session == event.queue_id and event.transport == "mailbox":
                self._end(hop, event.at)
            elif event.system in self._common.endless and fates.all_final(hop):
                self._end(hop, event.at)
        elif recipient is not None and event.transport == "mailbox":
            hop.refused = "LMTP"
            hop.fates[recipient] = Fate(recipient, _D.REJECTED, event.at, None, None, event.diagnostic, since=event.at)
            self._end(hop, event.at)
        else:
            fates.failed_try(hop, event)

    def _count(self, hop: Hop, text: str | None, status: DeliveryStatus) -> None:
        """Count a try, before it is noted."""
        facts = self.facts
        if status is _D.RELAYED or status is _D.DELIVERED:
            if text is not None and text.startswith("forwarded as "):
                facts.forwarded += 1
                return
            facts.delivered += 1
            if status is _D.RELAYED:
                facts.relayed += 1
            if hop.size:
                facts.bytes_delivered += hop.size
        elif status is _D.DEFERRED:
            facts.deferrals += 1
            if not fates.was_deferred(hop):
                facts.deferred += 1
        elif status is _D.BOUNCED or status is _D.EXPIRED:
            facts.bounced += 1
        elif status is _D.DISCARDED:
            facts.discarded += 1

    def _refusal(self, event: Refusal) -> None:
        status = event.status
        if event.command != "AUTH":
            self._count_refusal(status)
        if status is None:
            return
        hop = self._hop(event) or self._refused_session(event)
        if event.envelope_sender is not None:
            hop.sender = event.envelope_sender
        if event.message_id is not None:
            hop.message_id = event.message_id
        if event.subject is not None:
            hop.subject = event.subject
        if event.login is not None:
            hop.login = event.login
        hop.client = hop.client or event.client
        hop.holds += status is _D.HELD
        if event.recipient is not None:
            fates.refused(hop, event, event.recipient, status)
        whole = event.queue_id is None or event.command not in ("RCPT", "MAIL", None)
        if whole or event.recipient is None:
            hop.state, hop.state_text = status, event.diagnostic
            if status is not _D.HELD:
                self._end(hop, event.at)

    def _count_refusal(self, status: DeliveryStatus | None) -> None:
        facts = self.facts
        if status is _D.REJECTED:
            facts.rejected += 1
        elif status is _D.HELD:
            facts.held += 1
        elif status is _D.DISCARDED:
            facts.discarded += 1
        elif status is None:
            facts.reject_warnings += 1

    def _refused_session(self, event: Refusal) -> Hop:
        """The hop that stands for the refused transaction of a session: same client, same sender."""
        hop = self.refusals.get(event.session) if event.session is not None else None
        if (
            hop is not None and hop.client == event.client and hop.refused == event.command
            and (event.envelope_sender is None or hop.sender == event.envelope_sender)
            and event.at - hop.last_at < REFUSALS_APART_SECONDS
        ):
            self._touch(hop, event)
            return hop
        hop = self._new(event, None)
        hop.refused = event.command or "RCPT"
        hop.began = True
        hop.probe = event.envelope_sender is not None and event.envelope_sender.startswith(_PROBE_SENDER)
        if event.session is not None:
            self.refusals[event.session] = hop
        return hop

    def _ended(self, event: Ended) -> None:
        hop = self._hop(event)
        if hop is None:
            return
        if event.status is not None:
            hop.state = event.status
            fates.changed(hop, event.status, event.at, None, None)
        self._end(hop, event.at)

    def _change(self, event: Change) -> None:
        status = event.status
        hop = self._hop(event) if status is not None else None
        if hop is None or status is None:
            return
        if status is _D.HELD:
            self.facts.held += 1
            hop.holds += 1
        if status is _D.QUEUED:
            hop.state = hop.state_text = None
        elif event.recipient is None:
            hop.state, hop.state_text = status, event.diagnostic
        fates.changed(hop, status, event.at, event.diagnostic, event.recipient)

    def _report(self, event: Report) -> None:
        report = event.report_id or event.report_message_id
        if event.queue_id is None and event.about_message_id is not None and event.report_id is not None:
            made = self.hops.get(event.report_id)
            if made is not None:
                made.about = event.about_message_id
                self._touch(made, event)
            return
        hop = self._hop(event)
        if hop is not None and report is not None:
            hop.reports = [*(hop.reports or ()), report]

    def _copy(self, event: Copy) -> None:
        hop = self._hop(event)
        if hop is not None and event.copy_id is not None:
            hop.copies = [*(hop.copies or ()), event.copy_id]

    def _verdict(self, event: Verdict) -> None:
        queue_id = event.queue_id
        if queue_id is None:
            return
        said = Said(event.at, event.host, event.system, event.action, event.score, event.detail, event.reason)
        hop = self.hops.get(queue_id)
        if hop is None:
            if len(self.verdicts) > _EARLY_VERDICTS:
                self.verdicts.pop(next(iter(self.verdicts)))
            self.verdicts.setdefault(queue_id, []).append(said)
            return
        self._touch(hop, event)
        hop.verdicts = [*(hop.verdicts or ()), said]

    def _probe(self, event: Probe) -> None:
        hop = self._hop(event)
        if hop is not None:
            hop.probe = True

    def _session(self, event: Session) -> None:
        session = event.session
        if session is None:
            return
        self.refusals.pop(session, None)
        hop = self.in_session.pop(session, None)
        if hop is not None and not hop.queued and hop.left_at is None:
            hop.aborted = True
            self._common.changed[hop.serial] = hop
        if event.client is not None:
            self.clients[session] = event.client
        elif self.clients:
            self.clients.pop(session, None)

    def _notice(self, event: Notice) -> None:
        if event.text:
            self._common.notices.append((event.at, event.host, event.text[:500]))


def _more_of_attempt(hop: Hop, event: Attempt) -> None:
    """What other systems tell on the line of a try."""
    if event.message_id is not None and hop.message_id is None:
        hop.message_id = event.message_id
    if event.network_message_id is not None:
        hop.network_message_id = event.network_message_id
    if event.envelope_sender is not None and hop.sender is None:
        hop.sender = event.envelope_sender
    if event.subject is not None and hop.subject is None:
        hop.subject = event.subject
    if event.size is not None and hop.size is None:
        hop.size = event.size
