"""Linking: whether one hop follows another, on what ground and how surely. Never by message-id alone."""

from __future__ import annotations

from collections.abc import Iterator

from flowmon.model.flow import Fate, Hop, Link
from flowmon.model.words import OPEN_STATUSES, Certainty, DeliveryStatus, LinkBasis
from flowmon.tracking.hosts import KnownHosts
from flowmon.tracking.likeness import (
    given_back,
    in_one_session,
    may_have,
    quotes,
    same_client,
    same_message_id,
    temporary,
    told_twice,
    took,
    turned_away,
)
from flowmon.tracking.processes import PROCESS, forwarded
from flowmon.tracking.replies import peer_names, reply_id
from flowmon.tracking.services import is_of, is_service

SKEW_SECONDS = 600.0
"""How far the clocks of two hosts may be apart."""
HANDOVER_SECONDS = 120.0
"""Without an id in the reply: how long after the reply the next hop may log the arrival (and the skew before it)."""
RETRY_SECONDS = 86_400.0
"""How long after a temporary refusal the client's next try is still the same message."""
LIFETIME_SECONDS = 5 * 86_400.0
"""How long a queue may hold a message."""

_D = DeliveryStatus
HANDED = frozenset({_D.RELAYED, _D.DELIVERED})
FAILED = frozenset({_D.DEFERRED, _D.BOUNCED, _D.EXPIRED})

Ground = tuple[LinkBasis, Certainty, list[Fate]]
"""Basis, certainty, and the fates of the parent that go on in the child."""


def handed_id(fate: Fate) -> str:
    """The id that the next hop gave for this recipient; "" for none."""
    if fate.reply_id is None:
        fate.reply_id = reply_id(fate.diagnostic) if fate.diagnostic and fate.status in HANDED else ""
    return fate.reply_id


def follows(child: Hop, parent: Hop, known: KnownHosts) -> Ground | None:
    """The ground on which `child` follows `parent`, or None."""
    if child is parent:
        return None
    if child.refused is not None or parent.refused is not None:
        return _with_refused(child, parent, known)
    if turned_away(child) and (answered := _refused_at_the_end(child, parent, known)) is not None:
        return answered
    if child.arrived_at == parent.arrived_at and child.host == parent.host and is_service(child.system):
        return _told_again(child, parent)
    if not child.began and child.host == parent.host and child.queue_id is not None and (
        child.queue_id == parent.queue_id
    ):
        same = same_message_id(child, parent)
        within = 0 <= child.arrived_at - parent.arrived_at <= LIFETIME_SECONDS
        if child.queued and parent.left_at is not None:
            return None  # it was done with: the queue manager tells of another that has the ID now
        return (LinkBasis.QUEUE_ID, Certainty.CERTAIN, []) if within and same is not False else None
    if parent.copies and child.host == parent.host and child.queue_id in parent.copies and _lives_with(child, parent):
        return LinkBasis.QUEUE_ID, Certainty.CERTAIN, _moved(parent, child)
    if child.parent_id is not None and child.host == parent.host and child.parent_id == parent.queue_id and (
        child.origin != "report" and child.sender != ""
    ):
        return LinkBasis.QUEUE_ID, Certainty.CERTAIN, _moved(parent, child)
    ground = (
        _by_reply(child, parent, known) or _after_hold(child, parent) or _by_network_id(child, parent, known)
        or _by_message_id(child, parent, known) or _after_part_refused(child, parent, known)
    )
    if ground is not None:
        ground[2].extend(_refused_beside(child, parent))
    return ground


def _told_again(child: Hop, parent: Hop) -> Ground | None:
    """Exports of one service that overlap tell of one hop, long after each other perhaps."""
    if child.serial < parent.serial:
        return None
    if child.queue_id == parent.queue_id:
        return LinkBasis.QUEUE_ID, Certainty.CERTAIN, []
    if child.network_message_id is not None and child.network_message_id == parent.network_message_id:
        return LinkBasis.NETWORK_MESSAGE_ID, Certainty.CERTAIN, []
    return None


def _lives_with(child: Hop, parent: Hop) -> bool:
    """Whether a copy began while its original was there: queue IDs are used again."""
    return parent.arrived_at - SKEW_SECONDS <= child.arrived_at <= parent.last_at + SKEW_SECONDS


def _moved(parent: Hop, child: Hop) -> list[Fate]:
    """Fates that go on under another queue ID: those whose line names it, else its recipients, else the replaced, else
    (where it names none) all that are open."""
    if child.session is not None and child.session.startswith(PROCESS):
        return forwarded(parent, child.session)
    fates, queue_id, named = list(parent.fates.values()), child.queue_id, (child.recipients or "").split()
    return (
        [f for f in fates if queue_id and f.diagnostic and queue_id in f.diagnostic]
        or [f for f in fates if (f.status in OPEN_STATUSES or f.status is _D.EXPANDED) and f.recipient in named]
        or [f for f in fates if f.status is _D.EXPANDED]
        or [f for f in fates if f.status in OPEN_STATUSES and not named]
    )


def _refused_beside(child: Hop, parent: Hop) -> list[Fate]:
    """Fates of the parent that failed because the child, which took other recipients, refused these."""
    return [
        fate for recipient, refused in child.fates.items()
        if refused.status is _D.REJECTED and (fate := parent.fates.get(recipient)) is not None
        and fate.status in FAILED and quotes(fate.diagnostic, refused.diagnostic)
    ]


def _by_reply(child: Hop, parent: Hop, known: KnownHosts) -> Ground | None:
    """The reply of the next hop names its queue ID."""
    queue_id = child.queue_id
    if queue_id is None:
        return None
    same = same_message_id(child, parent)
    if same is None and parent.message_id is not None and _arriving(child):
        return None  # its Message-ID is about to come: queue IDs are used again
    fates: list[Fate] = []
    surest: Certainty | None = None
    for fate in parent.fates.values():
        if handed_id(fate) != queue_id or abs(child.arrived_at - fate.at) > SKEW_SECONDS:
            continue
        if same is False:  # queue IDs are used again
            continue
        there = known.may_be(fate.relay, child.host)
        if there is False and not same and fate.transport != "mailbox":
            continue
        if same is None and there is not True and not _same_addresses(child, parent, fate):
            continue
        certainty = Certainty.CERTAIN if same else Certainty.STRONG  # not by what is known of hosts by now
        surest = surest if surest is Certainty.CERTAIN else certainty
        fates.append(fate)
    if surest is None:
        return None
    basis = LinkBasis.SESSION if fates[0].transport == "mailbox" else LinkBasis.REPLY_ID
    if same and surest is Certainty.CERTAIN:
        if fates[0].transport != "mailbox":
            known.learn(fates[0].relay, child.host)
        if child.client is not None:
            known.learn(child.client, parent.host)
        known.clocks(parent.host, child.host, child.arrived_at - fates[0].at)
    return basis, surest, fates


def _arriving(hop: Hop) -> bool:
    """Whether the first lines of a hop are still being written."""
    return hop.began and not hop.queued and not hop.fates and hop.left_at is None


def certainty(link: Link, child: Hop, parent: Hop) -> Certainty:
    """How sure a link is by what its hops tell by now: a Message-ID may come after the lines that joined them."""
    by_reply = link.basis is LinkBasis.REPLY_ID or (
        link.basis is LinkBasis.SESSION and child.refused is None and parent.refused is None
        and any(f.transport == "mailbox" for f in parent.fates.values())
    )
    return Certainty.CERTAIN if by_reply and same_message_id(child, parent) else link.certainty


def _by_network_id(child: Hop, parent: Hop, known: KnownHosts) -> Ground | None:
    """Exchange keeps one id for all copies of a message."""
    if child.network_message_id is None or child.network_message_id != parent.network_message_id:
        return None
    if child.arrived_at < parent.arrived_at or (child.arrived_at == parent.arrived_at and child.serial < parent.serial):
        return None
    fates = [f for f in parent.fates.values() if f.status in HANDED and _goes_to(f, child, known)]
    if not fates and child.host != parent.host:
        return None
    return LinkBasis.NETWORK_MESSAGE_ID, Certainty.CERTAIN, fates


def _by_message_id(child: Hop, parent: Hop, known: KnownHosts) -> Ground | None:
    """Message-ID together with time, addresses and next hop."""
    if not same_message_id(child, parent) or not _same_sender(child, parent):
        return None
    if fates := given_back(child, parent):
        return LinkBasis.MESSAGE_ID, Certainty.PROBABLE, fates
    if child.origin == "mailbox":
        return None  # somebody sent it there, perhaps once more
    if child.host == parent.host and child.arrived_at < parent.arrived_at:
        return None  # one clock: what comes later follows
    if not child.fates and child.recipients is None and child.left_at is None:
        return None  # its recipients are about to come: others may have this Message-ID
    to_service = is_service(child.system)
    came_from = _came_from(child, parent, known)
    fates = []
    for fate in parent.fates.values():
        if fate.status not in HANDED or fate.next or (handed_id(fate) and not to_service):
            continue
        if not fate.relay and not (fate.status is _D.RELAYED and came_from):
            continue
        late = child.arrived_at - fate.at
        if not -SKEW_SECONDS <= late <= HANDOVER_SECONDS + SKEW_SECONDS or came_from is False:
            continue
        there = known.may_be(fate.relay, child.host)
        if there is None and to_service:
            there = is_of(fate.relay, child.system) or None
        if there is False or not (there or came_from) or not may_have(child, fate.recipient):
            continue
        fates.append(fate)
    return (LinkBasis.MESSAGE_ID, Certainty.PROBABLE, fates) if fates else None


def _same_sender(child: Hop, parent: Hop) -> bool:
    """Services write addresses in small letters or as their directory has them."""
    if child.sender == parent.sender:
        return True
    if not (is_service(child.system) or is_service(parent.system)) or child.sender is None or parent.sender is None:
        return False
    return child.sender.lower() == parent.sender.lower()


def _came_from(child: Hop, parent: Hop, known: KnownHosts) -> bool | None:
    """Whether the client of the child is the parent's host; None when unknown."""
    if not child.client:
        return None
    told = known.may_be(child.client, parent.host)
    if told is None and is_service(parent.system):
        return is_of(child.client, parent.system) or None
    return told


def _after_hold(child: Hop, parent: Hop) -> Ground | None:
    """What Exchange held for somebody to decide upon comes again, or the decision is told: the same message, later."""
    if parent.network_message_id is None:
        return None
    fates = [f for f in parent.fates.values() if f.status is _D.HELD and not f.next and took(child, f.recipient)]
    if not fates or child.system != parent.system or is_service(child.system) or not same_message_id(child, parent):
        return None
    if child.began and child.origin != "agent" and child.network_message_id != parent.network_message_id:
        return None  # sent once more
    if not child.began and any(fate.transport for fate in child.fates.values()):
        return None  # what a later hop made of it
    if child.sender not in (None, parent.sender) or not 0 <= child.arrived_at - fates[0].at <= LIFETIME_SECONDS:
        return None
    if child.network_message_id is not None and child.network_message_id == parent.network_message_id:
        return LinkBasis.NETWORK_MESSAGE_ID, Certainty.CERTAIN, fates
    return LinkBasis.MESSAGE_ID, Certainty.PROBABLE, fates


def _with_refused(child: Hop, parent: Hop, known: KnownHosts) -> Ground | None:
    """Sessions refused one after the other (whose they are: see `refusals`); mail and what its session refused."""
    if child.refused is None:
        return (LinkBasis.SESSION, Certainty.CERTAIN, []) if in_one_session(child, parent) else None
    if told_twice(child, parent):
        return LinkBasis.SESSION, Certainty.CERTAIN, []
    if child.of or parent.of:
        return None
    if parent.refused is not None:
        return _after_refusal(child, parent, known)
    return _refused_by_lmtp(child, parent, known) if child.refused == "LMTP" else None


def _refused_by_lmtp(child: Hop, parent: Hop, known: KnownHosts) -> Ground | None:
    """A refusal by the mailbox store names the message: it is the failed try of the host that handed it over."""
    if not same_message_id(child, parent):
        return None
    return _answering([
        fate for recipient, refused in child.fates.items() if (fate := parent.fates.get(recipient)) is not None
        and (child.host == parent.host or known.may_be(fate.relay, child.host))
        and any(True for _ in _failed_at(fate, refused.at))
    ])


def _refused_at_the_end(child: Hop, parent: Hop, known: KnownHosts) -> Ground | None:
    """Mail that was refused after its data names itself: it is the failed try of the host that was bringing it.

    The line may name but one of its recipients: the others' tries were answered alike.
    """
    if not same_message_id(child, parent) or not _same_sender(child, parent):
        return None
    if _came_from(child, parent, known) is False or not any(took(parent, recipient) for recipient in child.fates):
        return None
    return _answering([
        fate for fate in parent.fates.values() if known.may_be(fate.relay, child.host)
        and any(quotes(text, child.state_text) for text in _failed_at(fate, child.last_at))
    ])


def _answering(answered: list[Fate]) -> Ground | None:
    """The ground for a refusal that answers tries of these recipients; one that was taken later goes on elsewhere."""
    return (LinkBasis.SESSION, Certainty.STRONG, [f for f in answered if f.status in FAILED]) if answered else None


def _failed_at(fate: Fate, at: float) -> Iterator[str | None]:
    """What was said of the tries of a recipient that failed about that time; equal ones are kept as a span."""
    for one in fate.earlier or ():
        if one.status in FAILED and one.first_at - SKEW_SECONDS <= at <= one.last_at + SKEW_SECONDS:
            yield one.diagnostic
    if fate.status in FAILED and (fate.since or fate.at) - SKEW_SECONDS <= at <= fate.at + SKEW_SECONDS:
        yield fate.diagnostic


def _after_refusal(child: Hop, parent: Hop, known: KnownHosts) -> Ground | None:
    """A later try of what was refused for the time being: same client, sender and recipient, at any MX of ours.

    Where the client is a host of ours its own log tells what belongs together: it may have several such messages.
    """
    if child.sender != parent.sender or not child.sender or not child.client:
        return None
    if known.takes(child.client, child.host):
        return None
    if not 0 <= child.arrived_at - parent.arrived_at <= RETRY_SECONDS or not same_client(child, parent):
        return None
    fates = [
        fate for fate in parent.fates.values()
        if fate.status is _D.REJECTED and temporary(fate.diagnostic) and not fate.next and took(child, fate.recipient)
    ]
    return (LinkBasis.SESSION, Certainty.STRONG, fates) if fates else None


def _after_part_refused(child: Hop, parent: Hop, known: KnownHosts) -> Ground | None:
    """A later try of what was refused for the time being after the server had given it a queue ID."""
    if not same_message_id(child, parent) or not any(f.status is _D.REJECTED for f in parent.fates.values()):
        return None
    return _after_refusal(child, parent, known)


def _same_addresses(child: Hop, parent: Hop, fate: Fate) -> bool:
    """Sender and recipient agree (where a log begins in the middle, or tells no Message-ID).

    Where the begin of one is lost and its sender with it, the next hop's name must speak for the host instead.
    """
    if not took(child, fate.recipient):
        return False
    if child.sender is None or parent.sender is None:
        names = peer_names(fate.relay)
        return bool(names) and names[0].partition(".")[0] == child.host
    return child.sender == parent.sender


def _goes_to(fate: Fate, child: Hop, known: KnownHosts) -> bool:
    return child.host != "" and known.may_be(fate.relay, child.host) is not False and may_have(child, fate.recipient)
