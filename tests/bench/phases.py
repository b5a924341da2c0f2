"""Where the time of loading goes: each stage alone, over one log, in this process and on one core.

    python -m tests.bench.phases LOG

Stages, as lines pass them: reading and rules (events are thrown away), the tracker (events to hops), handing over (what
the reading process encodes and the keeping one decodes), joining and rows (hops to messages, messages to rows), and
writing (SQLite). Seconds, and microseconds a line.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from flowmon.collecting.collector import BATCH_STEPS
from flowmon.collecting.folded import Folded, Start
from flowmon.collecting.folding import Folding
from flowmon.collecting.history import COMMIT_BATCHES
from flowmon.collecting.keeping import Keeper
from flowmon.commands import opening
from flowmon.config import Config
from flowmon.model.event import Event
from flowmon.sources import discover
from flowmon.store.writer import Writer
from flowmon.tracking.tracker import Tracker

_T = TypeVar("_T")


def _folding(log: Path) -> Folding:
    config = Config()
    folding = Folding(opening.catalogue(config), discover([str(log)]), config, Start(), live=False)
    folding.recognise()
    return folding


def read(log: Path) -> int:
    """Lines read and put through their rules; what they tell is thrown away."""
    folding = _folding(log)
    folding.tracker = _NoTracker()  # the stage behind is left out
    while folding.step():
        pass
    return sum(source.state.lines for source in folding.sources)


class _NoTracker(Tracker):
    """Takes events and does nothing with them."""

    def fold(self, event: Event) -> None:
        pass


def batches(log: Path) -> list[Folded]:
    """All that the tracker makes of a log, in the batches of a load."""
    folding, found, steps = _folding(log), [], 0
    while folding.step():
        steps += 1
        if steps % BATCH_STEPS == 0:
            found.append(folding.take(settled=True))
    found.append(folding.take())
    return found


def kept(folded: list[Folded], store: Path) -> tuple[float, float]:
    """Seconds of joining and rows, and of writing."""
    writer = Writer(store, temporary=True)
    keeper = Keeper(writer, Config(), keyed=False)
    joining = writing = 0.0
    for count, batch in enumerate(folded, 1):
        joining += _timed(partial(keeper.gather, batch))[0]
        if count % COMMIT_BATCHES == 0:
            writing += _timed(keeper.retry)[0]
    writing += _timed(keeper.retry)[0]
    writer.close()
    return joining, writing


def _timed(what: Callable[[], _T]) -> tuple[float, _T]:
    began = time.perf_counter()
    done = what()
    return time.perf_counter() - began, done


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", type=Path)
    log = parser.parse_args().log
    gc.disable()  # as a load does
    reading, lines = _timed(lambda: read(log))
    tracking, folded = _timed(lambda: batches(log))
    encoding, packed = _timed(lambda: [msgspec.msgpack.encode(batch) for batch in folded])
    decoding, again = _timed(lambda: [msgspec.msgpack.decode(data, type=Folded) for data in packed])
    size = sum(map(len, packed))
    with tempfile.TemporaryDirectory() as folder:
        joining, writing = kept(again, Path(folder) / "store.db")
    print(f"{lines:,} lines")
    for name, seconds in (
        ("reading and rules", reading), ("tracker", tracking - reading), ("handing over", encoding + decoding),
        ("joining and rows", joining), ("writing", writing),
    ):
        print(f"{name:20} {seconds:6.2f} s {seconds / lines * 1e6:6.2f} µs a line")
    print(f"handed over: {size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
