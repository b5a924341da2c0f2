"""The collector: reads sources in order of time, folds their lines, and commits to the store.

One direction: source → reader → tracker → joiner → rows → store. A commit holds everything that was folded before it,
together with the positions, so that it may be killed at any moment.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterable
from datetime import tzinfo

import msgspec

from flowmon.config import Config, LogPath
from flowmon.errors import ParserFileError, StoreError
from flowmon.model.flow import Flow
from flowmon.parsing.catalogue import Catalogue, LineReader
from flowmon.parsing.seen import Seen
from flowmon.sources import Chunk, Discovery, FileId, LogStream, Position, StdinStream
from flowmon.store.rows import Rows, make
from flowmon.store.schema import ROW_BITS
from flowmon.store.writer import Batch, FileRow, SourceState, Writer
from flowmon.tracking.joiner import INDEX_LIMIT, LINGER_SECONDS, Joiner
from flowmon.tracking.names import HostNames
from flowmon.tracking.tracker import Tracker

COMMIT_SECONDS = 0.1
"""How long what is folded may wait for its commit while lines keep coming."""
BULK_COMMIT_SECONDS = 1.0
"""The same while history is read."""
_CHUNK = 65_536
_STEP_CHUNK = 32_768
"""With several sources: small steps, so that they stay together in time."""

Stream = LogStream | StdinStream


class Source:
    """One stream at work."""

    def __init__(self, stream: Stream, state: SourceState) -> None:
        self.stream = stream
        self.state = state
        self.reader: LineReader | None = None
        self.head = b""
        """What was read while the format was not recognised, still to be fed."""
        self.ahead: Chunk | None = None
        """Read to recognise its format, not yet folded."""
        self.done = False
        """Nothing new at the last look."""
        self.rate_from: tuple[float, int] = (time.monotonic(), state.lines)
        self.lines_before = state.lines
        self.unmatched_before = state.unmatched
        self.foreign_before = state.foreign
        self.reread = isinstance(stream, LogStream)
        """Whether its lines can be read again later."""

    def last_at(self) -> float:
        """Time of its newest line; 0 before the first."""
        return self.state.last_line_at or 0.0


class Collector:
    """Reads a discovery's streams into a writer's store."""

    def __init__(
        self, writer: Writer, catalogue: Catalogue, discovery: Discovery, config: Config, *, live: bool = False,
        keys: bool = True, now: Callable[[], float] = time.time,
    ) -> None:
        self.writer = writer
        self.catalogue = catalogue
        self.discovery = discovery
        self.config = config
        self.live = live
        self._keys = keys
        self._clock = now
        self.notices: list[str] = [*discovery.problems, *catalogue.rejected]
        self.known = writer.known()
        self._configure()
        self.names = HostNames(config, this_host=socket.gethostname())
        endless = frozenset(
            f.name for f in catalogue.formats.values() if not any(r.kind == "ended" for r in f.spec.rule)
        )
        self.tracker = Tracker(int(writer.meta("serial") or 0), endless)
        self.joiner = Joiner(
            self.known, next_id=int(writer.meta("next_id") or 1),
            lookup=None if writer.temporary else writer.lookup, load=writer.load,
            limit=INDEX_LIMIT if not writer.temporary else 10 * INDEX_LIMIT,
        )
        self._files: dict[FileId, int] = {}
        self._file_rows: list[FileRow] = []
        self._next_file = 1
        self._blocks: list[tuple[int, int, bytes]] = []
        self._waiting: dict[int, float] = {}
        self._pending: Batch | None = None
        self._chunk_positions: dict[int, tuple[str, int]] = {}
        self._seen: dict[str, Seen] = {}
        self._restore()
        self.sources = [self._source(stream) for stream in discovery.streams]
        self.dirty = False
        self._committed = time.monotonic()

    def _configure(self) -> None:
        known = self.known
        known.configured = {d.lower() for d in self.config.domains}
        known.partners = {d.lower() for d in self.config.partners}
        for name, host in self.config.hosts.items():
            if host.role is not None:
                known.roles[name.lower()] = host.role
            known.add_aliases(name.lower(), host.aliases)

    def _restore(self) -> None:
        """Go on where the last commit stands."""
        for row in self.writer.files():
            self._files[msgspec.msgpack.decode(row.body, type=FileId)] = row.number
            self._next_file = max(self._next_file, row.number + 1)
        now = float(self.writer.meta("now") or 0.0)
        if not now:
            return
        self.tracker.now = now
        flows = list(self.writer.unfinished(now - LINGER_SECONDS))
        self.joiner.restore(flows)
        self.tracker.restore(h for flow in flows for h in flow.hops if h.left_at is None or h.last_at > now - 60)
        self._waiting = {flow.id: 0.0 for flow in flows}

    def _source(self, stream: Stream) -> Source:
        known = self.writer.sources().get(stream.key)
        state = known if known is not None else SourceState(stream.key, stream.host)
        source = Source(stream, state)
        if known is not None and known.position is not None:
            stream.seek(msgspec.convert(known.position, Position))
            if known.format is not None:
                self._take_reader(source, b"", known.format, state.path)
        return source

    # --- reading ----------------------------------------------------------------------------------------------------

    def step(self) -> bool:
        """Read and fold one chunk of the source that is furthest behind in time. False: nothing new anywhere."""
        waiting = [s for s in self.sources if not s.done]
        if not waiting:
            return False
        source = min(waiting, key=Source.last_at)
        chunk = self._read(source, _CHUNK if len(waiting) == 1 else _STEP_CHUNK)
        if chunk is None:
            source.done = True
            return True
        source.state.read_at = self._clock()
        self.dirty = True
        if source.reader is None:
            source.head += chunk.data
            if not self._take_reader(source, source.head, None, chunk.path):
                self._unrecognised(source, chunk)
                return True
            source.head = b""
        self._fold(source, chunk)
        return True

    def _read(self, source: Source, limit: int) -> Chunk | None:
        if source.ahead is not None:
            chunk, source.ahead = source.ahead, None
            return chunk
        chunk = source.stream.read(limit, final=not self.live)
        source.state.error, source.state.notice = source.stream.error, source.stream.notice
        return chunk

    def look_again(self) -> None:
        """Look at every source again: something may have been written."""
        for source in self.sources:
            source.done = False

    def rescan(self) -> bool:
        """Look for new logs in the folders; whether there are any."""
        new = [self._source(stream) for stream in self.discovery.rescan()]
        self.sources += new
        return bool(new)

    def waits(self) -> bool:
        """Whether a message turns from queued to relayed by the passing of log time alone, or a commit is to be repeated."""
        return self._pending is not None or any(until < self.tracker.now for until in self._waiting.values())

    def recognise(self) -> None:
        """Recognise the formats before anything is folded, and see which hosts are told of by several logs."""
        hosts: dict[str, list[Source]] = {}
        for source in self.sources:
            for host in self._hosts_of(source):
                hosts.setdefault(host, []).append(source)
        for host, sources in hosts.items():
            if len(sources) > 1:
                self._seen.setdefault(host, Seen())

    def _hosts_of(self, source: Source) -> Iterable[str]:
        if source.ahead is None:
            source.ahead = self._read(source, _STEP_CHUNK)
        return self.catalogue.hosts_in(source.ahead.data, self.names) if source.ahead is not None else ()

    def _take_reader(self, source: Source, data: bytes, name: str | None, path: str) -> bool:
        """Give a source its reader, once its format is recognised (or known, or configured)."""
        configured = self._configured(source)
        name = (configured.format if configured is not None else None) or name
        try:
            found = self.catalogue.reader(
                data, hosts=self.names, host=self._host(source), zone=self._zone(source), reference=self._reference(source, path),
                name=name,
            )
        except ParserFileError as fault:
            source.state.error = f"{source.state.path}: {fault}"
            return False
        if found is None:
            return False
        source.state.format, source.reader = found
        reader = source.reader
        if self._seen and hasattr(reader, "seen"):
            reader.seen, reader.number = self._seen, id(source)
        if source.state.reader and hasattr(reader, "restore"):
            reader.restore(source.state.reader)
        return True

    def _configured(self, source: Source) -> LogPath | None:
        return next((p for p in self.config.paths if str(p.path) == source.stream.key), None)

    def _host(self, source: Source) -> str:
        configured = self._configured(source)
        return (configured.host if configured else None) or source.stream.host or self.names.this_host

    def _zone(self, source: Source) -> tzinfo | None:
        configured = self._configured(source)
        host = self.config.hosts.get(self.names.name(self._host(source)))
        zone = (configured.timezone if configured else None) or (host.timezone if host else None)
        return zone

    def _reference(self, source: Source, path: str) -> float:
        """A time near the first line, to settle its year: the last one folded, else the file's own, else now."""
        if source.state.last_line_at is not None:
            return source.state.last_line_at
        try:
            return os.stat(path).st_mtime if source.reread else self._clock()
        except OSError:  # rotated away meanwhile
            return self._clock()

    def _unrecognised(self, source: Source, chunk: Chunk) -> None:
        if len(source.head) > 1_000_000:
            source.head = source.head[-65_536:]
        source.state.notice = (
            f"{source.state.path}: no format fits its lines yet; `flowmon parsers explain LINE` tells why, "
            "`flowmon parsers new NAME` begins a format of your own"
        )
        self._count(source, chunk)

    def _fold(self, source: Source, chunk: Chunk) -> None:
        base = (self._number(source, chunk) << ROW_BITS) + chunk.offset
        reader = source.reader
        if reader is None:
            return
        reader.feed(chunk.data, base, self.tracker.fold)
        if not source.reread:
            self._blocks.append((base, len(chunk.data), chunk.data))
        self._count(source, chunk)

    def _count(self, source: Source, chunk: Chunk) -> None:
        state, reader = source.state, source.reader
        state.offset = chunk.offset + len(chunk.data)
        state.size, state.lag_bytes = source.stream.size, source.stream.lag_bytes
        position = source.stream.position()
        state.position = msgspec.to_builtins(position) if position is not None else None
        if reader is None:
            return
        counters = reader.counters
        state.lines = source.lines_before + counters.lines
        state.unmatched = source.unmatched_before + counters.unmatched
        state.foreign = source.foreign_before + counters.foreign
        state.samples = list(counters.samples)
        if counters.last_at is not None:
            state.last_line_at = counters.last_at
        if hasattr(reader, "state"):
            state.reader = reader.state()

    def _number(self, source: Source, chunk: Chunk) -> int:
        number = self._files.get(chunk.file)
        if number is None:
            number = self._files[chunk.file] = self._next_file
            self._next_file += 1
            self._file_rows.append(FileRow(number, chunk.path, source.stream.host, msgspec.msgpack.encode(chunk.file)))
        return number

    # --- committing -------------------------------------------------------------------------------------------------

    def due(self, every: float) -> bool:
        """Whether what is folded has waited long enough for its commit."""
        return self.dirty and time.monotonic() - self._committed >= every

    def commit(self) -> None:
        """Write what changed. Raises StoreError (disk full); then the same batch is tried again with the next call."""
        if self._pending is None:
            self._pending = self._batch()
        self.writer.commit(self._pending)
        self._pending = None
        self.dirty = False
        self._committed = time.monotonic()
        self.joiner.gone.clear()
        self.joiner.let_go(self.tracker.now)

    def _batch(self) -> Batch:
        tracker, joiner = self.tracker, self.joiner
        changed = joiner.join(tracker.take())
        now = tracker.now
        for id, until in list(self._waiting.items()):
            if until < now:
                del self._waiting[id]
                if joiner.row(id) in joiner.flows:
                    changed.add(joiner.row(id))
        rows: list[Rows] = []
        learnt: set[str] = set()
        for id in changed:
            flow = joiner.flows.get(id)
            if flow is None:
                continue
            self._learn(flow, learnt)
            rows.append(self._rows(flow, now))
        if learnt and not self.writer.temporary:
            rows += self._reclassify(learnt, {int(r.message[0] or 0) for r in rows}, now)  # type: ignore[arg-type]  # ids are ints
        for source in self.sources:
            self._rate(source)
        batch = Batch(
            rows=rows, gone=list(joiner.gone), facts=tracker.take_facts(), sources=[s.state for s in self.sources],
            files=self._file_rows, lines=self._lines_of(rows), blocks=self._blocks,
            meta={
                "now": now, "serial": tracker.serial, "next_id": joiner.next_id, "live": int(self.live),
                "known": msgspec.msgpack.encode(self.known), "notices": msgspec.msgpack.encode(self._all_notices()),
            },
        )
        self._file_rows, self._blocks = [], []
        return batch

    def _rows(self, flow: Flow, now: float) -> Rows:
        made = make(flow, self.known, now, keys=self._keys)
        if made.waits_until is not None and made.waits_until >= now:
            self._waiting[flow.id] = made.waits_until
        return made

    def _learn(self, flow: Flow, learnt: set[str]) -> None:
        for hop in flow.hops:
            if hop.verdicts:
                self.known.filtered(hop.host)
            for fate in hop.fates.values():
                if fate.transport == "mailbox" and fate.status == "delivered":
                    domain = self.known.mailbox(hop.host, fate.recipient)
                    if domain is not None:
                        learnt.add(domain)

    def _reclassify(self, domains: Iterable[str], done: set[int], now: float) -> list[Rows]:
        """Rows of messages whose scenario changes since their domain turned out to be ours."""
        rows = []
        for domain in domains:
            for id in self.writer.with_domain(domain):
                if id in done or id in self.joiner.gone:
                    continue
                flow = self.joiner.flows.get(id) or self.writer.load(id)
                if flow is not None:
                    done.add(id)
                    rows.append(self._rows(flow, now))
        return rows

    def _rate(self, source: Source) -> None:
        then, lines = source.rate_from
        passed = time.monotonic() - then
        if passed >= 2.0:
            source.state.lines_per_second = round((source.state.lines - lines) / passed, 1)
            source.rate_from = (time.monotonic(), source.state.lines)

    def _all_notices(self) -> list[str]:
        found = [*self.notices, *(f"{host}: {text}" for _, host, text in self.tracker.notices)]
        return list(dict.fromkeys(found))[-20:]

    def _lines_of(self, rows: list[Rows]) -> list[tuple[int, int, str]]:
        """Raw lines of messages with a problem, kept since their log may be gone some day (live stores only)."""
        return []

    # --- whole runs -------------------------------------------------------------------------------------------------

    def read_all(self, progress: Callable[[int], None] | None = None) -> None:
        """Read every source to its end, and commit."""
        done = 0
        while self.step():
            done += 1
            if self.due(BULK_COMMIT_SECONDS):
                self.commit()
            if progress is not None and done % 16 == 0:
                progress(sum(s.state.offset for s in self.sources))
        self.dirty = True
        self.commit()


__all__ = ["BULK_COMMIT_SECONDS", "COMMIT_SECONDS", "Collector", "StoreError"]
