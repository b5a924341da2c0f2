"""The joiner: puts hops that belong to one message into one flow.

Candidates are found by key (message-id, queue ID, the id in a reply, sender and recipient of a failure), then each is
held against the rules of linking. Order does not matter: whichever of two hops comes later finds the other. It holds
the flows that may still change; older ones it loads from the store when a key leads to them.
"""

from __future__ import annotations

from collections.abc import Iterable

from flowmon.model.flow import Flow, Heard, Hop
from flowmon.tracking.copies import Copies
from flowmon.tracking.flows import carry, ended, in_order, note
from flowmon.tracking.hearing import Hearing
from flowmon.tracking.hosts import KnownHosts
from flowmon.tracking.index import Index, trim
from flowmon.tracking.linking import FAILED, HANDED, SKEW_SECONDS, follows, handed_id
from flowmon.tracking.processes import SESSIONS_KEPT
from flowmon.tracking.sessions import Lookup, RefusedSessions, Taken
from flowmon.tracking.table import HOPS_MOST, FlowTable, Load

LIMIT_OF_ONE_HOST = 20_000
"""Keys in memory while there is one host only: it tells all in order, so that what belongs together is near."""
INDEX_LIMIT = 200_000
"""Entries of each in-memory index; older ones are looked up in the store."""
_ROUNDS_MOST = 10
"""How often what moved is held against all others once more."""
LINGER_SECONDS = 60.0
"""How long a flow whose hops have all ended stays in memory, in time of the log.

Longer than the tracker tells of it.
"""
REACH_SECONDS = SKEW_SECONDS + 120.0
"""How far back a restart puts flows under their keys in memory again."""


class Joiner:
    """Keeps flows. `join()` takes changed hops and gives the rows of the flows that changed or are gone."""

    def __init__(self, known: KnownHosts, *, next_id: int = 1, lookup: Lookup | None = None, taken: Taken | None = None,
                 load: Load | None = None, limit: int = INDEX_LIMIT) -> None:
        self.known = known
        self.table = FlowTable(next_id, load)
        self._refused = RefusedSessions(self.table, known, lookup, taken)
        self._copies = Copies(self.table, known, self._named)
        self.hearing = Hearing(self.table, known, self._named)
        self._lookup = lookup
        self._forgets = load is not None
        self._limit = limit
        self._by_message_id = Index()
        self._by_queue_id = Index()
        self._by_reply_id = Index()
        self._by_network_id = Index()
        self._refused_rows: dict[int, int] = {}
        """Serial to row for refused sessions no more in memory: while one is open, more may be refused in it."""
        self._learnt = 0
        """What was known of hosts when all were held against each other last."""
        self._next_sweep = 0.0

    def restore(self, flows: Iterable[Flow], refused: Iterable[Flow]) -> None:
        """Take up flows of a store again; of `refused` ones only the keys, to be found when the client comes back."""
        for flow in flows:
            self.table.hold(flow)
            self.table.next_id = max(self.table.next_id, flow.id + 1)
            for hop in flow.hops:
                self._meet(hop, flow)
        for flow in refused:
            for hop in flow.hops:
                if hop.refused is not None:
                    self._refused_rows[hop.serial] = flow.id
                    self._refused.refused(hop, flow.id)

    def join(self, hops: Iterable[Hop]) -> set[int]:
        """Take hops that changed; the rows of flows that must be written anew."""
        changed: set[int] = set()
        table = self.table
        flow_of, refused_rows, hosts, meet = table.flow_of, self._refused_rows, self.known.hosts, self._meet
        for told in hops:
            hop = told if told.refused is None else self._refused.left_of(told)
            if hop is None:
                continue
            flow = self._current(hop) if hop.serial in flow_of or hop.serial in refused_rows else None
            if flow is None:
                flow = table.new([hop])
                if hop.host not in hosts:
                    self._see(hop.host)
            near = meet(hop, flow)
            if near:
                flow = self._link(hop, flow, near)
            changed.add(flow.id)
        changed |= self._settle()
        return {table.row(id) for id in changed} if table.gone else changed

    def _see(self, host: str) -> None:
        """Take note of a host; where there was one only, its log told all in order, and nothing had to be kept."""
        self.known.see(host)
        if len(self.known.hosts) == 2:
            for flow in self.table.flows.values():
                for hop in flow.hops:
                    if hop.refused is None:
                        self._meet_fates(hop, flow.id, set())

    def _current(self, hop: Hop) -> Flow | None:
        """The flow that a hop is in, with this hop in the place of what it was before; None for a new one."""
        id = self.table.flow_of.get(hop.serial) or self._refused_rows.get(hop.serial)
        flow = self.table.get(id) if id is not None else None
        if flow is None:
            return None
        for place, before in enumerate(flow.hops):
            if before.serial == hop.serial:
                if before is not hop:
                    carry(before, hop)
                    flow.hops[place] = hop
                return flow
        return None

    def _meet(self, hop: Hop, flow: Flow) -> set[int]:
        """Put a hop under its keys; the rows of flows that may hold a hop before or after it."""
        id = flow.id
        near: set[int] = set()
        if hop.message_id is not None:
            near.update(self._by_message_id.add(hop.message_id, id))
            if self.hearing.named:
                self.hearing.met(hop.message_id)
        if hop.queue_id is not None:
            if others := self._by_queue_id.add(hop.queue_id, id):
                near.update(others)
            if hash(hop.queue_id) in self._by_reply_id:
                near.update(self._by_reply_id.rows(hop.queue_id))
        if hop.network_message_id is not None:
            self._meet_network_id(hop, hop.network_message_id, id, near)
        if hop.refused is not None:
            near.update(self._refused.refused(hop, id))
        else:
            self._meet_fates(hop, id, near)
        if hop.copies is not None or hop.parent_id is not None:
            self._meet_copies(hop, id, near)
        if self._lookup is not None and (len(self.known.hosts) > 1 or hop.network_message_id is not None):
            self._ask_store(hop, near)  # one host's log tells all in order, but an Exchange server has several
        if len(flow.hops) == 1:
            near.discard(id)
        elif hop.network_message_id is not None or hop.message_id is not None:
            near.add(id)  # what it tells now may join it to hops that came into the flow by another way
        return near

    def _meet_network_id(self, hop: Hop, network_message_id: str, id: int, near: set[int]) -> None:
        near.update(self._by_network_id.add(network_message_id, id))
        if hop.session is not None:
            near.update(self._refused.in_session(hop.session, id))
        for recipient in hop.fates if hop.origin == "smtp" else ():  # refused in another log, to be read later
            self._refused.accepted(hop.sender, recipient, id)

    def _meet_copies(self, hop: Hop, id: int, near: set[int]) -> None:
        for copy in hop.copies or ():
            near.update(self._by_queue_id.rows(copy))
            self._by_reply_id.add(copy, id)  # its first line may be to come
        if hop.parent_id is not None:
            near.update(self._by_queue_id.rows(hop.parent_id))

    def _meet_fates(self, hop: Hop, id: int, near: set[int]) -> None:
        sender, accepted = hop.sender, self._refused.accepted
        refused_before = sender in self._refused.senders or (len(self.known.hosts) > 1 and hop.client is not None)
        for recipient, fate in hop.fates.items():
            named = fate.reply_id
            if named is None:
                named = handed_id(fate)
                if named:
                    self._by_reply_id.add(named, id)
            if named and not fate.next and hash(named) in self._by_queue_id:
                near.update(self._by_queue_id.rows(named))
            if refused_before or hop.tries is not None or (
                fate.relay is not None and (fate.earlier or (not named and fate.status in FAILED))
            ):
                accepted(sender, recipient, id)
                if fate.original is not None:
                    accepted(sender, fate.original, id)
        if refused_before and hop.recipients is not None:
            for recipient in hop.recipients.split():
                accepted(sender, recipient, id)

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

    def _named(self, kind: str, value: str) -> Iterable[int]:
        """Rows of flows by message-id or queue-id, in memory and store."""
        keys = self._by_message_id if kind == "message-id" else self._by_queue_id
        return (*keys.rows(value), *(self._lookup(kind, value) if self._lookup is not None else ()))

    def _link(self, hop: Hop, flow: Flow, near: set[int]) -> Flow:
        """Hold the hop against each hop of the flows near it, and merge where one surely follows the other."""
        for id in near:
            other = flow if self.table.row(id) == flow.id else self.table.get(id)
            if other is None or (other is flow and len(flow.hops) == 1) or len(other.hops + flow.hops) > HOPS_MOST:
                continue
            joined = False
            for there in other.hops:
                for child, parent in ((hop, there), (there, hop)) if there is not hop else ():
                    ground = follows(child, parent, self.known)
                    if ground is not None and not self._copies.are_several(ground, child, parent, (flow, other)):
                        joined |= note(ground, child, parent, flow, other, self.known)
            if joined and other is not flow:
                flow = self.table.merge(flow, other)
            elif joined:
                flow.hops = in_order(flow.hops, flow.links)
        return flow

    def _settle(self) -> set[int]:
        """Give refusals to their messages, and hold hops that were parted against the others again, until nothing
        moves; the rows of the flows that changed."""
        changed = set()
        for _ in range(_ROUNDS_MOST):
            changed |= self._refused.sort_out() | self._copies.sort_out()
            parted = self.table.take_parted()
            if not parted:
                break
            for serial in parted:
                flow = self.table.with_hop(serial)
                for hop in flow.hops if flow is not None else ():
                    if hop.serial == serial and flow is not None:
                        near = self._meet(hop, flow)
                        changed.add(self._link(hop, flow, near).id if near else flow.id)
                        break
        return changed

    def again(self) -> set[int]:
        """Hold hops that handed mail to nobody known against the others once more, where more was learnt of hosts
        meanwhile; the rows that changed."""
        if self.known.learnt == self._learnt or len(self.known.hosts) < 2:
            return set()
        self._learnt = self.known.learnt
        self._refused.hosts_known()
        open_ended = [
            (hop, flow) for flow in self.table.flows.values() for hop in flow.hops if hop.refused is None
            and any(not fate.next and fate.relay is not None and fate.status in HANDED for fate in hop.fates.values())
        ]
        changed = set()
        for hop, flow in open_ended:
            flow = self.table.flows[self.table.row(flow.id)]
            links = len(flow.links)
            near = self._meet(hop, flow)
            if near and len((flow := self._link(hop, flow, near)).links) > links:
                changed.add(flow.id)
        changed |= self._settle()
        return {self.table.row(id) for id in changed}

    def hear(self, late: Iterable[Heard]) -> set[int]:
        """Give what filters said to the hops that they speak of; the rows that changed."""
        return self.hearing.hear(late) | self.hearing.again()

    def committed(self, now: float) -> None:
        """All is in the store: forget flows that ended long enough before `now`.

        Keys lead to them through the store.
        """
        table = self.table
        table.gone.clear()
        self._refused.kept_to = now
        if not self._forgets or now < self._next_sweep:
            return
        self._next_sweep = now + 2 * LINGER_SECONDS
        horizon = now - LINGER_SECONDS
        over = [id for id, f in table.flows.items() if f.hops[-1].last_at < horizon and ended(f.hops, horizon)]
        for hop, id in table.forget(over):
            if hop.refused is not None:
                self._refused_rows[hop.serial] = id
        limit = self._limit if len(self.known.hosts) > 1 else LIMIT_OF_ONE_HOST
        for keys in (self._by_message_id, self._by_queue_id, self._by_reply_id, self._by_network_id,
                     table.merged_into):
            trim(keys, limit)
        trim(self._refused_rows, SESSIONS_KEPT)
        self._refused.trim(limit, SESSIONS_KEPT)
