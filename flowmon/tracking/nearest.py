"""Where a hop may come of several others: of which it does. The nearest in time has it, and no two have the same.

A client may send one message twice.
"""

from __future__ import annotations

from flowmon.model.flow import Fate, Flow, Hop
from flowmon.model.words import LinkBasis
from flowmon.tracking.hosts import KnownHosts

_HANDED_ON = frozenset({LinkBasis.REPLY_ID, LinkBasis.NETWORK_MESSAGE_ID, LinkBasis.MESSAGE_ID})
"""What joins a hop to the one host that handed it on."""


def guessed(basis: LinkBasis) -> bool:
    """Whether a ground fits several hops, so that the nearest in time is the one: a Message-ID without an id in the
    reply."""
    return basis is LinkBasis.MESSAGE_ID


def seconds_apart(child: Hop, parent: Hop, fates: list[Fate], known: KnownHosts) -> float:
    """How far a hop is in time from the tries that it may have come of, by the clock of the one that tried."""
    ahead = known.ahead.get(f"{parent.host} {child.host}", 0.0)
    return min(abs(child.arrived_at - ahead - fate.at) for fate in fates)


def is_of_another(child: Hop, parent: Hop, flows: list[Flow]) -> bool:
    """Whether a hop is known to have been handed on by another host."""
    hops = {hop.serial: hop for flow in flows for hop in flow.hops}
    return any(
        k.basis in _HANDED_ON and hops[k.parent].host != child.host for flow in flows for k in flow.links
        if k.child == child.serial and k.parent != parent.serial and k.parent in hops
    )


def guessed_parents(child: Hop, parent: Hop, flow: Flow) -> list[Hop]:
    """The hops of a flow, but this one, that a hop was put behind by a guess."""
    hops = {hop.serial: hop for hop in flow.hops}
    return [
        hops[k.parent] for k in flow.links
        if k.child == child.serial and k.parent != parent.serial and k.parent in hops and guessed(k.basis)
    ]


def nearness(guess: tuple[float, Hop, Hop]) -> tuple[float, float, float]:
    apart, child, parent = guess
    return apart, child.arrived_at, parent.arrived_at
