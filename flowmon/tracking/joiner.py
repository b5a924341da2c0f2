"""The joiner: puts hops that belong to one message into one flow.

Candidates are found by key (message-id, queue ID, the id in a reply, sender and recipient of a failure), then each is
held against the rules of linking. Order does not matter: whichever of two hops comes later finds the other. It holds
the flows that may still change; older ones it loads from the store when a key leads to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flowmon.model.flow import Flow, Hop, Link
from flowmon.model.words import DeliveryStatus
from flowmon.tracking.hosts import KnownHosts
from flowmon.tracking.linking import SKEW_SECONDS, follows, handed_id, temporary

INDEX_LIMIT = 200_000
"""Entries of each in-memory index; older ones are looked up in the store."""
LINGER_SECONDS = SKEW_SECONDS + 120.0
"""How long a flow whose hops have all ended stays in memory, in time of the log."""

_FAILED = frozenset({DeliveryStatus.DEFERRED, DeliveryStatus.BOUNCED, DeliveryStatus.EXPIRED})

Lookup = Callable[[str, str], Iterable[int]]
"""(kind, value) to rows of flows in the store. Kinds: message-id, queue-id, reply-id, network-message-id, failure."""
Load = Callable[[int], "Flow | None"]


class _Index:
    """Keys to rows of flows, newest kept."""

    __slots__ = ("limit", "rows")

    def __init__(self, limit: int) -> None:
        self.rows: dict[str, int | list[int]] = {}
        self.limit = limit

    def add(self, key: str, flow: int) -> None:
        have = self.rows.get(key)
        if have is None:
            self.rows[key] = flow
        elif have == flow:
            return
        elif isinstance(have, list):
            if flow not in have:
                have.append(flow)
        else:
            self.rows[key] = [have, flow]

    def get(self, key: str) -> Iterable[int]:
        have = self.rows.get(key)
        if have is None:
            return ()
        return have if isinstance(have, list) else (have,)

    def trim(self) -> None:
        """Forget the oldest entries over the limit."""
        over = len(self.rows) - self.limit
        if over > 0:
            for key in list(self.rows)[: over + self.limit // 10]:
                del self.rows[key]


class Joiner:
    """Keeps flows. `join()` takes changed hops and gives the rows of the flows that changed or are gone."""

    def __init__(self, known: KnownHosts, *, next_id: int = 1, lookup: Lookup | None = None, load: Load | None = None,
                 limit: int = INDEX_LIMIT) -> None:
        self.known = known
        self.flows: dict[int, Flow] = {}
        self.next_id = next_id
        self.gone: set[int] = set()
        """Rows that were merged into others since the last commit."""
        self.merged_into: dict[int, int] = {}
        self._lookup = lookup
        self._load = load
        self._by_message_id = _Index(limit)
        self._by_queue_id = _Index(limit)
        self._by_reply_id = _Index(limit)
        self._by_network_id = _Index(limit)
        self._by_failure = _Index(limit)

    def restore(self, flows: Iterable[Flow]) -> None:
        """Take up flows of a store again."""
        for flow in flows:
            self.flows[flow.id] = flow
            self.next_id = max(self.next_id, flow.id + 1)
            for hop in flow.hops:
                hop.flow = flow.id
                self._index(hop, flow.id)

    def join(self, hops: Iterable[Hop]) -> set[int]:
        """Take hops that changed; the rows of flows that must be written anew."""
        changed: set[int] = set()
        for hop in hops:
            flow = self.flow_of(hop)
            if flow is None:
                flow = Flow(self.next_id, [hop], [])
                self.next_id += 1
                self.flows[flow.id] = flow
                hop.flow = flow.id
                self.known.see(hop)
            self._index(hop, flow.id)
            changed.add(self._link(hop, flow).id)
        return {self.row(id) for id in changed}

    def flow_of(self, hop: Hop) -> Flow | None:
        """The flow that a hop is in; None before it is joined."""
        if not hop.flow:
            return None
        flow = self._get(hop.flow)
        if flow is not None and not any(h is hop for h in flow.hops):
            # the store gave a copy of a hop that the tracker still holds: the tracker's is the newer one
            flow.hops = [hop if h.serial == hop.serial else h for h in flow.hops]
        return flow

    def row(self, id: int) -> int:
        """The row that a flow has now, after merges."""
        while id in self.merged_into:
            id = self.merged_into[id]
        return id

    def _get(self, id: int) -> Flow | None:
        id = self.row(id)
        flow = self.flows.get(id)
        if flow is None and self._load is not None:
            flow = self._load(id)
            if flow is not None:
                self.flows[id] = flow
                for hop in flow.hops:
                    hop.flow = id
        return flow

    def _index(self, hop: Hop, id: int) -> None:
        if hop.message_id is not None:
            self._by_message_id.add(hop.message_id, id)
        if hop.queue_id is not None:
            self._by_queue_id.add(hop.queue_id, id)
        if hop.network_message_id is not None:
            self._by_network_id.add(hop.network_message_id, id)
        if hop.refused is not None:
            for recipient, fate in hop.fates.items():
                if hop.client is not None or temporary(fate.diagnostic):
                    self._by_failure.add(f"{hop.sender}|{recipient}", id)
            return
        for recipient, fate in hop.fates.items():
            named = handed_id(fate)
            if named:
                self._by_reply_id.add(named, id)
            elif fate.relay is not None and (fate.status in _FAILED or fate.earlier):
                self._by_failure.add(f"{hop.sender}|{recipient}", id)

    def _candidates(self, hop: Hop) -> set[int]:
        """Rows of flows that may hold a hop before or after this one."""
        found: set[int] = set()
        if hop.message_id is not None:
            found.update(self._find(self._by_message_id, "message-id", hop.message_id))
        if hop.network_message_id is not None:
            found.update(self._find(self._by_network_id, "network-message-id", hop.network_message_id))
        if hop.queue_id is not None:
            found.update(self._find(self._by_reply_id, "reply-id", hop.queue_id))
        for recipient, fate in hop.fates.items():
            if fate.next:
                continue
            named = handed_id(fate)
            if named:
                found.update(self._find(self._by_queue_id, "queue-id", named))
        if self._by_failure.rows:
            for recipient, fate in hop.fates.items():
                found.update(self._by_failure.get(f"{hop.sender}|{recipient}"))
                if fate.original is not None:
                    found.update(self._by_failure.get(f"{hop.sender}|{fate.original}"))
        for other in (*(hop.copies or ()), hop.parent_id):
            if other is not None:
                found.update(self._find(self._by_queue_id, "queue-id", other))
        return found

    def _find(self, index: _Index, kind: str, value: str) -> Iterable[int]:
        near = index.get(value)
        if self._lookup is not None and len(self.known.hosts) > 1:
            return {*near, *self._lookup(kind, value)}
        return near

    def _link(self, hop: Hop, flow: Flow) -> Flow:
        """Find what comes before and after this hop, and merge the flows."""
        for id in self._candidates(hop):
            other = flow if self.row(id) == flow.id else self._get(id)
            if other is None:
                continue
            if other is flow and len(flow.hops) == 1:
                continue
            joined = False
            for there in other.hops:
                if there is hop:
                    continue
                joined |= self._try(hop, there, flow, other)
                joined |= self._try(there, hop, flow, other)
            if joined and other is not flow:
                flow = self._merge(flow, other)
        return flow

    def _try(self, child: Hop, parent: Hop, flow: Flow, other: Flow) -> bool:
        ground = follows(child, parent, self.known)
        if ground is None:
            return False
        basis, certainty, fates = ground
        known = next((k for k in (*flow.links, *other.links) if k.child == child.serial and k.parent == parent.serial), None)
        if known is None:
            flow.links.append(Link(child.serial, parent.serial, basis, certainty))
        for fate in fates:
            fate.next = fate.next or child.serial
        return True

    def _merge(self, one: Flow, other: Flow) -> Flow:
        """Put the hops of both into the older row; the other row is gone."""
        keep, drop = (one, other) if one.id < other.id else (other, one)
        keep.hops = sorted([*keep.hops, *drop.hops], key=lambda h: (h.arrived_at, h.serial))
        keep.links = [*keep.links, *drop.links]
        for hop in drop.hops:
            hop.flow = keep.id
        self.flows.pop(drop.id, None)
        self.gone.add(drop.id)
        self.merged_into[drop.id] = keep.id
        return keep

    def let_go(self, now: float) -> None:
        """Forget flows that have ended long enough ago; keys still lead to them through the store."""
        if self._load is None:
            return
        horizon = now - LINGER_SECONDS
        for id in [
            id for id, flow in self.flows.items()
            if all(h.left_at is not None and h.last_at < horizon for h in flow.hops)
        ]:
            del self.flows[id]
        for index in (self._by_message_id, self._by_queue_id, self._by_reply_id, self._by_network_id, self._by_failure):
            index.trim()


