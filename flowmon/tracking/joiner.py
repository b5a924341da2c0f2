"""The joiner: puts hops that belong to one message into one flow.

Candidates are found by key (message-id, queue ID, the id in a reply, sender and recipient of a failure), then each is
held against the rules of linking. Order does not matter: whichever of two hops comes later finds the other. It holds
the flows that may still change; older ones it loads from the store when a key leads to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flowmon.model.flow import Flow, Hop, Link
from flowmon.model.words import DeliveryStatus
from flowmon.tracking.hosts import KnownHosts
from flowmon.tracking.linking import SKEW_SECONDS, follows, handed_id, temporary

INDEX_LIMIT = 200_000
"""Entries of each in-memory index; older ones are looked up in the store."""
_HOPS_MOST = 400
"""Hops of one flow: where IDs are used again and again, everything would be held against everything."""
_ROWS_KEPT = 32
"""Rows of one key (a Message-ID that many messages have, refusals of one sender and recipient)."""
LINGER_SECONDS = 60.0
"""How long a flow whose hops have all ended stays in memory, in time of the log.

Longer than the tracker tells of it.
"""
REACH_SECONDS = SKEW_SECONDS + 120.0
"""How far back a restart puts flows under their keys in memory again."""

_FAILED = frozenset({DeliveryStatus.DEFERRED, DeliveryStatus.BOUNCED, DeliveryStatus.EXPIRED})

Lookup = Callable[[str, str], Iterable[int]]
"""(kind, value) to rows of flows in the store. Kinds: message-id, queue-id, reply-id, network-message-id, failure."""
Load = Callable[[int], "Flow | None"]


class _Index(dict[int, "int | list[int]"]):
    """Keys to rows of flows, newest kept, of each key as of all.

    Keys are kept as hashes: a third of the memory, and what two keys of one hash lead to is told apart by linking.
    """

    def add(self, text: str, flow: int) -> list[int]:
        """Put a row under a key; gives the other rows that stand there."""
        key = hash(text)
        have = self.setdefault(key, flow)
        return _NONE if have == flow else self.beside(key, have, flow)

    def beside(self, key: int, have: int | list[int], flow: int) -> list[int]:
        """Put a row under a hash that leads to others, and give those."""
        if not isinstance(have, list):
            have = self[key] = [have]
        others = [row for row in have if row != flow]
        if len(others) == len(have):
            have.append(flow)
            if len(have) > _ROWS_KEPT:
                del have[0]
        return others

    def rows(self, text: str) -> list[int]:
        """The rows that stand under a key."""
        have = self.get(hash(text))
        if have is None:
            return _NONE
        return have if isinstance(have, list) else [have]


def _trim(keys: dict[Any, Any], limit: int) -> None:
    """Forget the oldest entries over the limit."""
    over = len(keys) - limit
    if over > 0:
        for key in list(keys)[: over + limit // 10]:
            del keys[key]


_NONE: list[int] = []


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
        self._limit = limit
        self._by_message_id = _Index()
        self._by_queue_id = _Index()
        self._by_reply_id = _Index()
        self._by_network_id = _Index()
        self._by_failure = _Index()
        """Failed tries by sender and recipient; the refusals that answered them are under the same keys apart."""
        self._by_refusal = _Index()
        self._flow_of: dict[int, int] = {}
        """Serial of a hop to the row of its flow, for the flows in memory."""
        self._next_sweep = 0.0
        self._refused_senders: dict[str, None] = {}
        """Senders of refused mail: who else has been refused nothing need not be looked up."""

    def restore(self, flows: Iterable[Flow], refused: Iterable[Flow]) -> None:
        """Take up flows of a store again; of `refused` ones only the keys, to be found when the client comes back."""
        for flow in flows:
            self._hold(flow)
            self.next_id = max(self.next_id, flow.id + 1)
            for hop in flow.hops:
                self._meet(hop, flow)
        for flow in refused:
            for hop in flow.hops:
                if hop.refused is not None:
                    self._meet_refusal(hop, flow.id, set())

    def _hold(self, flow: Flow) -> None:
        self.flows[flow.id] = flow
        for hop in flow.hops:
            self._flow_of[hop.serial] = flow.id

    def join(self, hops: Iterable[Hop]) -> set[int]:
        """Take hops that changed; the rows of flows that must be written anew."""
        changed: set[int] = set()
        flow_of, hosts, meet = self._flow_of, self.known.hosts, self._meet
        for hop in hops:
            flow = self._current(hop) if hop.serial in flow_of else None
            if flow is None:
                id = self.next_id
                self.next_id += 1
                flow = self.flows[id] = Flow(id, [hop], [])
                flow_of[hop.serial] = id
                if hop.host not in hosts:
                    self.known.see(hop.host)
            near = meet(hop, flow)
            if near:
                flow = self._link(hop, flow, near)
            changed.add(flow.id)
        return {self.row(id) for id in changed} if self.gone else changed

    def _current(self, hop: Hop) -> Flow | None:
        """The flow that a hop is in, with this hop in the place of what it was before; None for a new one."""
        id = self._flow_of.get(hop.serial)
        flow = self._get(id) if id is not None else None
        if flow is None:
            return None
        for place, before in enumerate(flow.hops):
            if before.serial == hop.serial:
                if before is not hop:
                    _carry(before, hop)
                    flow.hops[place] = hop
                break
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
                self._hold(flow)
        return flow

    def _meet(self, hop: Hop, flow: Flow) -> set[int]:
        """Put a hop under its keys; the rows of flows that may hold a hop before or after it."""
        id = flow.id
        near: set[int] = set()
        if hop.message_id is not None and (others := self._by_message_id.add(hop.message_id, id)):
            near.update(others)
        if hop.queue_id is not None:
            if others := self._by_queue_id.add(hop.queue_id, id):
                near.update(others)
            if hash(hop.queue_id) in self._by_reply_id:
                near.update(self._by_reply_id.rows(hop.queue_id))
        if hop.network_message_id is not None:
            near.update(self._by_network_id.add(hop.network_message_id, id))
        if hop.refused is not None:
            self._meet_refusal(hop, id, near)
        else:
            self._meet_fates(hop, id, near)
        if hop.copies is not None or hop.parent_id is not None:
            self._meet_copies(hop, id, near)
        if self._lookup is not None and len(self.known.hosts) > 1:
            self._ask_store(hop, near)
        if len(flow.hops) == 1:
            near.discard(id)
        elif hop.network_message_id is not None or hop.message_id is not None:
            near.add(id)  # what it tells now may join it to hops that came into the flow by another way
        return near

    def _meet_copies(self, hop: Hop, id: int, near: set[int]) -> None:
        for copy in hop.copies or ():
            near.update(self._by_queue_id.rows(copy))
            self._by_reply_id.add(copy, id)  # its first line may be to come
        if hop.parent_id is not None:
            near.update(self._by_queue_id.rows(hop.parent_id))

    def _meet_refusal(self, hop: Hop, id: int, near: set[int]) -> None:
        for recipient, fate in hop.fates.items():
            key = f"{hop.sender}|{recipient}"
            passes = temporary(fate.diagnostic)
            if passes or hop.client is not None:
                others = self._by_refusal.add(key, id)
                near.update(self._by_failure.rows(key))
                if passes:  # refusals for good do not follow each other, and a flood of them is equal
                    near.update(others)
                if hop.sender:
                    self._refused_senders[hop.sender] = None

    def _meet_fates(self, hop: Hop, id: int, near: set[int]) -> None:
        refused_before = hop.sender in self._refused_senders
        for recipient, fate in hop.fates.items():
            named = fate.reply_id
            if named is None:
                named = handed_id(fate)
                if named:
                    self._by_reply_id.add(named, id)
            if named:
                if not fate.next and hash(named) in self._by_queue_id:
                    near.update(self._by_queue_id.rows(named))
            elif fate.relay is not None and (fate.status in _FAILED or fate.earlier):
                self._by_failure.add(f"{hop.sender}|{recipient}", id)
                near.update(self._by_refusal.rows(f"{hop.sender}|{recipient}"))
            if refused_before:
                near.update(self._by_refusal.rows(f"{hop.sender}|{recipient}"))
                if fate.original is not None:
                    near.update(self._by_refusal.rows(f"{hop.sender}|{fate.original}"))
        if refused_before and hop.recipients is not None:
            for recipient in hop.recipients.split():
                near.update(self._by_refusal.rows(f"{hop.sender}|{recipient}"))

    def _ask_store(self, hop: Hop, near: set[int]) -> None:
        """The same keys among what memory holds no more."""
        ask = self._lookup
        if ask is None:
            return
        if hop.message_id is not None:
            near.update(ask("message-id", hop.message_id))
        if hop.queue_id is not None:
            near.update(ask("reply-id", hop.queue_id))
        if hop.network_message_id is not None:
            near.update(ask("network-message-id", hop.network_message_id))
        for fate in hop.fates.values():
            if fate.reply_id and not fate.next:
                near.update(ask("queue-id", fate.reply_id))

    def _link(self, hop: Hop, flow: Flow, near: set[int]) -> Flow:
        """Hold the hop against each hop of the flows near it, and merge where one follows the other."""
        for id in near:
            other = flow if self.row(id) == flow.id else self._get(id)
            if other is None or (other is flow and len(flow.hops) == 1):
                continue
            if len(other.hops) + len(flow.hops) > _HOPS_MOST:
                continue
            joined = False
            for there in other.hops:
                if there is not hop:
                    joined |= self._try(hop, there, flow, other)
                    joined |= self._try(there, hop, flow, other)
            if joined and other is not flow:
                flow = self._merge(flow, other)
        return flow

    def _try(self, child: Hop, parent: Hop, flow: Flow, other: Flow) -> bool:
        ground = follows(child, parent, self.known)
        if ground is None or any(k.child == parent.serial and k.parent == child.serial for k in flow.links):
            return False  # the other way round it follows already
        basis, certainty, fates = ground
        if not any(k.child == child.serial and k.parent == parent.serial for k in (*flow.links, *other.links)):
            flow.links.append(Link(child.serial, parent.serial, basis, certainty))
        for fate in fates:
            fate.next = fate.next or child.serial
        return True

    def _merge(self, one: Flow, other: Flow) -> Flow:
        """Put the hops of both into the older row; the other row is gone."""
        keep, drop = (one, other) if one.id < other.id else (other, one)
        keep.links = [*keep.links, *drop.links]
        keep.hops = _in_order([*keep.hops, *drop.hops], keep.links)
        for hop in drop.hops:
            self._flow_of[hop.serial] = keep.id
        self.flows.pop(drop.id, None)
        self.gone.add(drop.id)
        self.merged_into[drop.id] = keep.id
        return keep

    def committed(self, now: float) -> None:
        """All is in the store: forget flows that ended long enough before `now`.

        Keys lead to them through the store.
        """
        self.gone.clear()
        if self._load is None or now < self._next_sweep:
            return
        self._next_sweep = now + 2 * LINGER_SECONDS
        horizon = now - LINGER_SECONDS
        for id in [
            id for id, flow in self.flows.items() if flow.hops[-1].last_at < horizon and _ended(flow.hops, horizon)
        ]:
            for hop in self.flows.pop(id).hops:
                del self._flow_of[hop.serial]
        for keys in (
            self._by_message_id, self._by_queue_id, self._by_reply_id, self._by_network_id, self._by_failure,
            self._by_refusal, self._refused_senders, self.merged_into,
        ):
            _trim(keys, self._limit)


def _ended(hops: list[Hop], before: float) -> bool:
    """Whether all hops ended, the last one before this time."""
    if len(hops) == 1:
        return hops[0].left_at is not None and hops[0].last_at < before
    return all(hop.left_at is not None and hop.last_at < before for hop in hops)


def _carry(before: Hop, hop: Hop) -> None:
    """Keep what joining found out of a hop when the tracker tells more of it: unchanged fates go on where they went."""
    for recipient, fate in hop.fates.items():
        old = before.fates.get(recipient)
        if old is not None and old.next and old.count == fate.count and old.at == fate.at and old.status is fate.status:
            fate.next, fate.reply_id = old.next, old.reply_id


def _in_order(hops: list[Hop], links: list[Link]) -> list[Hop]:
    """Hops by arrival; of those that arrived in the same second (a log may write whole seconds), parents first."""
    depth = {hop.serial: 0 for hop in hops}
    for _ in hops:
        moved = False
        for link in links:
            if depth.get(link.child, 0) <= depth.get(link.parent, 0) < len(hops):
                depth[link.child] = depth[link.parent] + 1
                moved = True
        if not moved:
            break
    return sorted(hops, key=lambda h: (int(h.arrived_at), depth[h.serial], h.arrived_at, h.serial))
