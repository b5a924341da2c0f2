"""Growth: time and memory of a collector that reads more, what its store holds on disk, and how soon it answers."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from flowmon.model.words import DeliveryStatus
from flowmon.store.filter import parse
from flowmon.store.reader import SqliteReader
from tests.bench import postfix_log
from tests.bench.loading import Say, count_lines, median, report
from tests.bench.table import Measure, Results, number
from tests.bench.tools import FLOWMON, Run, interleaved, run

GROUP = "Growth"
QUERIES = "The store's answers"
_WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED, DeliveryStatus.HELD)
_ASKED_OF = 10_000_000
"""Messages of the store that the bar of the queries is for."""


class Growth:
    """Two logs, the second several times as long; keeps the store of the longer one.

    `store`: a collector's store made before, which is asked in the place of that one.
    """

    def __init__(
        self, folder: Path, results: Results, say: Say, *, small: Path, big: Path, store: Path | None = None
    ) -> None:
        self._folder, self._results, self._say = folder, results, say
        self._logs = {"small": small, "big": big}
        self._lines = {name: count_lines(log) for name, log in self._logs.items()}
        self.store = store or folder / "big.db"

    def measure(self, runs: int) -> None:
        """All of it."""
        jobs: dict[str, Callable[[], Run]] = {}
        for name, log in self._logs.items():
            jobs[f"collect {name}"] = partial(self.collect, name)
            jobs[f"report {name}"] = partial(run, report(log), self._folder, watch=True)
        rounds = interleaved(jobs, runs, self._say)
        factor = self._lines["big"] / self._lines["small"]
        add = self._results.add
        for command in ("collect", "report"):
            pairs = zip(rounds[f"{command} small"], rounds[f"{command} big"], strict=True)
            grown = statistics.median(large.wall / little.wall for little, large in pairs)
            took = {n: median(rounds[f"{command} {size}"]) for size, n in self._lines.items()}
            seconds = ", ".join(f"{n / 1e6:g}M lines in {wall:.1f} s" for n, wall in took.items())
            name = f"{command}: time per line, longer log to shorter"
            add(Measure(GROUP, name, 100 * grown / factor, "%", 110, note=seconds, smaller=factor < 20))
        for command, bar in (("collect", 150.0), ("report", None)):
            for size in self._logs:
                done = rounds[f"{command} {size}"]
                largest, together = max(r.peak for r in done), max(r.together for r in done)
                note = f"largest process; all together {together:.0f} MiB"
                name = f"memory of {command}, {self._lines[size] / 1e6:g}M lines"
                add(Measure(GROUP, name, largest, "MiB", bar, note=note))
        self._on_disk()

    def collect(self, size: str) -> Run:
        """A collector's store of a log, made anew."""
        store = self._folder / f"{size}.db"
        for one in self._folder.glob(f"{size}.db*"):
            one.unlink()
        command = (*FLOWMON, "collect", "--once", "--store", str(store), str(self._logs[size]))
        return run(command, self._folder, watch=True)

    def _on_disk(self) -> None:
        """Bytes of the store, and what it holds."""
        size = sum(path.stat().st_size for path in self.store.parent.glob(f"{self.store.name}*"))
        reader = SqliteReader(self.store)
        try:
            counts = dict(reader.by_status())
            done = sum(n for status, n in counts.items() if status not in _WAITING)
            note = f"{size / 2**20:.0f} MiB, {done:,} completed messages, {sum(counts.values()) - done:,} wait"
            self._results.add(Measure(GROUP, "store on disk, each completed message", size / done, "B", 700, note=note))
            self._asked(reader, sum(counts.values()))
        finally:
            reader.close()

    def _asked(self, reader: SqliteReader, messages: int) -> None:
        """What screens ask, by indexes and by roll-ups."""
        recipient = next(row.recipient for row in reader.rows(limit=1_000) if row.recipient)
        questions: dict[str, Callable[[], object]] = {
            "counts by status": reader.by_status, "totals": reader.totals, "queues": reader.queues,
            "problems": reader.problems, "newest messages": partial(reader.rows, limit=40),
            "throughput": partial(reader.throughput, 48),
        }
        domain = recipient[recipient.rfind("@") :]
        for text in (f"to:{recipient}", f"to:{domain}", "status:deferred", f"status:bounced to:{domain}",
                     f"status:open to:{domain}"):
            questions[f"list of {text}"] = partial(reader.rows, parse(text), limit=40)
            questions[f"count of {text}"] = partial(reader.count, parse(text))
        for name, question in questions.items():
            times = []
            for _ in range(5):
                began = time.perf_counter()
                question()
                times.append(1e3 * (time.perf_counter() - began))
            bar = 100.0
            note = f"of {messages:,} messages; asked of {_ASKED_OF:,}"
            first = f"; the first time {number(times[0], 'ms')}"
            took, less = statistics.median(times), messages < _ASKED_OF
            self._results.add(Measure(QUERIES, name, took, "ms", bar, note=note + first, smaller=less))


def log_of(folder: Path, lines: int, seed: int) -> Path:
    """A longer log, of another seed."""
    return postfix_log.write(folder / "big.log", lines, seed=seed)
