"""What filters said of mail that the tracker does not find: its hop was let go, or only its Message-ID is known.

A Message-ID alone is not enough: the hop must be at work when the filter speaks, on its host or beside a filter that
has a host of its own, and be the only one of which that holds.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from flowmon.model.flow import Flow, Heard, Hop, Said
from flowmon.tracking.flows import add_verdict
from flowmon.tracking.hosts import KnownHosts
from flowmon.tracking.incidents import is_about
from flowmon.tracking.likeness import took
from flowmon.tracking.table import FlowTable, Rows

_KEPT = 1000
"""Message-IDs that are looked for when more lines tell of them; older ones are let go."""


class Hearing:
    """Gives verdicts to hops; keeps those that name a Message-ID for lines to come."""

    def __init__(self, table: FlowTable, known: KnownHosts, rows: Rows) -> None:
        self._table = table
        self._known = known
        self._rows = rows
        self.named: dict[str, list[Heard]] = {}
        """By Message-ID: what was said of late, perhaps before any line told of it."""
        self._due: dict[str, None] = {}

    def kept(self) -> bytes:
        """What is kept, for a restart."""
        return msgspec.msgpack.encode(self.named)

    def restore(self, kept: bytes) -> None:
        """Take up what `kept` gave."""
        self.named = msgspec.msgpack.decode(kept, type=dict[str, list[Heard]]) if kept else {}

    def met(self, message_id: str) -> None:
        """Note that a line came of a Message-ID."""
        if message_id in self.named:
            self._due[message_id] = None

    def hear(self, heard: Iterable[Heard]) -> set[int]:
        """Give each verdict to its hop; the rows that changed."""
        changed = set()
        for one in heard:
            changed |= self._by_queue_id(one) if one.queue_id is not None else self._by_message_id(one)
        return changed

    def again(self) -> set[int]:
        """Look once more for the hops of what was kept, where lines came since; the rows that changed."""
        changed = set()
        while self._due:
            changed |= self.hear(self.named.pop(self._due.popitem()[0], ()))
        return changed

    def _by_queue_id(self, heard: Heard) -> set[int]:
        queue_id, said = str(heard.queue_id), heard.said
        return {
            _give(flow, hop, said) for flow in self._table.among(self._rows("queue-id", queue_id)) for hop in flow.hops
            if hop.queue_id == queue_id and hop.host == said.host and is_about(said, hop)
        }

    def _by_message_id(self, heard: Heard) -> set[int]:
        flows = self._table.among(self._rows("message-id", str(heard.message_id)))
        found = [
            (flow, hop) for flow in flows for hop in flow.hops
            if hop.message_id == heard.message_id and self._may_be(heard, hop)
        ]
        self._keep(heard)
        rows = {flow.id for flow, _ in found}
        for _, hop in found:
            if hop.verdicts and heard.said in hop.verdicts:
                hop.verdicts = [said for said in hop.verdicts if said != heard.said] or None
        if len(rows) == 1:  # else copies of one message, at the same time: whose it is cannot be told
            flow, hop = max(found, key=lambda one: (one[1].arrived_at <= heard.said.at, one[1].arrived_at))
            _give(flow, hop, heard.said)
        return rows

    def _may_be(self, heard: Heard, hop: Hop) -> bool:
        said = heard.said
        if hop.host != said.host and said.host in self._known.hosts:
            return False
        if heard.sender is not None and hop.sender is not None and heard.sender.lower() != hop.sender.lower():
            return False
        named = bool(hop.fates) or hop.recipients is not None
        return is_about(said, hop) and (heard.recipient is None or not named or took(hop, heard.recipient))

    def _keep(self, heard: Heard) -> None:
        self.named.setdefault(str(heard.message_id), []).append(heard)
        if len(self.named) > _KEPT:
            del self.named[next(iter(self.named))]


def _give(flow: Flow, hop: Hop, said: Said) -> int:
    add_verdict(hop, said)
    return flow.id
