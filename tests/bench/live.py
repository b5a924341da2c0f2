"""Live: how soon a line is told, what it costs while 5,000 lines a second come and while none does, and how soon
flowmon starts."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from flowmon.store.filter import parse
from flowmon.store.reader import SqliteReader
from tests.bench.latency import collector, waits
from tests.bench.loading import Say
from tests.bench.screen import LINES, RATE, Terminal, Traffic, message, painted, waiting
from tests.bench.table import Measure, Results
from tests.bench.tools import FLOWMON, cpu_seconds, interleaved, run

GROUP = "Live"
STARTS = "Starting"
_IDLE_SECONDS = 20.0
_SETTLE_SECONDS = 6.0


class Live:
    """The measures of a collector and a screen that run."""

    def __init__(self, folder: Path, results: Results, say: Say) -> None:
        self._folder, self._results, self._say = folder, results, say

    def latency(self, messages: int) -> None:
        """From a line to the store and to the screen."""
        for screen, where, bar in ((False, "in the store", 150.0), (True, "painted", 300.0)):
            times = waits(self._folder, messages, screen=screen)
            late = times[min(len(times) - 1, int(len(times) * 0.99))]
            note = f"median {statistics.median(times):.0f} ms, at most {times[-1]:.0f} ms, {len(times)} messages"
            self._say(f"line appended, {where}: p99 {late:.0f} ms, {note}")
            self._results.add(Measure(GROUP, f"line appended → {where}, p99", late, "ms", bar, note=note))

    def cost(self, seconds: float, stuck: int = 0) -> None:
        """Share of a core, of all processes. `stuck`: so many messages wait besides."""
        beside = f", {stuck:,} messages wait" if stuck else ""
        for screen, what, bar in ((False, "collector", 8.0), (True, "collector and screen", 15.0)):
            log, store = self._folder / f"busy{screen}{stuck}.log", self._folder / f"apart{stuck}" / "store.db"
            store.parent.mkdir(exist_ok=True)  # beside the logs its every commit would wake the collector
            stamp = datetime.now().astimezone().isoformat()
            with log.open("w") as lines:
                lines.writelines(message(n, stamp) for n in range(100))
                lines.writelines(waiting(n, stamp) for n in range(stuck))
            rest: Callable[[float], object]
            if screen:
                state = self._folder / f"busy{stuck}"
                terminal = Terminal([*FLOWMON, str(log)], XDG_STATE_HOME=str(state), TZ="UTC")
                pid, rest = terminal.pid, terminal.read
            else:
                process = collector(self._folder, log, store)
                pid, rest = process.pid, time.sleep
            rest(_SETTLE_SECONDS + stuck / 2_000)
            idle = self._share(pid, rest, _IDLE_SECONDS)
            writer = Traffic(log, first=1_000)
            writer.start()
            rest(3.0)
            busy = self._share(pid, rest, seconds)
            writer.end()
            if screen:
                terminal.close()
            else:
                process.terminate()
                process.wait()
            self._say(f"{what}: {busy:.1f} % of a core at {RATE * LINES:,} lines/s, idle {idle:.2f} %{beside}")
            note = f"user and system time of all processes, {seconds:.0f} s"
            asked, rested = (None, None) if stuck else (bar, 0.5)
            self._results.add(
                Measure(GROUP, f"of a core at {RATE * LINES:,} lines/s: {what}{beside}", busy, "%", asked, note=note),
                Measure(GROUP, f"of a core while idle: {what}{beside}", idle, "%", rested,
                        note=f"{_IDLE_SECONDS:.0f} s"),
            )

    @staticmethod
    def _share(pid: int, rest: Callable[[float], object], seconds: float) -> float:
        before, began = cpu_seconds(pid), time.perf_counter()
        rest(seconds)
        return 100 * (cpu_seconds(pid) - before) / (time.perf_counter() - began)

    def starts(self, runs: int, store: Path, log: Path) -> None:
        """Whole processes that answer little."""
        reader = SqliteReader(store)
        [row] = reader.rows(parse("status:delivered"), limit=1)
        done, messages = reader.detail(row.id), reader.count()
        reader.close()
        assert done is not None
        message_id = done.message.message_id
        assert message_id is not None
        here = partial(run, folder=self._folder)
        rounds = interleaved({
            "version": partial(here, (*FLOWMON, "--version")),
            "trace": partial(here, (*FLOWMON, "trace", message_id, "--store", str(store))),
        }, max(runs, 7), self._say)
        small = messages < 1_000_000
        for name, words, bar, note in (
            ("version", "flowmon --version", 100.0, ""),
            ("trace", "flowmon trace", 250.0, f"in a collector's store of {messages:,} messages; asked of 1,000,000"),
        ):
            value, less = 1e3 * statistics.median(one.wall for one in rounds[name]), small and name == "trace"
            self._results.add(Measure(STARTS, words, value, "ms", bar, note=note, smaller=less))
        frame, answers = painted(store, log, max(runs, 3))
        note = f"on the same store; with all answers {answers:.2f} s"
        self._results.add(Measure(STARTS, "first paint", frame, "s", 0.6, note=note))
