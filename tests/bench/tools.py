"""Running programs for a measure: time, memory and processor of a process and of all that it starts."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""Programs run here, so that it is this checkout's flowmon which is measured."""
FLOWMON = (sys.executable, "-m", "flowmon")
CORES = frozenset(os.sched_getaffinity(0))
"""Those that the benchmark was started on."""
_TICK = os.sysconf("SC_CLK_TCK")
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Run:
    """What one run of a program took."""

    wall: float
    cpu: float
    """User and system time, of its children too."""
    peak: float
    """Memory of its largest process, MiB; 0 when it was not looked at."""
    together: float
    """Memory of all its processes at once, MiB, pages that they share counted once; 0 when it was not looked at."""
    out: str


@dataclass
class _Watch:
    """Looks how much memory a program's processes have: what the kernel tells at their end (`ru_maxrss`) is not less
    than what the process that started them had."""

    pid: int
    largest: float = 0.0
    together: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> None:
        while not self.over.wait(_LOOK_SECONDS):
            pids = family(self.pid)
            self.largest = max([self.largest, *(_mib(pid, "status", "VmHWM:") for pid in pids)])
            self.together = max(self.together, sum(_mib(pid, "smaps_rollup", "Pss:") for pid in pids))


def environment(folder: Path) -> dict[str, str]:
    """Where programs find no configuration of this user, and keep nothing; times without a zone are UTC.

    Nothing tells Python how to run either: where it may not write its compiled modules, each start would be slow.
    """
    home = folder / "home"
    home.mkdir(exist_ok=True)
    names = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {name: str(home) for name in names} | {"TZ": "UTC", "TMPDIR": str(folder)}


def run(
    command: Iterable[str], folder: Path, *, cores: Iterable[int] = CORES, watch: bool = False
) -> Run:
    """Run a program to its end on some cores. Raises SystemExit when it fails."""
    words, wanted = list(command), set(cores)
    started = time.perf_counter()
    with (folder / "stderr").open("w") as errors:
        process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT, env=environment(folder), text=True,
            errors="replace", preexec_fn=lambda: os.sched_setaffinity(0, wanted),
        )
    looks = _Watch(process.pid)
    if watch:
        threading.Thread(target=looks, daemon=True).start()
    out = process.stdout.read() if process.stdout is not None else ""
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    looks.over.set()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}: {(folder / 'stderr').read_text()}")
    return Run(wall, usage.ru_utime + usage.ru_stime, looks.largest, looks.together, out)


def interleaved(jobs: dict[str, Callable[[], Run]], runs: int, say: Callable[[str], None]) -> dict[str, list[Run]]:
    """Each job once a round, so that what else the machine does meets all of them alike."""
    found: dict[str, list[Run]] = {name: [] for name in jobs}
    for number in range(runs):
        for name, job in jobs.items():
            done = job()
            found[name].append(done)
            say(f"round {number + 1} of {runs}: {name} {done.wall:.2f} s")
    return found


def family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for one in found:
        try:
            for task in Path(f"/proc/{one}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:  # it has ended
            continue
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and all below it, ended children that were waited for included."""
    total = 0
    for one in family(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(number) for number in fields[11:15])
    return total / _TICK


def _mib(pid: int, file: str, name: str) -> float:
    """A figure of a process's memory: its peak, or its own share of what it has now."""
    try:
        for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0
