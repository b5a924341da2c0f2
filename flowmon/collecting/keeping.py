"""Keeping: joins folded hops to messages, makes their rows, and commits them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from flowmon.collecting.folded import Folded, Start
from flowmon.config import Config
from flowmon.model.flow import Flow, is_nothing
from flowmon.model.words import DeliveryStatus
from flowmon.sources.file_names import storable
from flowmon.store import troubles
from flowmon.store.batch import Batch
from flowmon.store.evidence import RawLines
from flowmon.store.rows import Rows, make
from flowmon.store.writer import Writer
from flowmon.tracking.incidents import REFUSALS_APART_SECONDS
from flowmon.tracking.joiner import INDEX_LIMIT, REACH_SECONDS, Joiner
from flowmon.tracking.linking import RETRY_SECONDS
from flowmon.tracking.tracker import open_sessions

_DELIVERED = DeliveryStatus.DELIVERED
_RECENT_SECONDS = 60.0
"""Hops that ended so short ago go back to the tracker after a restart: their last lines may still come."""


class Keeper:
    """Takes folded batches into a store."""

    def __init__(self, writer: Writer, config: Config, *, live: bool = False, keyed: bool = True) -> None:
        """`keyed`: messages are to be found by address, domain or ID."""
        self.writer = writer
        self._keyed = keyed
        self.live = live
        self.now = float(writer.meta("now") or 0.0)
        """Time of the newest line kept."""
        self.known = writer.known()
        self.known.configure(config)
        self.joiner = Joiner(
            self.known, next_id=int(writer.meta("next_id") or 1), lookup=None if writer.temporary else writer.lookup,
            taken=None if writer.temporary else writer.taken, load=writer.load,
            limit=INDEX_LIMIT if not writer.temporary else 10 * INDEX_LIMIT,
        )
        self.joiner.hearing.restore(writer.meta("heard") or b"")
        self._raw = None if writer.temporary else RawLines(writer.files())
        self._waiting: dict[int, float] = {}
        """Rows that change by the passing of log time alone, and when."""
        self._first_due = math.inf
        """None of them changes before this: there may be many, and the question comes with each look at the logs."""
        self._unwritten: Batch | None = None

    def start(self) -> Start:
        """Where the store stands, for folding to go on."""
        writer = self.writer
        start = Start(
            serial=int(writer.meta("serial") or 0), now=self.now, pending=writer.meta("pending") or b"",
            seen=msgspec.msgpack.decode(writer.meta("seen") or b"\x80", type=dict[str, bytes]),
            sources=writer.sources(), files=writer.files(), troubles=troubles.kept(writer.meta("troubles")),
        )
        if self.now:
            flows = list(writer.unfinished(self.now - REACH_SECONDS))
            refused = list(writer.refused(self.now - RETRY_SECONDS))
            self.joiner.restore(flows, reversed(refused))
            going_on = open_sessions(start.pending)
            recent = {hop.serial: hop for flow in flows for hop in flow.hops if hop.left_at is None or hop.last_at > (
                self.now - (_RECENT_SECONDS if hop.refused is None else REFUSALS_APART_SECONDS))}
            recent.update((hop.serial, hop) for flow in refused for hop in flow.hops if hop.serial in going_on)
            start.hops = list(recent.values())
            self._waiting = dict.fromkeys(writer.open_rows(), 0.0)
            self._first_due = 0.0 if self._waiting else math.inf
        return start

    def waits(self) -> bool:
        """Whether a commit is due though nothing was folded: one failed, or time has turned a message's status."""
        return self._unwritten is not None or self._first_due < self.now

    def keep(self, folded: Folded) -> None:
        """Join a batch and commit it. Raises StoreError (disk full, ...): call `retry` until it is written."""
        self.gather(folded)
        self.retry()

    def gather(self, folded: Folded) -> None:
        """Join a batch; it is written with the next `retry`. Several small ones stay in the processor's cache where a
        large one does not."""
        batch = self._batch(folded)
        if self._unwritten is None:
            self._unwritten = batch
        else:
            self._unwritten.take_in(batch)

    def retry(self) -> None:
        """Write what is gathered, or could not be written before. Raises StoreError when it cannot."""
        batch = self._unwritten
        if batch is None:
            return
        self.writer.commit(batch)
        self._unwritten = None
        self.joiner.committed(self.now)

    def _batch(self, folded: Folded) -> Batch:
        joiner, table = self.joiner, self.joiner.table
        now = self.now = max(self.now, folded.now)
        changed = joiner.join(folded.hops)
        changed |= joiner.hear(folded.late)
        changed.update(table.row(id) for id in self._due(now) if table.row(id) in table.flows)
        for id in table.gone:
            self._waiting.pop(id, None)
        flows, nothing = self._flows(changed)
        learnt: set[str] = set()
        for flow in flows:
            self._learn(flow, learnt)
        joined = joiner.again()
        if joined:
            changed = {table.row(id) for id in changed | joined}
            flows, nothing = self._flows(changed)
        rows = [self._rows(flow, now) for flow in flows]
        if learnt and not self.writer.temporary:
            rows += self._reclassify(learnt, changed, now)
        lines: list[tuple[int, int, str]] = []
        if self._raw is not None:
            self._raw.add(folded.files)
            lines = self._raw.of_failures(rows, table.flows)
        return Batch(
            rows=rows, gone=[*table.gone, *nothing], facts=folded.facts, sources=folded.sources,
            files=folded.files, lines=lines, blocks=folded.blocks,
            meta={
                "now": now, "serial": folded.serial, "next_id": table.next_id, "live": int(self.live),
                "heard": joiner.hearing.kept(), "pending": folded.pending, "seen": msgspec.msgpack.encode(folded.seen),
                "known": msgspec.msgpack.encode(self.known),
                "troubles": msgspec.msgpack.encode(folded.troubles),
                "notices": msgspec.msgpack.encode([storable(notice) for notice in folded.notices]),
            },
        )

    def _due(self, now: float) -> list[int]:
        """Takes out the rows that the passing of time has changed by `now`."""
        if self._first_due >= now:
            return []
        due = [id for id, until in self._waiting.items() if until < now]
        for id in due:
            del self._waiting[id]
        self._first_due = min(self._waiting.values(), default=math.inf)
        return due

    def _flows(self, changed: Iterable[int]) -> tuple[list[Flow], list[int]]:
        """The flows of rows, and the rows of those that turned out to be no message."""
        flows = [flow for flow in map(self.joiner.table.flows.get, changed) if flow is not None]
        nothing = [flow.id for flow in flows if is_nothing(flow.hops[0]) and all(map(is_nothing, flow.hops))]
        if nothing:
            flows = [flow for flow in flows if flow.id not in nothing]
        return flows, nothing

    def _rows(self, flow: Flow, now: float) -> Rows:
        made = make(flow, self.known, now, keyed=self._keyed)
        if made.waits_until is not None and made.waits_until >= now:
            self._waiting[flow.id] = made.waits_until
            self._first_due = min(self._first_due, made.waits_until)
        else:
            self._waiting.pop(flow.id, None)
        return made

    def _learn(self, flow: Flow, learnt: set[str]) -> None:
        """Note what a flow shows of hosts; puts domains that turned out to be ours into `learnt`."""
        known = self.known
        for hop in flow.hops:
            if hop.verdicts:
                known.filtered(hop.host)
            if hop.origin == "mailbox":
                known.submitted(hop.host)
            if hop.refused is None and (hop.origin == "pickup" or hop.client is not None):
                known.arrived(hop.host, here=hop.origin == "pickup")
            for fate in hop.fates.values():
                if fate.transport == "mailbox" and fate.status is _DELIVERED:
                    domain = known.mailbox(hop.host, fate.recipient)
                    if domain is not None:
                        learnt.add(domain)

    def _reclassify(self, domains: Iterable[str], done: set[int], now: float) -> list[Rows]:
        """Rows of messages whose scenario changes since their domain turned out to be ours."""
        rows = []
        seen = set(done)
        for domain in domains:
            for id in self.writer.with_domain(domain):
                if id in seen or id in self.joiner.table.gone:
                    continue
                seen.add(id)
                flow = self.joiner.table.flows.get(id) or self.writer.load(id)
                if flow is not None:
                    rows.append(self._rows(flow, now))
        return rows

