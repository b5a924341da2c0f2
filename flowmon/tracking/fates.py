"""What events make of the fates of a hop's recipients."""

from __future__ import annotations

from flowmon.model.event import Arrival, Attempt, Refusal
from flowmon.model.flow import Fate, Hop, Try
from flowmon.model.words import OPEN_STATUSES, DeliveryStatus
from flowmon.tracking.linking import LIFETIME_SECONDS
from flowmon.tracking.services import is_service

EARLIER_KEPT = 20
"""Different tries of one recipient that are kept; later ones are counted with the last."""

_D = DeliveryStatus
_BESIDE = frozenset({_D.DISCARDED, _D.EXPANDED})
"""What may be done with mail beside storing it."""
_DROPPED = "Ok, discarded, id="
"""What Amavis answers, as if it had taken the mail, when it drops it (docs of `$final_virus_destiny`)."""


def known(hop: Hop, recipients: str, original: str | None) -> None:
    """Note recipients (separated by blanks) that a line names before any try."""
    before = hop.recipients.split() if hop.recipients else []
    hop.recipients = " ".join(dict.fromkeys([*before, *recipients.split()]))
    for recipient in recipients.split() if original else ():
        if recipient not in hop.fates:
            hop.left_at = None  # it ended with the last recipient known: there are more
            hop.fates[recipient] = Fate(recipient, _D.QUEUED, hop.last_at, original, since=hop.last_at, count=0)


def told_before(hop: Hop, event: Arrival) -> bool:
    """Whether the record of another recipient told of this arrival; notes the recipient."""
    same = (
        hop.arrived_at == event.at and hop.sender == event.envelope_sender and hop.message_id == event.message_id
        and hop.network_message_id == event.network_message_id
    )
    if same and event.recipient is not None:
        known(hop, event.recipient, None)
    return same


def tried(hop: Hop, event: Attempt, recipient: str, status: DeliveryStatus) -> None:
    """Note a try of a recipient."""
    if event.diagnostic is not None and _DROPPED in event.diagnostic:
        status = _D.DISCARDED
    fate = hop.fates.get(recipient)
    if fate is not None and fate.at == event.at and is_service(event.system) and (
        status is fate.status or status in OPEN_STATUSES
    ):
        return  # exports overlap: this one tells it again, or is the older one
    if status in OPEN_STATUSES:
        hop.left_at = None  # where the log tells no end, the last try may have looked like one
    if fate is None:
        hop.fates[recipient] = Fate(
            recipient, status, event.at, event.original_recipient, event.relay, event.diagnostic, event.enhanced_status,
            event.delays, event.transport, None, 0, event.at, count=int(status is not _D.QUEUED),
        )
        return
    if event.original_recipient is not None:
        fate.original = event.original_recipient
    if status is _D.RELAYED and event.diagnostic and f"({hop.queue_id})" in event.diagnostic:
        return  # a filter of this host answers with the ID that we gave it: what it said of the recipient stands
    if fate.status is _D.DELIVERED and event.transport == "mailbox" and status in _BESIDE:
        return  # Sieve filed it and forwards or discards it besides: a mailbox has it
    if hop.refused == "LMTP" and len(hop.fates) == 1 and status is not _D.REJECTED:
        hop.refused = None  # Sieve could not do one thing and did another
    if fate.count and (
        fate.status is not status or fate.relay != event.relay or fate.enhanced_status != event.enhanced_status
        or _gist(fate.diagnostic) != _gist(event.diagnostic)
    ):
        put_away(fate)
        fate.since, fate.count = event.at, 0
    if not fate.count:
        fate.since = event.at
    fate.count += 1
    fate.status, fate.at, fate.relay = status, event.at, event.relay
    fate.diagnostic, fate.enhanced_status = event.diagnostic, event.enhanced_status
    fate.delays, fate.transport = event.delays, event.transport
    fate.reply_id, fate.next = None, 0


def waited_before(hop: Hop, event: Attempt) -> None:
    """Note when mail came of which the log tells no arrival: a server says with a try for how long it has had it.

    A delay longer than a queue keeps mail is no delay.
    """
    since = event.at - _had_for(event)
    if hop.last_at - LIFETIME_SECONDS < since < hop.arrived_at:
        hop.arrived_at = since


def _had_for(event: Attempt) -> float:
    if event.delay is not None:
        return event.delay
    try:
        return sum(map(float, event.delays.split("/"))) if event.delays else 0.0
    except ValueError:
        return 0.0


def failed_try(hop: Hop, event: Attempt) -> None:
    """Note a failed try that names no recipient: the next MX is tried in the same run."""
    if event.recipient is not None and event.recipient in hop.fates:
        return
    tries = hop.tries = hop.tries if hop.tries is not None else []
    for one in tries:
        if one.relay == event.relay and _gist(one.diagnostic) == _gist(event.diagnostic):
            one.count += 1
            one.last_at = event.at
            return
    if len(tries) < EARLIER_KEPT:
        tries.append(Try(None, event.relay, event.diagnostic, event.enhanced_status, event.at, event.at, 1))


def refused(hop: Hop, event: Refusal, recipient: str, status: DeliveryStatus) -> None:
    """Note that a recipient was refused, held or discarded."""
    fate = hop.fates.get(recipient)
    if fate is None or not fate.count:
        hop.fates[recipient] = Fate(
            recipient, status, event.at, fate.original if fate else None, None, event.diagnostic, since=event.at,
            position=event.position,
        )
        return
    if hop.refused is not None:
        put_away(fate)  # each with its time: they may be of several messages
        fate.since, fate.count = event.at, 0
    fate.count += 1
    fate.at, fate.status, fate.diagnostic, fate.position = event.at, status, event.diagnostic, event.position


def changed(hop: Hop, status: DeliveryStatus, at: float, text: str | None, only: str | None) -> None:
    """Give the recipients that are open another status; `only` this one, or all."""
    if only is not None and only not in hop.fates:  # it may be put off before anything else is told of it
        hop.fates[only] = Fate(only, status, at, diagnostic=text, since=at, count=0)
    kept = status is _D.DEFERRED and only is None and hop.sender == ""  # Exim freezes a report that nobody takes
    for fate in hop.fates.values():
        if only is not None and fate.recipient != only:
            continue
        if kept and fate.status is _D.BOUNCED:
            fate.status = status  # it is still in the queue: there is nobody to send it back to
        elif fate.status in OPEN_STATUSES and fate.status is not status:
            put_away(fate)
            fate.status, fate.at, fate.count = status, at, 0
            if text is not None and status is not _D.EXPIRED:
                fate.diagnostic, fate.enhanced_status = text, None


def all_final(hop: Hop) -> bool:
    """Whether every recipient that is known of, named or counted, has a final status."""
    fates = hop.fates
    if len(fates) < (hop.recipient_count or 0):
        return False
    if hop.recipients is not None and any(r not in fates for r in hop.recipients.split()):
        return False
    return all(f.status not in OPEN_STATUSES for f in fates.values())


def was_deferred(hop: Hop) -> bool:
    """Whether a try of any recipient was ever deferred."""
    return any(
        (f.status is _D.DEFERRED and f.count) or any(t.status is _D.DEFERRED for t in f.earlier or ())
        for f in hop.fates.values()
    )


def put_away(fate: Fate) -> None:
    """Move the last tries of a fate to the earlier ones; to wait or to be held is no try."""
    if not fate.count or fate.status in (_D.QUEUED, _D.HELD):
        return
    first_at = fate.since or fate.at
    one = Try(fate.status, fate.relay, fate.diagnostic, fate.enhanced_status, first_at, fate.at, fate.count,
              fate.position)
    earlier = fate.earlier = fate.earlier if fate.earlier is not None else []
    if len(earlier) >= EARLIER_KEPT:
        earlier[-1].count += one.count
        earlier[-1].last_at = one.last_at
    else:
        earlier.append(one)


def _gist(text: str | None) -> str | None:
    """What must be equal for two tries to be the same: the text up to what changes with each try (times, ids)."""
    return text[:60] if text is not None else None


def quarantine(hop: Hop, fate: Fate) -> str | None:
    """Where Amavis put what it dropped, in its words; None where it kept nothing, or not all of a message."""
    if fate.diagnostic is None or _DROPPED not in fate.diagnostic:
        return None
    said = [one for one in hop.verdicts or () if one.filter == "amavis"]
    kept = [one.detail for one in said if one.action == "quarantine"]
    return kept[-1] if kept and len(kept) >= sum(one.action == "block" for one in said) else None
