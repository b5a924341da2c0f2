"""The tracker: folds events into hops, host by host.

It holds what is open, and what has ended a short while ago (lines of one message may be out of order). It knows no
clock, no file and no store: time is what the lines say.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from flowmon.model.event import (
    Arrival,
    Attempt,
    Change,
    Copy,
    Ended,
    Event,
    Identity,
    Notice,
    Queued,
    Refusal,
    Report,
    Session,
    Verdict,
)
from flowmon.model.flow import Fate, Hop, Said, Try
from flowmon.model.words import OPEN_STATUSES, DeliveryStatus
from flowmon.tracking.facts import HostFacts

GRACE_SECONDS = 30.0
"""How long a hop that ended is kept for lines that come late, in time of the log."""

_D = DeliveryStatus
_EARLIER_KEPT = 20
_NOTICES_KEPT = 20


_Pending = tuple[str, dict[str, str], dict[str, int], dict[str, list[Said]]]
"""Host, clients by session, serials of hops by session, verdicts by queue ID."""


class HostState:
    """What is open on one host."""

    __slots__ = ("clients", "ended", "facts", "hops", "in_session", "refusals", "verdicts")

    def __init__(self, facts: HostFacts) -> None:
        self.facts = facts
        self.hops: dict[str, Hop] = {}
        self.refusals: dict[str | None, Hop] = {}
        """The refused transaction of each session that is open."""
        self.in_session: dict[str, Hop] = {}
        """The hop that each session is sending."""
        self.clients: dict[str, str] = {}
        """Who is connected, by session, where only the connect line says so."""
        self.ended: deque[Hop] = deque()
        self.verdicts: dict[str, list[Said]] = {}
        """What filters said of queue IDs that no other line has told of yet."""


class Tracker:
    """Folds events. `take()` gives the hops that changed."""

    def __init__(self, serial: int = 0, endless: frozenset[str] = frozenset()) -> None:
        self.serial = serial
        """The last serial given to a hop."""
        self._endless = endless
        """Systems whose logs do not say when a message is done: it is when all its recipients are."""
        self._host = ""
        self._host_state = HostState(HostFacts("", {}))
        """The host of the last event, and its state: lines of one log come together."""
        self.hosts: dict[str, HostState] = {}
        self.facts: dict[tuple[int, str, str], int] = {}
        """(minute, host, name) to count, since the last take_facts()."""
        self.notices: deque[tuple[float, str, str]] = deque(maxlen=_NOTICES_KEPT)
        """(time, host, text) of servers' own troubles."""
        self._changed: dict[int, Hop] = {}
        self._handlers: dict[type[Event], Callable[[Any, HostState], None]] = {
            Arrival: self._arrival,
            Identity: self._identity,
            Queued: self._queued,
            Attempt: self._attempt,
            Refusal: self._refusal,
            Ended: self._ended,
            Change: self._change,
            Report: self._report,
            Copy: self._copy,
            Verdict: self._verdict,
            Session: self._session,
            Notice: self._notice,
        }

    # --- the way in ---------------------------------------------------------------------------------------------

    def fold(self, event: Event) -> None:
        """Take one event."""
        host = event.host
        if host != self._host:
            self._host, self._host_state = host, self.hosts.get(host) or self._state(host)
        state = self._host_state
        facts = state.facts
        if not facts.begins <= event.at < facts.ends:
            facts.turn(event.at)
        self._handlers[event.__class__](event, state)

    def take(self, now: float, *, settled: bool = False) -> list[Hop]:
        """The hops that changed since the last call; lets go of what ended long enough before `now` (log time).

        `settled`: only those that are let go, each once and with all that was told of it; the others wait.
        """
        changed = self._changed
        taken: list[Hop] = []
        horizon = now - GRACE_SECONDS
        for state in self.hosts.values():
            ended = state.ended
            while ended and ended[0].last_at < horizon:
                hop = ended.popleft()
                if hop.queue_id is not None and state.hops.get(hop.queue_id) is hop:
                    del state.hops[hop.queue_id]
                if settled and changed.pop(hop.serial, None) is not None:
                    taken.append(hop)
        if settled:
            return taken
        self._changed = {}
        return list(changed.values())

    def take_facts(self) -> dict[tuple[int, str, str], int]:
        """Counts since the last call."""
        for state in self.hosts.values():
            state.facts.put_away()
        facts = dict(self.facts)
        self.facts.clear()
        return facts

    def pending(self) -> bytes:
        """What is kept beside hops, for a restart: who is connected, what sessions send, verdicts that came early."""
        return msgspec.msgpack.encode([
            (host, state.clients, {session: hop.serial for session, hop in state.in_session.items()}, state.verdicts)
            for host, state in self.hosts.items() if state.clients or state.in_session or state.verdicts
        ])

    def restore(self, hops: Iterable[Hop], pending: bytes) -> None:
        """Take up what a store kept: open hops and those that ended a short while ago, and `pending()`."""
        by_serial: dict[int, Hop] = {}
        for hop in hops:
            by_serial[hop.serial] = hop
            state = self._state(hop.host)
            if hop.queue_id is not None:
                state.hops[hop.queue_id] = hop
            elif hop.refused is not None:
                state.refusals[hop.session] = hop
            if hop.left_at is not None:
                state.ended.append(hop)
        for host, clients, in_session, verdicts in msgspec.msgpack.decode(pending, type=list[_Pending]) if pending else ():
            state = self._state(host)
            state.clients.update(clients)
            state.verdicts.update(verdicts)
            state.in_session.update({s: by_serial[n] for s, n in in_session.items() if n in by_serial})

    def _state(self, host: str) -> HostState:
        state = self.hosts.get(host)
        if state is None:
            state = self.hosts[host] = HostState(HostFacts(host, self.facts))
        return state

    # --- hops ---------------------------------------------------------------------------------------------------

    def _new(self, event: Event, state: HostState, queue_id: str | None) -> Hop:
        self.serial += 1
        hop = Hop(self.serial, event.host, event.system, queue_id, event.at, event.at)
        hop.fates = {}
        hop.evidence = [event.position]
        hop.session = event.session
        self._changed[hop.serial] = hop
        if queue_id is not None:
            state.hops[queue_id] = hop
            if state.verdicts:
                hop.verdicts = state.verdicts.pop(queue_id, None)
        return hop

    def _hop(self, event: Event, state: HostState) -> Hop | None:
        """The hop that the event is about; a new one where the log begins in the middle; None without a queue ID."""
        queue_id = event.queue_id
        if queue_id is None:
            return None
        hop = state.hops.get(queue_id)
        if hop is None:
            return self._new(event, state, queue_id)
        hop.evidence.append(event.position)
        if event.at > hop.last_at:
            hop.last_at = event.at
        self._changed[hop.serial] = hop
        return hop

    def _end(self, hop: Hop, state: HostState, at: float) -> None:
        if hop.left_at is None:
            hop.left_at = at
            state.ended.append(hop)

    # --- kinds --------------------------------------------------------------------------------------------------

    def _arrival(self, event: Arrival, state: HostState) -> None:
        state.facts.received += 1
        queue_id = event.queue_id
        if queue_id is None:
            return
        hop = state.hops.get(queue_id)
        if hop is None or (
            hop.began and (hop.left_at is not None or hop.queued or event.at - hop.last_at > GRACE_SECONDS)
        ):
            hop = self._new(event, state, queue_id)
        else:
            hop.evidence.append(event.position)
            self._changed[hop.serial] = hop
        hop.began = True
        hop.client, hop.login, hop.origin, hop.parent_id = event.client, event.login, event.origin, event.parent_id
        session = hop.session = event.session
        if session is not None:
            if event.client is None and state.clients:
                hop.client = state.clients.get(session)
            if event.origin != "pickup":
                state.in_session[session] = hop
        if event.envelope_sender is not None:
            hop.sender = event.envelope_sender
        if event.size is not None or event.message_id is not None or event.recipient is not None:
            self._more_of_arrival(hop, event, state)

    def _more_of_arrival(self, hop: Hop, event: Arrival, state: HostState) -> None:
        """What other systems tell on one line, and Postfix on several."""
        if event.size is not None:
            hop.size = event.size
            hop.queued = True
            state.facts.bytes_received += event.size
        if event.message_id is not None:
            hop.message_id = event.message_id
        if event.recipient is not None:
            self._known(hop, event.recipient, event.original_recipient)
        if event.subject is not None:
            hop.subject = event.subject
        if event.network_message_id is not None:
            hop.network_message_id = event.network_message_id

    @staticmethod
    def _known(hop: Hop, recipients: str, original: str | None) -> None:
        known = hop.recipients.split() if hop.recipients else []
        hop.recipients = " ".join(dict.fromkeys([*known, *recipients.split()]))
        if original:
            for recipient in recipients.split():
                fate = hop.fates.get(recipient)
                if fate is None:
                    hop.fates[recipient] = Fate(recipient, _D.QUEUED, hop.last_at, original, since=hop.last_at, count=0)

    def _identity(self, event: Identity, state: HostState) -> None:
        hop = self._hop(event, state)
        if hop is None:
            return
        if event.message_id is not None:
            hop.message_id = event.message_id
        if event.subject is not None:
            hop.subject = event.subject
        if event.envelope_sender is not None:
            hop.sender = event.envelope_sender
        if event.recipient is not None:
            self._known(hop, event.recipient, event.original_recipient)

    def _queued(self, event: Queued, state: HostState) -> None:
        hop = self._hop(event, state)
        if hop is None:
            return
        if hop.size is None and event.size is not None and hop.began:
            state.facts.bytes_received += event.size
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

    def _attempt(self, event: Attempt, state: HostState) -> None:
        hop = self._hop(event, state)
        if hop is None:
            return
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
        status, recipient = event.status, event.recipient
        if recipient is not None and status is None and event.transport == "mailbox":
            hop.refused = "LMTP"
            hop.fates[recipient] = Fate(recipient, _D.REJECTED, event.at, None, None, event.diagnostic, since=event.at)
            self._end(hop, state, event.at)
            return
        if status is None or recipient is None:
            self._failed_try(hop, event)
            return
        self._count(hop, event, status, state.facts)
        if event.transport == "mailbox" and not hop.began and event.session == event.queue_id:
            self._end(hop, state, event.at)
        fate = hop.fates.get(recipient)
        if fate is None:
            hop.fates[recipient] = Fate(
                recipient, status, event.at, event.original_recipient, event.relay, event.diagnostic,
                event.enhanced_status, event.delays, event.transport, None, 0, event.at,
            )
        else:
            self._again(fate, event, status)
        if event.system in self._endless and _all_final(hop):
            self._end(hop, state, event.at)

    @staticmethod
    def _again(fate: Fate, event: Attempt, status: DeliveryStatus) -> None:
        """A further try of a recipient."""
        if event.original_recipient is not None:
            fate.original = event.original_recipient
        if fate.count and (
            fate.status is not status or fate.relay != event.relay or fate.enhanced_status != event.enhanced_status
            or _gist(fate.diagnostic) != _gist(event.diagnostic)
        ):
            _put_away(fate)
            fate.since, fate.count = event.at, 0
        if not fate.count:
            fate.since = event.at
        fate.count += 1
        fate.status, fate.at, fate.relay = status, event.at, event.relay
        fate.diagnostic, fate.enhanced_status = event.diagnostic, event.enhanced_status
        fate.delays, fate.transport = event.delays, event.transport
        fate.reply_id, fate.next = None, 0

    @staticmethod
    def _count(hop: Hop, event: Attempt, status: DeliveryStatus, facts: HostFacts) -> None:
        if status is _D.RELAYED or status is _D.DELIVERED:
            if event.diagnostic is not None and event.diagnostic.startswith("forwarded as "):
                facts.forwarded += 1
                return
            facts.delivered += 1
            if status is _D.RELAYED:
                facts.relayed += 1
            if hop.size:
                facts.bytes_delivered += hop.size
        elif status is _D.DEFERRED:
            facts.deferrals += 1
            if not any(_was_deferred(f) for f in hop.fates.values()):
                facts.deferred += 1
        elif status is _D.BOUNCED or status is _D.EXPIRED:
            facts.bounced += 1
        elif status is _D.DISCARDED:
            facts.discarded += 1

    @staticmethod
    def _failed_try(hop: Hop, event: Attempt) -> None:
        if event.recipient is not None and event.recipient in hop.fates:
            return
        tries = hop.tries = hop.tries if hop.tries is not None else []
        for one in tries:
            if one.relay == event.relay and _gist(one.diagnostic) == _gist(event.diagnostic):
                one.count += 1
                one.last_at = event.at
                return
        if len(tries) < _EARLIER_KEPT:
            tries.append(Try(None, event.relay, event.diagnostic, event.enhanced_status, event.at, event.at, 1))

    def _refusal(self, event: Refusal, state: HostState) -> None:
        facts, status = state.facts, event.status
        if event.command != "AUTH":
            if status is _D.REJECTED:
                facts.rejected += 1
            elif status is _D.HELD:
                facts.held += 1
            elif status is _D.DISCARDED:
                facts.discarded += 1
            elif status is None:
                facts.reject_warnings += 1
        if status is None:
            return
        hop = self._hop(event, state) or self._refused_session(event, state)
        if event.envelope_sender is not None:
            hop.sender = event.envelope_sender
        if event.message_id is not None:
            hop.message_id = event.message_id
        if event.subject is not None:
            hop.subject = event.subject
        if hop.client is None:
            hop.client = event.client
        if event.login is not None:
            hop.login = event.login
        whole = event.queue_id is None or event.command not in ("RCPT", "MAIL", None)
        if event.recipient is not None:
            self._refuse(hop, event, status)
        if whole or event.recipient is None:
            hop.state, hop.state_text = status, event.diagnostic
            if status is not _D.HELD:
                self._end(hop, state, event.at)

    def _refused_session(self, event: Refusal, state: HostState) -> Hop:
        """The hop that stands for the refused transaction of a session: same client, same sender."""
        hop = state.refusals.get(event.session) if event.session is not None else None
        if hop is not None and hop.client == event.client and hop.refused == event.command and (
            event.envelope_sender is None or hop.sender == event.envelope_sender
        ) and event.at - hop.last_at < 600:
            hop.evidence.append(event.position)
            hop.last_at = max(hop.last_at, event.at)
            self._changed[hop.serial] = hop
            return hop
        hop = self._new(event, state, None)
        hop.refused = event.command or "RCPT"
        hop.session = event.session
        hop.began = True
        if event.session is not None:
            state.refusals[event.session] = hop
        return hop

    @staticmethod
    def _refuse(hop: Hop, event: Refusal, status: DeliveryStatus) -> None:
        recipient = event.recipient or ""
        fate = hop.fates.get(recipient)
        if fate is None or not fate.count:
            hop.fates[recipient] = Fate(recipient, status, event.at, fate.original if fate else None, None,
                                        event.diagnostic, since=event.at)
            return
        fate.count += 1
        fate.at, fate.status, fate.diagnostic = event.at, status, event.diagnostic

    def _ended(self, event: Ended, state: HostState) -> None:
        hop = self._hop(event, state)
        if hop is None:
            return
        if event.status is not None:
            hop.state = event.status
            for fate in hop.fates.values():
                if fate.status in OPEN_STATUSES:
                    _put_away(fate)
                    fate.status = event.status
        self._end(hop, state, event.at)

    def _change(self, event: Change, state: HostState) -> None:
        status = event.status
        if status is None:
            return
        hop = self._hop(event, state)
        if hop is None:
            return
        if status is _D.HELD:
            state.facts.held += 1
        if status is _D.QUEUED:
            hop.state = hop.state_text = None
        elif event.recipient is None:
            hop.state, hop.state_text = status, event.diagnostic
        for fate in hop.fates.values():
            if event.recipient is not None and fate.recipient != event.recipient:
                continue
            if fate.status in OPEN_STATUSES and fate.status is not status:
                if fate.count:
                    _put_away(fate)
                fate.status = status
                if event.diagnostic is not None and status is not _D.EXPIRED:
                    fate.diagnostic = event.diagnostic
                fate.at = event.at

    def _report(self, event: Report, state: HostState) -> None:
        hop = self._hop(event, state)
        report = event.report_id or event.report_message_id
        if hop is None or report is None:
            return
        hop.reports = [*(hop.reports or ()), report]

    def _copy(self, event: Copy, state: HostState) -> None:
        hop = self._hop(event, state)
        if hop is None or event.copy_id is None:
            return
        hop.copies = [*(hop.copies or ()), event.copy_id]

    def _verdict(self, event: Verdict, state: HostState) -> None:
        said = Said(event.at, event.host, event.system, event.action, event.score, event.detail, event.reason)
        queue_id = event.queue_id
        if queue_id is None:
            return
        hop = state.hops.get(queue_id)
        if hop is None:
            if len(state.verdicts) > 1000:
                state.verdicts.pop(next(iter(state.verdicts)))
            state.verdicts.setdefault(queue_id, []).append(said)
            return
        hop.evidence.append(event.position)
        hop.verdicts = [*(hop.verdicts or ()), said]
        self._changed[hop.serial] = hop

    def _session(self, event: Session, state: HostState) -> None:
        session = event.session
        if session is None:
            return
        state.refusals.pop(session, None)
        hop = state.in_session.pop(session, None)
        if hop is not None and not hop.queued and hop.left_at is None:
            hop.aborted = True
            self._changed[hop.serial] = hop
        if event.client is not None:
            state.clients[session] = event.client
        elif state.clients:
            state.clients.pop(session, None)

    def _notice(self, event: Notice, state: HostState) -> None:
        if event.text:
            self.notices.append((event.at, event.host, event.text[:500]))


def _was_deferred(fate: Fate) -> bool:
    return fate.status is _D.DEFERRED or any(t.status is _D.DEFERRED for t in fate.earlier or ())


def _all_final(hop: Hop) -> bool:
    """Whether every recipient that is known of, named or counted, has a final status."""
    fates = hop.fates
    if len(fates) < (hop.recipient_count or 0):
        return False
    if hop.recipients is not None and any(r not in fates for r in hop.recipients.split()):
        return False
    return all(f.status not in OPEN_STATUSES for f in fates.values())


def _gist(text: str | None) -> str | None:
    """What must be equal for two tries to be the same: the text up to what changes with each try (times, ids)."""
    return text[:60] if text is not None else None


def _put_away(fate: Fate) -> None:
    """Move the last tries of a fate to the earlier ones."""
    if not fate.count:
        return
    one = Try(fate.status, fate.relay, fate.diagnostic, fate.enhanced_status, fate.since or fate.at, fate.at, fate.count)
    earlier = fate.earlier = fate.earlier if fate.earlier is not None else []
    if len(earlier) >= _EARLIER_KEPT:
        earlier[-1].count += one.count
        earlier[-1].last_at = one.last_at
    else:
        earlier.append(one)
