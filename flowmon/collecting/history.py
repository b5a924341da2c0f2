"""Reading history for a command: all sources to their end, into a temporary store.

Large history is folded in a child process and kept in this one: each of two cores has its share. What goes between
them is a `Folded` after the other, encoded.
"""

from __future__ import annotations

import contextlib
import fcntl
import multiprocessing
import os
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection

import msgspec

from flowmon.collecting.collector import BATCH_STEPS, Collector
from flowmon.collecting.folded import Folded
from flowmon.collecting.folding import Folding
from flowmon.collecting.keeping import Keeper
from flowmon.config import Config
from flowmon.errors import SourceError
from flowmon.parsing.catalogue import Catalogue
from flowmon.sources import Discovery, StdinStream
from flowmon.store.batch import SourceState
from flowmon.store.schema import Asked
from flowmon.store.writer import Writer

LARGE_BYTES = 8_000_000
"""From this size on a second process is worth its start."""
COMMIT_BATCHES = 4
_PIPE_BYTES = 1_048_576
"""What may wait to be kept: two batches or so. As much as Linux lets anybody have; with the usual 64 KiB the two
processes wait for each other."""

Progress = Callable[[int], None]


def read_all(
    writer: Writer, catalogue: Catalogue, discovery: Discovery, config: Config, *, asked: Asked, progress: Progress
) -> list[SourceState]:
    """Fill a temporary store; gives what became of each source."""
    size = sum(max(s.size, 0) for s in discovery.streams)
    piped = any(isinstance(s, StdinStream) for s in discovery.streams)
    if size < LARGE_BYTES or piped or _cores() < 2:
        collector = Collector(writer, catalogue, discovery, config, keyed=asked is Asked.LOOKUPS)
        collector.read_all(progress)
        keeper, states = collector.keeper, [s.state for s in collector.folding.sources]
    else:
        keeper = Keeper(writer, config, keyed=asked is Asked.LOOKUPS)
        states = _in_two(keeper, catalogue, discovery, config, progress)
    if asked is not Asked.SUMS:
        writer.finish()
    return states


def _cores() -> int:
    """How many cores this process may use: it may be pinned to some of the machine's."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS tells only of the machine
        return os.cpu_count() or 1


def _in_two(
    keeper: Keeper, catalogue: Catalogue, discovery: Discovery, config: Config, progress: Progress
) -> list[SourceState]:
    folding = Folding(catalogue, discovery, config, keeper.start(), live=False)
    context = multiprocessing.get_context("fork")  # the child needs the streams and formats as they are
    mine, theirs = context.Pipe(duplex=False)
    with contextlib.suppress(OSError, AttributeError):  # other systems, or a user with very many pipes: small ones
        fcntl.fcntl(theirs.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    child = context.Process(target=_fold_all, args=(folding, mine, theirs), name="flowmon-fold", daemon=True)
    child.start()
    theirs.close()
    states: dict[str, SourceState] = {}
    decode = msgspec.msgpack.Decoder(Folded).decode
    try:
        for count, data in enumerate(_received(mine), 1):
            folded = decode(data)
            states.update({s.path: s for s in folded.sources})
            keeper.gather(folded)
            if count % COMMIT_BATCHES == 0:
                keeper.retry()
            progress(sum(s.offset for s in states.values()))
        keeper.retry()
    except EOFError:
        child.join()
        raise SourceError(f"the reading process ended early (exit status {child.exitcode})") from None
    finally:
        mine.close()  # a child that is sending ends by that
        child.join(5)
        if child.is_alive():
            child.terminate()
    return list(states.values())


def _received(pipe: Connection) -> Iterator[bytes]:
    """The batches that come through a pipe, up to the empty one. Raises EOFError when the pipe ends before it."""
    while True:
        try:
            data = pipe.recv_bytes()
        except OSError as fault:  # it ended inside a batch
            raise EOFError(str(fault)) from None
        if not data:
            return
        yield data


def _fold_all(folding: Folding, inward: Connection, out: Connection) -> None:
    """In the child: fold everything, and send it in batches; an empty one says that all is sent."""
    inward.close()  # else nobody would tell us that the parent is gone
    encode = msgspec.msgpack.Encoder().encode
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):  # the parent is gone, or was told to stop as we were
        folding.recognise()
        steps = 0
        while folding.step():
            steps += 1
            if steps % BATCH_STEPS == 0:
                out.send_bytes(encode(folding.take(settled=True)))
        out.send_bytes(encode(folding.take()))
        out.send_bytes(b"")
    out.close()
