"""The flows in memory by row: made, found, merged and parted again."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flowmon.model.flow import Flow, Hop, Link
from flowmon.tracking.flows import in_order

HOPS_MOST = 400
"""Hops of one flow: where IDs are used again and again, everything would be held against everything."""
Load = Callable[[int], "Flow | None"]
"""A row to the flow that a store has there."""

Rows = Callable[[str, str], Iterable[int]]
"""(kind, value) to rows of flows, in memory and store. Kinds: message-id, queue-id."""


class FlowTable:
    """Flows by row. One that is no more in memory is loaded from the store when its row is asked for."""

    def __init__(self, next_id: int, load: Load | None) -> None:
        self.flows: dict[int, Flow] = {}
        self.next_id = next_id
        self.gone: set[int] = set()
        """Rows that were merged into others, or have no hop any more, since the last commit."""
        self.merged_into: dict[int, int] = {}
        self.flow_of: dict[int, int] = {}
        """Serial of a hop to the row of its flow, for the flows in memory."""
        self._parted: set[int] = set()
        self._load = load

    def new(self, hops: list[Hop]) -> Flow:
        """A flow of these hops, in a row of its own."""
        flow = Flow(self.next_id, hops, [])
        self.next_id += 1
        self.hold(flow)
        return flow

    def hold(self, flow: Flow) -> None:
        """Keep a flow in memory."""
        self.flows[flow.id] = flow
        for hop in flow.hops:
            self.flow_of[hop.serial] = flow.id

    def row(self, id: int) -> int:
        """The row that a flow has now, after merges."""
        while id in self.merged_into:
            id = self.merged_into[id]
        return id

    def get(self, id: int) -> Flow | None:
        """The flow of a row, from memory or the store; None when there is none."""
        id = self.row(id)
        flow = self.flows.get(id)
        if flow is None and self._load is not None and id not in self.gone:
            flow = self._load(id)
            if flow is not None:
                self.hold(flow)
        return flow

    def with_hop(self, serial: int) -> Flow | None:
        """The flow in memory that a hop is in."""
        id = self.flow_of.get(serial)
        return None if id is None else self.flows.get(self.row(id))

    def among(self, rows: Iterable[int]) -> list[Flow]:
        """The flows of these rows, each once, the oldest row first."""
        found = {flow.id: flow for flow in map(self.get, set(rows)) if flow is not None}
        return [found[id] for id in sorted(found)]

    def part(self, serial: int) -> None:
        """Note that a hop lost what it hung on: it may belong elsewhere."""
        self._parted.add(serial)

    def take_parted(self) -> set[int]:
        """Serials of hops that lost what they hung on, since the last call."""
        parted, self._parted = self._parted, set()
        return parted

    def link(self, link: Link) -> Flow:
        """Make a link between two hops in memory, unless it is there: the flow that both are in then."""
        flow, other = self.with_hop(link.child), self.with_hop(link.parent)
        assert flow is not None, "hops to be linked are in memory"
        assert other is not None, "hops to be linked are in memory"
        if other is not flow:
            flow = self.merge(flow, other)
        if not any((k.child, k.parent) == (link.child, link.parent) for k in flow.links):
            flow.links.append(link)
            flow.hops = in_order(flow.hops, flow.links)
        return flow

    def merge(self, one: Flow, other: Flow) -> Flow:
        """Put the hops of both into the older row; the other row is gone."""
        keep, drop = (one, other) if one.id < other.id else (other, one)
        keep.links = [*keep.links, *drop.links]
        keep.hops = in_order([*keep.hops, *drop.hops], keep.links)
        for hop in drop.hops:
            self.flow_of[hop.serial] = keep.id
        self.flows.pop(drop.id, None)
        self.gone.add(drop.id)
        self.merged_into[drop.id] = keep.id
        return keep

    def split(self, flow: Flow) -> list[Flow]:
        """Part a flow into what its links still hold together; the first hop keeps the row. Without hops it is gone.

        What leaves the row may belong elsewhere: `take_parted`.
        """
        groups: list[list[Hop]] = []
        left = list(flow.hops)
        while left:
            group = {left[0].serial}
            size = 0
            while size < len(group):
                size = len(group)
                group |= {s for k in flow.links if k.child in group or k.parent in group for s in (k.child, k.parent)}
            groups.append([hop for hop in left if hop.serial in group])
            left = [hop for hop in left if hop.serial not in group]
        if not groups:
            self.flows.pop(flow.id, None)
            self.gone.add(flow.id)
            return []
        links = flow.links
        flow.hops = groups[0]
        flow.links = _among(links, flow.hops)
        flows = [flow]
        for hops in groups[1:]:
            flows.append(self.new(hops))
            flows[-1].links = _among(links, hops)
            self._parted.update(hop.serial for hop in hops)
        return flows

    def forget(self, ids: Iterable[int]) -> list[tuple[Hop, int]]:
        """Let flows go that the store has; gives their hops with the rows."""
        hops = [(hop, id) for id in ids for hop in self.flows.pop(id).hops]
        for hop, _ in hops:
            del self.flow_of[hop.serial]
        return hops


def _among(links: list[Link], hops: list[Hop]) -> list[Link]:
    serials = {hop.serial for hop in hops}
    return [k for k in links if k.child in serials and k.parent in serials]
