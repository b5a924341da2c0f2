"""Folding: reads sources in order of time and folds their lines into hops."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import tzinfo
from math import inf
from typing import Any

import msgspec

from flowmon.collecting.alike import of_each_kind
from flowmon.collecting.doubt import Counts, Doubt
from flowmon.collecting.folded import Folded, Start
from flowmon.config import Config, LogPath
from flowmon.errors import ParserFileError
from flowmon.parsing.catalogue import Catalogue, LineReader
from flowmon.parsing.envelope import EnvelopeReader
from flowmon.parsing.reader import SyslogReader
from flowmon.parsing.seen import Seen
from flowmon.sources import Chunk, Discovery, FileId, LogStream, Position, StdinStream
from flowmon.store.batch import FileRow, SourceState
from flowmon.store.schema import ROW_BITS
from flowmon.tracking.names import HostNames
from flowmon.tracking.tracker import Tracker

_CHUNK = 131_072
_STEP_CHUNK = 32_768
"""With several sources: small steps, so that they stay together in time."""
_AHEAD_SECONDS = 86_400.0
"""How far the log of a host may be ahead of our clock; beyond that its clock is wrong, and not the time of all mail."""
_UNRECOGNISED_BYTES = 1_000_000

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
        self.strange: str | None = None
        """Why its lines are not understood, with the remedy."""
        self.done = False
        """Nothing new at the last look."""
        self.changed = True
        self.rate_from: tuple[float, int] = (time.monotonic(), state.lines)
        self.before = Counts(state.lines, state.unmatched, state.foreign)
        """What was counted before its reader began."""
        self.doubt = Doubt()
        self.reread = isinstance(stream, LogStream)
        """Whether its lines can be read again later."""

    def last_at(self) -> float:
        """Time of its newest line; 0 before the first."""
        return self.state.last_line_at or 0.0

    def count(self, chunk: Chunk) -> None:
        """Note how far a chunk reaches, once it is folded."""
        state, reader, stream = self.state, self.reader, self.stream
        self.changed = True
        state.offset = chunk.offset + len(chunk.data)
        position = stream.position()
        state.position = msgspec.to_builtins(position) if position is not None else None
        if reader is None:
            return
        counters = reader.counters
        state.lines, state.unmatched, state.foreign = self.before.plus(Counts.of(counters))
        state.samples = list(counters.samples)
        if counters.last_at is not None:
            state.last_line_at = counters.last_at
        keep: Any = getattr(reader, "state", None)
        if keep is not None:
            state.reader = keep()

    def look(self) -> None:
        """Note how much is still to read, and every few seconds how fast it goes."""
        if self.changed:
            self.state.size, self.state.lag_bytes = self.stream.size, self.stream.lag_bytes
        then, lines = self.rate_from
        passed = time.monotonic() - then
        if passed >= 2.0:
            self.state.lines_per_second = round((self.state.lines - lines) / passed, 1)
            self.rate_from = (time.monotonic(), self.state.lines)
            self.changed = True


def _more_may_come(stream: Stream) -> bool:
    """Wait a moment for a pipe that its writer has not closed."""
    if not isinstance(stream, StdinStream) or stream.ended:
        return False
    select.select([stream], [], [], 0.2)
    return True


class Folding:
    """Reads a discovery's streams and folds them. `take()` gives what was folded."""

    def __init__(
        self, catalogue: Catalogue, discovery: Discovery, config: Config, start: Start, *, live: bool,
        final: bool = True, clock: Callable[[], float] = time.time,
    ) -> None:
        """`final`: a last line without an end counts, as nothing reads on from there later."""
        self.catalogue = catalogue
        self.discovery = discovery
        self.config = config
        self.live = live
        self._final = not live and final
        self.notices: list[str] = [*discovery.problems, *catalogue.rejected]
        self.names = HostNames(config, this_host=socket.gethostname())
        self.tracker = Tracker(start.serial, catalogue.endless())
        self.dirty = False
        self._clock = clock
        self._start = start
        self._files = {msgspec.msgpack.decode(f.body, type=FileId): f.number for f in start.files}
        self._next_file = max((f.number for f in start.files), default=0) + 1
        self._new_files: list[FileRow] = []
        self._blocks: list[tuple[int, int, bytes]] = []
        self._seen: dict[str, Seen] = {}
        """By host that several logs tell of."""
        self._logs_of: dict[str, set[str]] = {}
        """By host: keys of the logs that tell of it."""
        self.sources: list[Source] = []
        for host, state in start.seen.items():
            self._seen[host] = Seen()
            self._seen[host].restore(state)
        self._now = start.now
        if start.now:
            self.tracker.restore(start.hops, start.pending)
            self.tracker.troubles.update({(one.host, one.next_hop): one for one in start.troubles})
        for stream in discovery.streams:
            self.sources.append(self._source(stream))

    def _source(self, stream: Stream) -> Source:
        known = self._start.sources.get(stream.key)
        source = Source(stream, known if known is not None else SourceState(stream.key, stream.host))
        self.dirty = True  # that it is read is to be told, though it may hold nothing yet
        if known is not None and known.position is not None:
            stream.seek(msgspec.convert(known.position, Position))
            if known.format in self.catalogue.names():  # else by the next lines
                self._take_reader(source, b"", known.format, known.path)
        return source

    # --- reading ----------------------------------------------------------------------------------------------------

    def step(self) -> bool:
        """Read and fold one chunk of the source that is furthest behind in time. False: nothing new anywhere."""
        waiting = [s for s in self.sources if not s.done]
        if not waiting:
            return False
        source = waiting[0] if len(waiting) == 1 else min(waiting, key=Source.last_at)
        chunk = self._read(source, _CHUNK if len(waiting) == 1 else _STEP_CHUNK)
        if chunk is None:
            source.done = self.live or not _more_may_come(source.stream)
            return True
        source.state.read_at = self._clock()
        self.dirty = True
        data = chunk.data
        if source.reader is None:
            source.head += data
            if not self._take_reader(source, source.head, None, chunk.path):
                self._unrecognised(source)
                source.count(chunk)
                return True
            held = Chunk(chunk.path, chunk.file, chunk.offset + len(data) - len(source.head), source.head)
            source.head = b""
            self._fold(source, held)
        else:
            self._fold(source, chunk)
        source.count(chunk)
        return True

    def _read(self, source: Source, limit: int) -> Chunk | None:
        chunk = source.ahead
        if chunk is not None:
            source.ahead = None
            return chunk
        chunk = source.stream.read(limit, final=self._final)
        state, notice = source.state, source.stream.notice or source.strange
        if (state.error, state.notice) != (source.stream.error, notice):
            state.error, state.notice = source.stream.error, notice
            source.changed = self.dirty = True
        return chunk

    def _fold(self, source: Source, chunk: Chunk) -> None:
        reader = source.reader
        if reader is None:
            return
        base = (self._number(source, chunk) << ROW_BITS) + max(chunk.offset, 0)
        before = Counts.of(reader.counters)
        reader.feed(chunk.data, base, self.tracker.fold)
        if source.doubt.raised(chunk, Counts.of(reader.counters).minus(before)):
            self._recognise_again(source, reader, base)
        if not source.reread:
            self._blocks.append((base, len(chunk.data), chunk.data))

    def _number(self, source: Source, chunk: Chunk) -> int:
        number = self._files.get(chunk.file)
        if number is None:
            number = self._files[chunk.file] = self._next_file
            self._next_file += 1
            self._new_files.append(FileRow(number, chunk.path, source.stream.host, msgspec.msgpack.encode(chunk.file)))
        return number

    def look_again(self) -> None:
        """Look at every source again: something may have been written."""
        for source in self.sources:
            source.done = False

    def rescan(self) -> bool:
        """Look for new logs in the folders; whether there are any."""
        new = [self._source(stream) for stream in self.discovery.rescan()]
        self.sources += new
        return bool(new)

    # --- formats ----------------------------------------------------------------------------------------------------

    def recognise(self) -> None:
        """Look at the first lines of every log, to see which hosts are told of by several."""
        for source in self.sources:
            if source.ahead is None:
                source.ahead = self._read(source, _STEP_CHUNK)
            if source.ahead is not None:
                self._tells_of(source, source.ahead.data)

    def _tells_of(self, source: Source, data: bytes) -> None:
        """Note which hosts a log tells of. Lines of a host that others tell of too, or may when their first line
        comes, are remembered, so that each counts once."""
        others_may = self.live and any(s.reader is None and not s.state.lines and s is not source for s in self.sources)
        for host in self.catalogue.hosts_in(data, self.names):
            logs = self._logs_of.setdefault(host, set())
            logs.add(source.stream.key)
            if host not in self._seen and (len(logs) > 1 or others_may):
                self._seen[host] = Seen()

    def _take_reader(self, source: Source, data: bytes, name: str | None, path: str) -> bool:
        """Give a source its reader, once its format is recognised (or known, or configured)."""
        configured, named = self._configured(source), self._named(source)
        name = (configured.format if configured is not None else None) or name
        host = named or self.names.this_host
        try:
            found = self.catalogue.reader(
                data, hosts=self.names, host=host, zone=self._zone(configured, host, data), named=named is not None,
                reference=self._reference(source, path), before=source.last_at() or None, name=name,
            )
        except ParserFileError as fault:
            source.state.error = f"{source.state.path}: {fault}"
            return False
        if found is None:
            return False
        source.state.format, source.reader = found
        source.strange = None
        reader: Any = source.reader
        self._tells_of(source, data)
        if self._seen:
            for one in (*self.sources, source):
                if isinstance(one.reader, SyslogReader | EnvelopeReader):
                    one.reader.seen, one.reader.log = self._seen, one.stream.key
        if source.state.reader and hasattr(reader, "restore"):
            reader.restore(source.state.reader)
        return True

    def _recognise_again(self, source: Source, reader: LineReader, base: int) -> None:
        """Give a source another reader if the lines that its own did not understand are of another format.

        `base` is the position of the last chunk of them.
        """
        doubt, counted, known = source.doubt, source.before.plus(Counts.of(reader.counters)), source.state.format
        held = doubt.lines()
        source.state.reader = {}
        if not self._take_reader(source, held.data, None, held.path) or source.state.format == known:
            source.reader = reader
            return
        source.before = counted.minus(doubt.counts)
        source.doubt = Doubt()
        if source.reader is not None:
            source.reader.feed(held.data, base + len(doubt.held[-1].data) - len(held.data), self.tracker.fold)

    def _unrecognised(self, source: Source) -> None:
        if len(source.head) > _UNRECOGNISED_BYTES:
            source.head = source.head[source.head.index(b"\n", len(source.head) - 65_536) + 1 :]
        source.strange = source.state.notice = (
            f"{source.state.path}: no format fits its lines; `flowmon parsers explain LINE` tells why, "
            "`flowmon parsers new NAME` begins a format of your own"
        )

    def _configured(self, source: Source) -> LogPath | None:
        return next((p for p in self.config.paths if os.path.realpath(p.path) == source.stream.key), None)

    def _named(self, source: Source) -> str | None:
        """The host as the user names it, by HOST=PATH, a folder or the configuration."""
        return getattr(self._configured(source), "host", None) or source.stream.host or None

    def _zone(self, configured: LogPath | None, host: str, data: bytes) -> tzinfo | None:
        """The configured zone: of the log, else of the one host that its lines tell of, else of the host it is from."""
        own = configured.timezone if configured is not None else None
        zones = {name: of.timezone for name, of in self.config.hosts.items() if of.timezone}
        told = self.catalogue.hosts_in(data, self.names) if zones else set()
        return own or zones.get(told.pop() if len(told) == 1 else self.names.name(host))

    def _reference(self, source: Source, path: str) -> float:
        """A time that the next line is not after, to settle its year: the file's, else now, else the last line's."""
        written = self._clock()
        if source.reread:
            with suppress(OSError):  # rotated away meanwhile
                written = os.stat(path).st_mtime
        return max(written, source.last_at())

    # --- handing on -------------------------------------------------------------------------------------------------

    def take(self, *, settled: bool = False) -> Folded:
        """What was folded since the last call; `settled`: without messages of which more may come (never for a live
        store: the positions in it reach beyond what such a batch holds)."""
        tracker = self.tracker
        for source in self.sources:
            source.look()
        changed = [s.state for s in self.sources if s.changed]
        for source in self.sources:
            source.changed = False
        latest = self._clock() + _AHEAD_SECONDS if self.live else inf
        now = self._now = max([self._now, *(at for s in self.sources if (at := s.last_at()) <= latest)])
        reached = min([now, *(s.last_at() for s in self.sources if not s.done)])  # a log may be read far behind others
        folded = Folded(
            hops=tracker.take(now, reached, settled=settled), late=tracker.take_late(),
            facts=[(*key, n) for key, n in tracker.take_facts().items()],
            now=now, serial=tracker.serial, pending=tracker.pending(),
            seen={} if settled else {host: seen.state() for host, seen in self._seen.items()},
            sources=changed, files=self._new_files, blocks=self._blocks, notices=list(self._told())[-20:],
            troubles=list(tracker.troubles.values()),
        )
        self._new_files, self._blocks, self.dirty = [], [], False
        return folded

    def _told(self) -> Iterable[str]:
        told = (f"{host}: {text}" for _, host, text in self.tracker.notices)
        return dict.fromkeys([*self.notices, *self.catalogue.switched_off(), *of_each_kind(told)])
