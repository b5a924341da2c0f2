"""What is open on one host, and how mail that comes, is tried and leaves changes it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import MethodType
from typing import Any

import msgspec

from flowmon.model.event import SERVICE, Arrival, Attempt, Ended, Event, Identity, Queued
from flowmon.model.flow import Fate, Heard, Hop, Said, Spoken, Trouble
from flowmon.model.words import OPEN_STATUSES, DeliveryStatus
from flowmon.tracking import fates, incidents, processes, shares
from flowmon.tracking.facts import HostFacts
from flowmon.tracking.flows import lost

GRACE_SECONDS = 30.0
"""How long a hop that ended is kept for lines that come late, in time of the log."""

_CLOCKS_APART_SECONDS = 86_400.0
"""A hop that seems to have ended so long after now was logged by a wrong clock: it is not waited for."""

_D = DeliveryStatus
_DELIVERED, _RELAYED, _HELD = _D.DELIVERED, _D.RELAYED, _D.HELD  # an enumeration's attribute costs ten times a global
_NOTICES_KEPT = 20


class Common:
    """What the hosts of a tracker share."""

    __slots__ = ("changed", "endless", "late", "notices", "serial", "troubles")

    def __init__(self, serial: int, endless: frozenset[str]) -> None:
        self.serial = serial
        """The last serial given to a hop."""
        self.endless = endless
        """Systems whose logs do not say when a message is done: it is when all its recipients are."""
        self.changed: dict[int, Hop] = {}
        """Hops that changed since they were taken, by serial."""
        self.late: list[Heard] = []
        """What filters said of mail not held, since it was taken: the hop may have been let go."""
        self.notices: deque[tuple[float, str, str]] = deque(maxlen=_NOTICES_KEPT)
        """(time, host, text) of servers' own troubles."""
        self.troubles: dict[tuple[str, str], Trouble] = {}
        """By host and next hop: how the way is of late."""


class HostTracker:
    """Folds the events of one host. `handlers` takes them by kind."""

    __slots__ = (
        "clients", "common", "ended", "facts", "handlers", "hops", "in_session", "lines", "refusals", "verdicts",
    )

    def __init__(self, common: Common, facts: HostFacts) -> None:
        self.common = common
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
        self.lines: dict[str, list[Spoken]] = {}
        """Lines of sessions that brought or sent queue IDs of which no other line has told yet."""
        self.handlers: dict[type[Event], Callable[[Any], None]] = {
            Arrival: self._arrival, Identity: self._identity, Queued: self._queued, Attempt: self._attempt,
            Ended: self._ended,
            **{kind: MethodType(take, self) for kind, take in incidents.HANDLERS.items()},  # as quick as its own
        }

    # --- hops ---------------------------------------------------------------------------------------------------

    def new(self, event: Event, queue_id: str | None) -> Hop:
        """A new hop that begins with the event; under no queue ID it is a refused transaction."""
        common = self.common
        common.serial += 1
        hop = Hop(common.serial, event.host, event.system, queue_id, event.at, event.at)
        hop.fates = {}
        hop.evidence = [event.position]
        hop.session = event.session
        common.changed[hop.serial] = hop
        if queue_id is not None:
            self.hops[queue_id] = hop
            if self.verdicts:
                hop.verdicts = incidents.early(self, queue_id, event)
            if self.lines:
                incidents.spoken_early(self, hop, queue_id)
        return hop

    def touch(self, hop: Hop, event: Event) -> None:
        """Note that a line tells more of a hop."""
        hop.evidence.append(event.position)
        if event.at > hop.last_at:
            hop.last_at = event.at
        self.common.changed[hop.serial] = hop

    def hop_of(self, event: Event) -> Hop | None:
        """The hop that the event is about; a new one where the log begins in the middle; None without a queue ID."""
        queue_id = event.queue_id
        if queue_id is None:
            return None
        hop = self.hops.get(queue_id)
        if hop is None or (hop.left_at is not None and event.at - hop.last_at > GRACE_SECONDS):
            return self.new(event, queue_id)
        hop.evidence.append(event.position)
        if event.at > hop.last_at:
            hop.last_at = event.at
        self.common.changed[hop.serial] = hop
        return hop

    def end(self, hop: Hop, at: float) -> None:
        """The hop is done with at `at` (epoch seconds), unless it was before."""
        if hop.left_at is None:
            hop.left_at = at
            self.ended.append(hop)

    def let_go(self, horizon: float, now: float) -> list[Hop]:
        """Forget what ended before `horizon`, or by a wrong clock long after `now` (epoch seconds); gives it."""
        gone, still = [], []
        ended = self.ended
        while ended and not horizon <= ended[0].last_at <= now + _CLOCKS_APART_SECONDS:
            hop = ended.popleft()
            if hop.left_at is None:  # there was more of it after all
                continue
            if hop.refused is not None and incidents.may_go_on(self, hop, horizon):
                still.append(hop)
                continue
            if hop.queue_id is not None and self.hops.get(hop.queue_id) is hop:
                del self.hops[hop.queue_id]
            if hop.session is not None and self.in_session.get(hop.session) is hop:
                del self.in_session[hop.session]
            if hop.session is not None and self.refusals.get(hop.session) is hop:
                del self.refusals[hop.session]
            gone.append(hop)
        ended.extend(still)
        return gone

    def lose(self, now: float) -> list[Hop]:
        """Forget open hops that are lost sight of at `now` (epoch seconds); gives them."""
        gone = {queue_id: hop for queue_id, hop in self.hops.items() if lost(hop, now)}
        for queue_id, hop in gone.items():
            del self.hops[queue_id]
            if hop.session is not None and self.in_session.get(hop.session) is hop:
                del self.in_session[hop.session]
        return list(gone.values())

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
            if hop is not None and event.origin == SERVICE and fates.told_before(hop, event):
                self.facts.received -= 1
                self.touch(hop, event)
                return
            hop = self.new(event, queue_id)
        else:
            hop.evidence.append(event.position)
            self.common.changed[hop.serial] = hop
        hop.began = True
        hop.client, hop.login, hop.origin, hop.parent_id = event.client, event.login, event.origin, event.parent_id
        session = event.session
        if session is not None or event.network_message_id is None:  # Exchange tells the session in another log
            hop.session = session
        if session is not None:
            if event.client is None and self.clients:
                hop.client = self.clients.get(session)
            if event.origin != "pickup":
                self.in_session[session] = hop
        if event.envelope_sender is not None:
            hop.sender = event.envelope_sender
        if event.origin is None and session is not None and session.startswith(processes.PROCESS):
            processes.comes_of(self, hop, session)
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
            if event.at < hop.arrived_at and event.origin == SERVICE:
                hop.arrived_at = event.at  # exports begin with the newest record
        if event.recipient is not None:
            fates.known(hop, event.recipient, event.original_recipient)
        if event.subject is not None:
            hop.subject = event.subject
        if event.network_message_id is not None:
            hop.network_message_id = event.network_message_id
            hop.protocol = event.protocol  # only Exchange names the client's program here

    def _identity(self, event: Identity) -> None:
        hop = self.hop_of(event)
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
        hop = self.hop_of(event)
        if hop is None:
            return
        if hop.size is None and event.size is not None and hop.began:
            self.facts.bytes_received += event.size
        hop.queued = True
        if hop.queued_at is None:
            hop.queued_at = event.at
        if hop.aborted:
            hop.aborted, hop.left_at = False, None
        if event.envelope_sender is not None:
            hop.sender = event.envelope_sender
        hop.size = event.size
        hop.recipient_count = event.recipient_count
        if hop.state is _HELD:
            hop.state = hop.state_text = None
            for fate in hop.fates.values():
                if fate.status is _HELD:
                    fate.status = _D.QUEUED

    def _attempt(self, event: Attempt) -> None:
        hop = self.hop_of(event)
        if hop is None:
            return
        status, recipient = event.status, event.recipient
        if not hop.began:
            fates.waited_before(hop, event)
        if event.message_id is not None or event.envelope_sender is not None or event.network_message_id is not None:
            _more_of_attempt(hop, event)
        if event.diagnostic is None and self.clients and (answer := processes.answer_to(self, event)) is not None:
            event = msgspec.structs.replace(event, diagnostic=answer)
        if status is not None and recipient is not None:
            self._tried(hop, event, recipient, status)
        elif status is not None and (tried := shares.meant(hop, event)):
            for one in tried:
                self._tried(hop, event, one, status)
            if event.copy_number is not None:
                shares.settle(hop)
        elif recipient is not None and event.transport == "mailbox":
            hop.refused = "LMTP"
            hop.fates[recipient] = Fate(recipient, _D.REJECTED, event.at, None, None, event.diagnostic, since=event.at)
            self.end(hop, event.at)
        else:
            if status is not None and not hop.fates and hop.recipients is None:
                self._tried_unnamed(hop, event, status)
            if status not in (_RELAYED, _DELIVERED, _D.QUEUED):
                fates.failed_try(hop, event)

    def _tried_unnamed(self, hop: Hop, event: Attempt, status: DeliveryStatus) -> None:
        """A try of a message of which no line names a recipient: what became of it is all that is known."""
        if status is _D.DEFERRED is hop.state:
            self.facts.deferrals += 1
        else:
            self._count(hop, event.diagnostic, status)
        hop.state, hop.state_text = status, event.diagnostic
        if status in OPEN_STATUSES:
            hop.left_at = None
        else:
            self.end(hop, event.at)

    def _tried(self, hop: Hop, event: Attempt, recipient: str, status: DeliveryStatus) -> None:
        self._count(hop, event.diagnostic, status)
        fates.tried(hop, event, recipient, status)
        if (not hop.began and event.session == event.queue_id and event.transport == "mailbox") or (
            event.system in self.common.endless and fates.all_final(hop)
        ):
            self.end(hop, event.at)

    def _count(self, hop: Hop, text: str | None, status: DeliveryStatus) -> None:
        """Count a try, before it is noted."""
        facts = self.facts
        if status is _RELAYED or status is _DELIVERED:
            if text is not None and text[:13] == "forwarded as ":
                facts.forwarded += 1
                return
            facts.delivered += 1
            if status is _RELAYED:
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

    def _ended(self, event: Ended) -> None:
        hop = self.hop_of(event)
        if hop is None:
            return
        status = event.status
        if status is _D.REJECTED:
            incidents.broken_off(hop, event.at)
        elif status is not None:
            hop.state = status
            fates.changed(hop, status, event.at, None, None)
        self.end(hop, event.at)


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
