"""What flows are made of: links noted, hops put in order."""

from __future__ import annotations

from flowmon.model.flow import Fate, Flow, Hop, Link, Said
from flowmon.model.words import Certainty, DeliveryStatus, LinkBasis
from flowmon.tracking.hosts import KnownHosts
from flowmon.tracking.likeness import turned_away
from flowmon.tracking.linking import LIFETIME_SECONDS, Ground, handed_id
from flowmon.tracking.replies import peer_names

_CERTAINTIES = tuple(Certainty)
"""The surest first."""


def note(ground: Ground, child: Hop, parent: Hop, flow: Flow, other: Flow, known: KnownHosts) -> bool:
    """Link a hop to the one that it follows, unless that follows it already; whether they are linked."""
    if any(k.child == parent.serial and k.parent == child.serial for k in flow.links):
        return False
    basis, certainty, fates = ground
    have = next((k for k in (*flow.links, *other.links) if (k.child, k.parent) == (child.serial, parent.serial)), None)
    if have is None:
        flow.links.append(Link(child.serial, parent.serial, basis, certainty))
    elif _CERTAINTIES.index(certainty) < _CERTAINTIES.index(have.certainty):
        have.basis, have.certainty = basis, certainty  # a line told more since
    several = basis is LinkBasis.NETWORK_MESSAGE_ID or turned_away(child)
    hops = {hop.serial: hop for hop in (*flow.hops, *other.hops)} if several else {}
    for fate in fates:
        before = hops.get(fate.next)
        if not fate.next or (hops and (
            _answered_last(child, before) if turned_away(child) else _went_first(child, before, fate, known)
        )):
            fate.next = child.serial
    return True


def _answered_last(child: Hop, other: Hop | None) -> bool:
    """Whether of two refusals of a recipient `child` is the later one: its words are those that count."""
    return other is None or (turned_away(other) and (other.last_at, other.serial) < (child.last_at, child.serial))


def _went_first(child: Hop, other: Hop | None, fate: Fate, known: KnownHosts) -> bool:
    """Whether of two hops with one network message id the recipient went to `child` first: all copies have that id."""
    if other is None or other is child:
        return True
    if handed_id(fate) == other.queue_id:
        return False

    def distance(hop: Hop) -> tuple[bool, float, int]:
        names = peer_names(fate.relay)
        named = bool(names) and names[0].partition(".")[0] == hop.host
        return not (named or known.may_be(fate.relay, hop.host)), hop.arrived_at, hop.serial

    return distance(child) < distance(other)


def ended(hops: list[Hop], before: float) -> bool:
    """Whether all hops ended, the last one before this time, or are lost sight of."""
    if len(hops) == 1 and hops[0].left_at is not None:
        return hops[0].last_at < before
    return all((hop.left_at is not None or lost(hop, before)) and hop.last_at < before for hop in hops)


def lost(hop: Hop, now: float) -> bool:
    """Whether an open hop has been silent for longer than a queue keeps mail: the log of its end is missing.

    What is held or frozen waits for somebody, and may be silent.
    """
    return (
        hop.left_at is None and now - hop.last_at > LIFETIME_SECONDS and hop.state is None
        and not any(fate.status is DeliveryStatus.HELD for fate in hop.fates.values())
    )


def carry(before: Hop, hop: Hop) -> None:
    """Keep what joining found out of a hop when the tracker tells more of it: unchanged fates go on where they went."""
    for said in before.verdicts or ():
        add_verdict(hop, said)
    for recipient, fate in hop.fates.items():
        old = before.fates.get(recipient)
        if old is not None and old.next and old.count == fate.count and old.at == fate.at and old.status is fate.status:
            fate.next, fate.reply_id = old.next, old.reply_id


def add_verdict(hop: Hop, said: Said) -> None:
    """Give a hop what a filter said, once, in order of time."""
    have = hop.verdicts or []
    if said not in have:
        hop.verdicts = sorted([*have, said], key=lambda one: one.at)


def in_order(hops: list[Hop], links: list[Link]) -> list[Hop]:
    """Hops by arrival, parents first: a log may write whole seconds, and a host's clock be behind."""
    depth = {hop.serial: 0 for hop in hops}
    since = {hop.serial: hop.arrived_at for hop in hops}
    for _ in hops:
        moved = False
        for link in links:
            if depth.get(link.child, 0) <= depth.get(link.parent, 0) < len(hops):
                depth[link.child] = depth[link.parent] + 1
                since[link.child] = max(since[link.child], since[link.parent])
                moved = True
        if not moved:
            break
    return sorted(hops, key=lambda h: (int(since[h.serial]), depth[h.serial], h.arrived_at, h.serial))
