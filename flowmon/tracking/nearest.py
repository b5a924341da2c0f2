"""Where a hop may come of several others: of which it does. The nearest in time has it, and no two have the same.

One sender may write twice to an address that does not exist, and a client may send one message twice.
"""

from __future__ import annotations

from flowmon.model.flow import Fate, Flow, Hop
from flowmon.model.words import DeliveryStatus, LinkBasis
from flowmon.tracking.hosts import KnownHosts
from flowmon.tracking.linking import FAILED, temporary

_AT_ONCE_SECONDS = 2.0
"""How soon after a refusal another address of the same host is tried."""
_HANDED_ON = frozenset({LinkBasis.REPLY_ID, LinkBasis.NETWORK_MESSAGE_ID, LinkBasis.MESSAGE_ID})
"""What joins a hop to the one host that handed it on."""


def guessed(basis: LinkBasis, child: Hop, parent: Hop) -> bool:
    """Whether a ground fits several hops, so that the nearest in time is the one: a Message-ID without an id in the
    reply, a refusal of one sender and recipient."""
    return basis is LinkBasis.MESSAGE_ID or (child.refused not in (None, "LMTP") and parent.refused is None)


def seconds_apart(child: Hop, parent: Hop, fates: list[Fate], known: KnownHosts) -> float:
    """How far a hop is in time from the tries that it may have come of, by the clock of the one that tried."""
    ahead = known.ahead.get(f"{parent.host} {child.host}", 0.0)
    if child.refused is None:
        return min(abs(child.arrived_at - ahead - fate.at) for fate in fates)
    return min(
        max(begin - (refused.at - ahead), refused.at - ahead - end, 0.0)
        for recipient, refused in child.fates.items() if (fate := parent.fates.get(recipient)) is not None
        for begin, end in [(fate.since or fate.at, fate.at), *((t.first_at, t.last_at) for t in fate.earlier or ())]
    )


def _answered_before(child: Hop, parent: Hop, after: list[Hop], apart: float) -> bool:
    """Whether each failed try of the parent has its refusal by a hop after it, so that this one is of another message.

    For a refusal for the time being a server may at once have tried another address of the same host.
    """
    for recipient, refused in child.fates.items():
        fate = parent.fates.get(recipient)
        if fate is None:
            continue
        tries = sum(t.count for t in fate.earlier or ()) + (fate.count if fate.status in FAILED else 0)
        answered = sum(there.count for hop in after if hop.host == child.host
                       and (there := hop.fates.get(recipient)) is not None and there.status is DeliveryStatus.REJECTED)
        if answered < tries or (temporary(refused.diagnostic) and apart < _AT_ONCE_SECONDS):
            return False
    return True


def is_of_another(child: Hop, parent: Hop, flows: list[Flow], apart: float) -> bool:
    """Whether a hop is known to have come from another hop, or the other to have led to another."""
    links = [link for flow in flows for link in flow.links]
    hops = {hop.serial: hop for flow in flows for hop in flow.hops}
    before = [(hops[k.parent], k.basis) for k in links
              if k.child == child.serial and k.parent != parent.serial and k.parent in hops]
    if child.refused is None:
        return any(basis in _HANDED_ON and other.host != child.host for other, basis in before)
    if any(other.refused is None for other, _ in before):
        return True
    after = {k.child for k in links if k.parent == parent.serial and k.child != child.serial}
    return _answered_before(child, parent, [hops[serial] for serial in after if serial in hops], apart)


def guessed_parents(child: Hop, parent: Hop, flow: Flow) -> list[Hop]:
    """The hops of a flow, but this one, that a hop was put behind by a guess of the same kind."""
    hops = {hop.serial: hop for hop in flow.hops}
    return [
        hops[k.parent] for k in flow.links
        if k.child == child.serial and k.parent != parent.serial and k.parent in hops
        and guessed(k.basis, child, hops[k.parent])
    ]


def nearness(guess: tuple[float, Hop, Hop]) -> tuple[float, float, float]:
    apart, child, parent = guess
    return apart, child.arrived_at, parent.arrived_at
