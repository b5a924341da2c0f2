"""Refused sessions: finds the messages that refusals may belong to, and puts what is theirs into their flows."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flowmon.model.flow import Flow, Hop, Link
from flowmon.model.words import Certainty, LinkBasis
from flowmon.tracking.hosts import KnownHosts
from flowmon.tracking.index import Index, trim
from flowmon.tracking.likeness import in_one_session, temporary, told_twice, took
from flowmon.tracking.linking import FAILED, RETRY_SECONDS
from flowmon.tracking.refusals import Share, client_names, joined, less, may_be_shared, only, serial_for, shares, taken
from flowmon.tracking.table import HOPS_MOST, FlowTable

Lookup = Callable[[str, str], Iterable[int]]
"""(kind, value) to rows of flows in the store. Kinds: message-id, queue-id, reply-id, network-message-id, put-off."""

Taken = Callable[[str, str, float, float], Iterable[int]]
"""(sender, recipient, since, until) to rows of flows in the store that came between these times."""
_SESSION_LENGTH = 12
"""A session's name that is so long is an id; a shorter one, the number of a process, is used again."""
_LATE_SECONDS = 60.0
"""How long after others a refusal is read whose later try the store may have already."""


class RefusedSessions:
    """Keeps who was refused what, and whose it turned out to be."""

    def __init__(
        self, table: FlowTable, known: KnownHosts, lookup: Lookup | None, taken: Taken | None
    ) -> None:
        self.senders: dict[str | None, None] = {}
        """Senders of refused mail: who else has been refused nothing need not be looked up."""
        self._table = table
        self._known = known
        self._lookup = lookup
        self._taken = taken
        self.kept_to = 0.0
        """Up to when the store holds what logs tell (epoch seconds); some log may be behind."""
        self._refused = Index()
        """Sender and recipient to flows with a refusal of these."""
        self._accepted = Index()
        """The same to flows with mail that such a refusal may belong to."""
        self._asked: set[str] = set()
        """Names of hosts of ours whose flows were looked at, with so many domains of ours known."""
        self._domains = 0
        self._by_session = Index()
        """Sessions by their id, message by message, and refused ones as a whole: a second log may tell of them."""
        self._clients = Index()
        """Names of clients that were put off, to the flows of what they brought."""
        self._due: dict[tuple[str | None, str], None] = {}
        """Senders and recipients to be sorted out."""
        self._given: dict[int, dict[str, list[float]]] = {}
        """Serial of a session to when those of its recipients were refused that were given to messages."""

    def left_of(self, hop: Hop) -> Hop | None:
        """What of a session, of which the tracker tells, is not given to messages; None when all is."""
        given = self._given.get(hop.serial)
        if not given:
            return hop
        left = less(hop, given)
        return left if left.fates else None

    def refused(self, hop: Hop, id: int) -> Iterable[int]:
        """Note a refused session; gives rows of what may be the tries before and after it."""
        near: set[int] = set()
        self.senders[hop.sender] = None
        for recipient, fate in hop.fates.items():
            key = f"{hop.sender}|{recipient}"
            passes = temporary(fate.diagnostic)
            if passes or hop.client is not None:
                others = self._refused.add(key, id)
                if hash(key) in self._accepted and may_be_shared(hop):
                    self._due[hop.sender, recipient] = None
                if passes:  # refusals for good do not follow each other, and a flood of them is equal
                    near.update(others)
                    self._came_before(hop, recipient)
        for name in client_names(hop):
            self._clients.add(name, id)
        if hop.session is not None and len(hop.session) >= _SESSION_LENGTH:
            near.update(self.in_session(hop.session, id))
            near.update(self._by_session.add(f"refused in {hop.session.partition('/')[0]}", id))
        return near

    def in_session(self, session: str, id: int) -> Iterable[int]:
        """Note in which session, and as which of its messages, a flow came or was refused; gives the rows of the
        others."""
        return self._by_session.add(session, id)

    def _came_before(self, hop: Hop, recipient: str) -> None:
        """Note mail that came after a refusal and was read long before it, from another log."""
        if self._taken is not None and hop.sender and hop.last_at < self.kept_to - _LATE_SECONDS:
            for row in self._taken(hop.sender, recipient, hop.arrived_at, hop.last_at + RETRY_SECONDS):
                self.accepted(hop.sender, recipient, row)

    def accepted(self, sender: str | None, recipient: str, id: int) -> None:
        """Note mail that refusals may belong to."""
        key = f"{sender}|{recipient}"
        self._accepted.add(key, id)
        if hash(key) in self._refused:
            self._due[sender, recipient] = None

    def hosts_known(self) -> None:
        """Names turned out to be hosts' of ours: what these brought again and again may be several messages.

        Each name is asked for once, and again when another domain is ours.
        """
        names = {*self._known.hosts, *self._known.aliases}
        if len(self._known.own()) > self._domains:
            self._domains = len(self._known.own())
            self._asked.clear()
        for name in sorted(names - self._asked):
            self._host_known(name)
        self._asked |= names

    def _host_known(self, name: str) -> None:
        rows = {*self._clients.rows(name), *(self._lookup("put-off", name) if self._lookup else ())}
        for flow in self._table.among(rows):
            ours = [h for h in flow.hops if may_be_shared(h) and self._known.takes(h.client, h.host)]
            for hop in ours:
                self._due.update(dict.fromkeys((hop.sender, recipient) for recipient in hop.fates))
            if any(not hop.of for hop in ours) and len(flow.hops) > 1:
                self._unchain(flow, {hop.serial for hop in ours})

    def sort_out(self) -> set[int]:
        """Give each refusal that is due to whom it belongs to; the rows that changed."""
        changed: set[int] = set()
        while self._due:
            changed |= self._sort_out(*self._due.popitem()[0])
        return changed

    def trim(self, limit: int, sessions: int) -> None:
        """Forget the oldest entries over the limit of keys, and of sessions."""
        for keys in (self._refused, self._accepted, self._clients, self._by_session, self.senders):
            trim(keys, limit)
        trim(self._given, sessions)

    def _sort_out(self, sender: str | None, recipient: str) -> set[int]:
        key = f"{sender}|{recipient}"
        rows = {*self._refused.rows(key), *self._accepted.rows(key)}
        hops = [hop for flow in self._table.among(rows) for hop in flow.hops if hop.sender == sender]
        refused = [hop for hop in hops if may_be_shared(hop) and recipient in hop.fates]
        refused = [hop for hop in refused if not any(told_twice(hop, other) for other in refused)]
        accepted = [hop for hop in hops if hop.refused is None and took(hop, recipient)]
        changed: set[int] = set()
        given: dict[int, dict[int, Share]] = {}
        for serial, found in shares(recipient, refused, accepted, self._known).items():
            for share in found:
                hop = next(one for one in self._flow(serial).hops if one.serial == serial)
                if share.owner is not None and len(self._flow(share.owner.serial).hops) > HOPS_MOST:
                    share = share._replace(owner=None)
                place = serial_for(hop, share)
                if place != serial:
                    changed |= self._move(hop, recipient, place, share)
                if share.owner is not None:
                    given.setdefault(share.owner.serial, {})[place] = share
        for parts in given.values():
            changed.add(self._follow(recipient, parts))
        return changed

    def _flow(self, serial: int) -> Flow:
        flow = self._table.with_hop(serial)
        assert flow is not None, "hops that are sorted out are in memory"
        return flow

    def _move(self, hop: Hop, recipient: str, serial: int, share: Share) -> set[int]:
        """Cut refusals of a recipient out of the hop that has them, and put them where they belong; gives rows."""
        table, flow, owner = self._table, self._flow(hop.serial), share.owner
        part = only(hop, recipient, serial, share)
        times = [one.last_at for one in share.refusals]
        given = self._given.setdefault(hop.of or hop.serial, {}).setdefault(recipient, [])
        if owner is None:
            taken(given, times)
        elif not hop.of:
            given += times
        changed = self._replace(flow, hop, less(hop, {recipient: times}))
        there = table.with_hop(serial)
        if there is not None:
            there.hops = [joined(one, part) if one.serial == serial else one for one in there.hops]
        elif owner is None:
            there = table.new([part])
        else:
            there = self._flow(owner.serial)
            there.hops.append(part)
            table.flow_of[serial] = there.id
        if owner is None:
            table.part(serial)
        self._refused.add(f"{part.sender}|{recipient}", there.id)
        return changed | {there.id}

    def _replace(self, flow: Flow, hop: Hop, left: Hop) -> set[int]:
        """Put what is left of a session in its place, or nothing; what hung together by it alone is parted."""
        if left.fates:
            flow.hops = [left if one.serial == hop.serial else one for one in flow.hops]
        else:
            flow.hops = [one for one in flow.hops if one.serial != hop.serial]
            del self._table.flow_of[hop.serial]
        for one in flow.hops:
            for fate in one.fates.values():
                if fate.next == hop.serial and fate.recipient not in left.fates:
                    fate.next = 0
                    self._table.part(one.serial)
        return self._split(flow)

    def _unchain(self, flow: Flow, serials: set[int]) -> None:
        """Part sessions that were taken for tries one after the other of one message."""
        for hop in flow.hops:
            for fate in hop.fates.values():
                if hop.serial in serials and not hop.of and fate.next in serials:
                    self._table.part(hop.serial)
                    self._table.part(fate.next)
                    fate.next = 0
        self._split(flow)

    def _split(self, flow: Flow) -> set[int]:
        """Undo links of refused sessions that no fate speaks for any more; the rows of what is parted by that."""
        _drop_fallen(flow)
        return {flow.id, *(apart.id for apart in self._table.split(flow))}

    def _follow(self, recipient: str, shares: dict[int, Share]) -> int:
        """Link refusals of a recipient with the message that they belong to; the row of its flow."""
        owner = next(share.owner for share in shares.values() if share.owner is not None)
        mine = [hop for serial in shares for hop in self._flow(serial).hops if hop.serial == serial]
        parts = sorted(mine, key=lambda hop: hop.fates[recipient].at)
        brought = [part for part in parts if shares[part.serial].tried is None]
        for part, after in zip(brought, [*brought[1:], owner], strict=False):
            part.fates[recipient].next = after.serial
            self._link(after, part)
        answers = [part for part in parts if shares[part.serial].tried is not None]
        for part in answers:
            self._known.learn(part.client, owner.host)
            self._known.learn(shares[part.serial].tried, part.host)
            self._link(part, owner)
        flow = self._flow(owner.serial)
        if answers:
            fate = owner.fates[recipient]
            refusing = {hop.serial for hop in flow.hops if hop.of}
            if fate.status in FAILED and (not fate.next or fate.next in refusing):
                fate.next = answers[-1].serial
        _drop_fallen(flow)
        return flow.id

    def _link(self, child: Hop, parent: Hop) -> None:
        self._table.link(Link(child.serial, parent.serial, LinkBasis.SESSION, Certainty.STRONG))


def _drop_fallen(flow: Flow) -> None:
    """Drop the links that nothing speaks for any more."""
    hops = {hop.serial: hop for hop in flow.hops}
    flow.links = [link for link in flow.links if _stands(link, hops)]


def _stands(link: Link, hops: dict[int, Hop]) -> bool:
    """Whether what a link with a refused session rests on is still so."""
    child, parent = hops.get(link.child), hops.get(link.parent)
    if child is None or parent is None:
        return False
    if in_one_session(child, parent):
        return True
    if may_be_shared(parent):
        return any(fate.next == child.serial for fate in parent.fates.values())
    return not may_be_shared(child) or any(recipient in parent.fates for recipient in child.fates)
