"""The flows in memory by row: made, found, merged and parted again."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flowmon.model.flow import Flow, Hop, Link
from flowmon.tracking.flows import in_order

HOPS_MOST = 400
"""Hops of one flow: where IDs are used again and again, everything would be held against everything."""
Load = Callable[[int], "Flow | None"]
"""A row to the flow that a store has there."""


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
        """Part a flow into what its links still hold together; the first hop keeps the row. Without hops it is gone."""
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
