"""Copies: hops with one Message-ID, of which each may have come of several others. Which of which is found for all of
them together, so that it does not matter which log is read first: the nearest in time belong together.

A client may send one message twice; a host may use its queue IDs again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from flowmon.model.flow import Fate, Flow, Hop, Link
from flowmon.model.words import LinkBasis
from flowmon.tracking.hosts import KnownHosts
from flowmon.tracking.linking import Ground, follows
from flowmon.tracking.table import HOPS_MOST, FlowTable, Rows

_SORTED = frozenset({LinkBasis.REPLY_ID, LinkBasis.MESSAGE_ID})
"""Links that are found for all copies together."""
_HANDED_ON = frozenset({LinkBasis.REPLY_ID, LinkBasis.NETWORK_MESSAGE_ID})
"""What surely joins a hop to the one host that handed it on."""


class _Pair(NamedTuple):
    """A hop that may have come of another."""

    order: tuple[bool, float, float, float]
    """A reply that names the queue ID comes first, then the nearest in time."""
    child: Hop
    parent: Hop
    ground: Ground


class Copies:
    """Keeps which Message-IDs are to be sorted out."""

    def __init__(self, table: FlowTable, known: KnownHosts, rows: Rows) -> None:
        self._table = table
        self._known = known
        self._rows = rows
        self._due: dict[str, None] = {}

    def are_several(self, ground: Ground, child: Hop, parent: Hop, flows: Iterable[Flow]) -> bool:
        """Whether a hop may have come of others than this one, or others of that; then they are due."""
        basis, _, fates = ground
        if basis is LinkBasis.MESSAGE_ID or (basis is LinkBasis.REPLY_ID and child.message_id is not None and (
            any(fate.next not in (0, child.serial) for fate in fates) or any(
                link.child == child.serial and link.parent != parent.serial and link.basis in _SORTED
                for flow in flows for link in flow.links
            )
        )):
            self._due[str(child.message_id)] = None
            return True
        return False

    def sort_out(self) -> set[int]:
        """Find which hop came of which for all Message-IDs that are due; the rows that changed."""
        changed: set[int] = set()
        while self._due:
            changed |= self._sort_out(self._due.popitem()[0])
        return changed

    def _sort_out(self, message_id: str) -> set[int]:
        flows = self._table.among(self._rows("message-id", message_id))
        hops = [
            hop for flow in flows if len(flow.hops) <= HOPS_MOST
            for hop in flow.hops if hop.message_id == message_id and hop.refused is None
        ]
        by_serial = {hop.serial: hop for hop in hops}
        before = [
            link for flow in flows for link in flow.links
            if link.basis in _SORTED and link.child in by_serial and link.parent in by_serial
        ]
        for link in before:
            _undo(link, by_serial[link.parent])
        sorted_before = {(link.child, link.parent) for link in before}
        wanted = self._wanted(hops, {
            link.child for flow in flows for link in flow.links
            if link.basis in _HANDED_ON and (link.child, link.parent) not in sorted_before
        })
        stay = {(child.serial, parent.serial) for child, parent, _ in wanted}
        changed = self._part(sorted_before - stay, flows) if sorted_before - stay else set()
        for child, parent, (basis, certainty, fates) in wanted:
            for fate in fates:
                fate.next = child.serial
            changed.add(self._table.link(Link(child.serial, parent.serial, basis, certainty)).id)
        return changed

    def _wanted(self, hops: list[Hop], handed: set[int]) -> list[tuple[Hop, Hop, Ground]]:
        """Each hop with the one that it came of, on what ground; `handed` are known to have come of others."""
        pairs = []
        for child in hops:
            for parent in hops:
                ground = follows(child, parent, self._known) if child is not parent else None
                if ground is None or ground[0] not in _SORTED:
                    continue
                guess = ground[0] is LinkBasis.MESSAGE_ID
                if guess and child.serial in handed:
                    continue
                apart = _seconds_apart(child, parent, ground[2], self._known)
                pairs.append(_Pair((guess, apart, child.arrived_at, parent.arrived_at), child, parent, ground))
        return [(pair.child, pair.parent, pair.ground) for pair in _uncrossed(_nearest(pairs), pairs)]

    def _part(self, away: set[tuple[int, int]], flows: Iterable[Flow]) -> set[int]:
        """Undo links (child and parent); the rows of what comes of their flows."""
        changed = set()
        for flow in flows:
            left = [link for link in flow.links if (link.child, link.parent) not in away or link.basis not in _SORTED]
            if len(left) < len(flow.links):
                flow.links = left
                changed |= {one.id for one in self._table.split(flow)}
        return changed


def _nearest(pairs: list[_Pair]) -> list[_Pair]:
    """Each hop with the nearest that is left, and each try with one hop that took it."""
    wanted: list[_Pair] = []
    came_of: dict[int, int] = {}
    gone: set[int] = set()
    for pair in sorted(pairs, key=lambda pair: pair.order):
        child, parent, (basis, certainty, fates) = pair.child.serial, pair.parent.serial, pair.ground
        free = [fate for fate in fates if id(fate) not in gone]
        if free and came_of.get(child, parent) == parent and not _leads_to(came_of, parent, child):
            came_of[child] = parent
            gone.update(id(fate) for fate in free)
            wanted.append(pair._replace(ground=(basis, certainty, free)))
    return wanted


def _uncrossed(wanted: list[_Pair], pairs: list[_Pair]) -> list[_Pair]:
    """Pairs exchanged where that brings them nearer in sum: a clock that is ahead is so for all."""
    possible = {(pair.child.serial, pair.parent.serial): pair for pair in pairs}
    for place, one in enumerate(wanted):
        for later in range(place + 1, len(wanted)):
            other, one = wanted[later], wanted[place]
            this = possible.get((one.child.serial, other.parent.serial))
            that = possible.get((other.child.serial, one.parent.serial))
            if this is None or that is None or _tries(this) != _tries(other) or _tries(that) != _tries(one):
                continue
            if this.order[1] + that.order[1] < one.order[1] + other.order[1]:
                wanted[place], wanted[later] = this, that
    return wanted


def _tries(pair: _Pair) -> tuple[bool, list[int]]:
    """What a hop took from which: the same for all that may take it."""
    return pair.order[0], [id(fate) for fate in pair.ground[2]]


def _leads_to(came_of: dict[int, int], serial: int, to: int) -> bool:
    """Whether a hop came of another, over however many."""
    while serial in came_of and serial != to:
        serial = came_of[serial]
    return serial == to


def _undo(link: Link, parent: Hop) -> None:
    for fate in parent.fates.values():
        if fate.next == link.child:
            fate.next = 0


def _seconds_apart(child: Hop, parent: Hop, fates: list[Fate], known: KnownHosts) -> float:
    """How far a hop is in time from the tries that it may have come of, by the clock of the one that tried."""
    ahead = known.ahead.get(f"{parent.host} {child.host}", 0.0)
    return min((abs(child.arrived_at - ahead - fate.at) for fate in fates), default=0.0)
