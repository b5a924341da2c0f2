"""Loading history: a whole process from its start to its answer, against public tools on the same file.

What is in the store differs by command, and the table says so: `flowmon report` alone is asked for sums, and keeps
each message without what would find it again; with a filter it keeps keys and indexes too; `flowmon collect --once`
makes the store of a collector. All three keep all messages.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path

import flowmon
from tests.bench import mixed_logs, postfix_log
from tests.bench.table import Check, Measure, Results, number
from tests.bench.tools import CORES, FLOWMON, Run, interleaved, run

GROUP = "Loading history"
NAMES = (
    "received", "delivered", "forwarded", "deferred", "bounced", "rejected", "reject warnings", "held", "discarded",
)
LOGWATCH = Path("/usr/share/logwatch/scripts/services/postfix")
LNAV_QUERY = r";SELECT regexp_match('status=(\w+)', log_body) AS s, count(*) AS n FROM syslog_log GROUP BY s"
GOACCESS = (
    "--no-global-config", "--num-tests=0", "--no-progress", "--date-format=%Y-%m-%d", "--time-format=%H:%M:%S",
    "--log-format=%dT%t.%^ %^ %^: %^: to=<%U>, relay=%^[%h]:%^",
)
"""Made for web servers, and for one shape of line: it counts tries by recipient and relay, and joins nothing."""
ONE = frozenset({max(CORES)})
"""The core of those that are pinned."""
COMPILED = any(Path(flowmon.__file__).parent.rglob("*.so"))
"""Whether flowmon has its compiled core: more is asked of it."""
Say = Callable[[str], None]


def facts_of_pflogsumm(text: str) -> dict[str, str]:
    """The grand totals as pflogsumm prints them."""
    found = {
        name: match[1] for name in NAMES
        if (match := re.search(rf"^\s*(\d+[km]?)\s+{name}\b", text, re.MULTILINE))
    }
    deferrals = re.search(r"\((\d+[km]?)\s+deferrals\)", text)
    sizes = re.findall(r"^\s*(\d+[km]?)\s+bytes (received|delivered)", text, re.MULTILINE)
    return found | ({"deferrals": deferrals[1]} if deferrals else {}) | {f"bytes {name}": n for n, name in sizes}


def rounded(value: int) -> str:
    """A number as pflogsumm rounds it: k and m for kibi and mebi, from half a unit of the next size on."""
    if value > 524_288 * 1024:
        return f"{value // 1_048_576}m"
    return f"{value // 1024}k" if value > 512 * 1024 else str(value)


def totals(done: Run) -> dict[str, int]:
    """What `flowmon report --format json` counted."""
    return {name.replace("_", " "): value for name, value in json.loads(done.out)["totals"].items()}


def report(*words: str | Path) -> tuple[str, ...]:
    """The command of a report."""
    return (*FLOWMON, "report", "--format", "json", *map(str, words))


class Loading:
    """The logs, the jobs and their rows."""

    def __init__(self, folder: Path, results: Results, say: Say, *, log: Path, iso: Path | None) -> None:
        self._folder, self._results, self._say = folder, results, say
        self._log, self._iso = log, iso
        self._lines = count_lines(log)
        self._web = folder / "goaccess.json"
        self._peaks: dict[str, float] = {}
        """Memory by job: looked at in the round that is not timed."""
        self._mixed, self._packed = folder / "mixed", folder / "packed" / f"{log.name}.gz"

    def prepare(self, seed: int) -> None:
        """The folder of five formats and the packed log."""
        self._made = mixed_logs.write(self._mixed, self._lines, seed=seed)
        self._packed.parent.mkdir()
        with self._log.open("rb") as source, gzip.open(self._packed, "wb", compresslevel=6) as out:
            shutil.copyfileobj(source, out, 1 << 20)
        shutil.copystat(self._log, self._packed)

    def measure(self, runs: int) -> None:
        """Check the answers, then time."""
        jobs = self._jobs()
        first = {name: job() for name, job in jobs.items()}
        self._check(first)
        self._peaks = {name: done.peak for name, done in first.items()}
        rounds = interleaved(jobs, runs, self._say)
        self._against(rounds)
        self._forms(rounds)

    def _jobs(self) -> dict[str, Callable[[], Run]]:
        """By name; those of tools that are not installed are left out."""
        def here(command: tuple[str, ...], cores: frozenset[int] = CORES) -> Run:
            return run(command, self._folder, cores=cores, watch=not self._peaks)

        store, log = self._folder / "loading.db", str(self._log)

        def collected() -> Run:
            for one in self._folder.glob("loading.db*"):
                one.unlink()
            return here((*FLOWMON, "collect", "--once", "--store", str(store), log))

        jobs: dict[str, Callable[[], Run]] = {
            "report": partial(here, report(log)),
            "report, one core": partial(here, report(log), cores=ONE),
            "report with indexes": partial(here, report("--filter", "status:bounced", log)),
            "report with indexes, one core": partial(here, report("--filter", "status:bounced", log), cores=ONE),
            "collect --once": collected,
            "mixed": partial(here, report(self._mixed)), "gz": partial(here, report(self._packed)),
        }
        if self._iso is not None:
            jobs["iso"] = partial(here, report(self._iso))
            if shutil.which("goaccess"):
                jobs["goaccess"] = partial(here, ("goaccess", str(self._iso), *GOACCESS, "-o", str(self._web)))
        if shutil.which("pflogsumm"):
            jobs["pflogsumm"] = partial(here, ("pflogsumm", log), cores=ONE)
        if LOGWATCH.exists() and shutil.which("perl"):
            jobs["postfix-logwatch"] = partial(here, ("perl", str(LOGWATCH), "--detail", "5", log), cores=ONE)
        if shutil.which("lnav"):
            jobs["lnav"] = partial(here, ("lnav", "-n", "-c", LNAV_QUERY, log))
        return jobs

    def _check(self, first: dict[str, Run]) -> None:
        """Answers before times."""
        mine = totals(first["report"])
        if "pflogsumm" in first:
            for name, told in facts_of_pflogsumm(first["pflogsumm"].out).items():
                self._told(f"{name} as pflogsumm counts", rounded(mine[name]), told)
        if "lnav" in first:
            counts = dict(re.findall(r"^\s*(sent|bounced|deferred)\s+([\d,]+)", first["lnav"].out, re.MULTILINE))
            for status, name in (("sent", "delivered"), ("bounced", "bounced"), ("deferred", "deferrals")):
                self._told(f"{name} as lnav counts", str(mine[name]), counts.get(status, "0").replace(",", ""))
        self._told("totals of the packed log", str(totals(first["gz"])), str(mine))
        self._told("totals on one core", str(totals(first["report, one core"])), str(mine))
        if "iso" in first:
            self._told("totals with ISO headers", str(totals(first["iso"])), str(mine))
        alone = totals(run(report(self._mixed / mixed_logs.PATHS["postfix"]), self._folder))
        handled = alone["received"] + self._made.handled.total()
        self._told("messages received in the folder", str(totals(first["mixed"])["received"]), str(handled))

    def _told(self, name: str, mine: str, theirs: str) -> None:
        equal = mine == theirs
        self._results.checks.append(Check(name, equal, mine if equal else f"{mine}, {theirs}"))
        self._say(f"{'equal' if equal else 'DIFFERS'}: {name}: {mine}{'' if equal else f', {theirs}'}")

    def _against(self, rounds: dict[str, list[Run]]) -> None:
        """Ratios to the public tools."""
        add = self._results.add
        both, one = (5.0, 3.0) if COMPILED else (3.5, 2.5)
        cores = f"{len(CORES)} core{'s' * (len(CORES) != 1)}"
        rows = (
            ("report", cores, both, "in the store: all messages, without keys and indexes"),
            ("report, one core", "one core", one, "the same"),
            ("report with indexes", cores, both, "report --filter; in the store: all messages, with keys and indexes"),
            ("report with indexes, one core", "one core", one, "the same"),
            ("collect --once", cores, both, "a collector's store: durable, with keys and indexes"),
        )
        for name, where, bar, note in rows:
            what = name.partition(",")[0]
            value, processor = ratio(rounds, "pflogsumm", name), ratio(rounds, "pflogsumm", name, _cpu)
            rate = f"{self._lines / median(rounds[name]):,.0f} lines/s; {note}"
            rate += f"; by processor time {number(processor, '×')}" if processor else ""
            add(Measure(GROUP, f"{what} on {where} against pflogsumm", value, "×", bar, True, rate))
        peers: tuple[tuple[str, str, float | None], ...] = (
            ("postfix-logwatch", "report, one core", None), ("lnav", "report", 1.0),
        )
        for name, ours, wanted in peers:
            note = f"{self._lines / median(rounds[name]):,.0f} lines/s" if name in rounds else "not installed"
            what = f"{ours.replace(', ', ' on ')} against {name}"
            add(Measure(GROUP, what, ratio(rounds, name, ours), "×", wanted, True, note))
        if "goaccess" in rounds:
            counted = json.loads(self._web.read_text("utf-8"))["general"]["valid_requests"]
            rate = f"{self._lines / median(rounds['goaccess']):,.0f} lines/s, of which it counts {counted:,} by address"
            against = ratio(rounds, "goaccess", "iso")
            add(Measure(GROUP, "report of ISO headers against goaccess", against, "×", note=rate))
        if "pflogsumm" in rounds:
            others = ("pflogsumm", "postfix-logwatch", "lnav")
            peaks = ", ".join(f"{name} {self._peaks[name]:.0f}" for name in others if name in rounds)
            rate = f"{self._lines / median(rounds['pflogsumm']):,.0f} lines/s"
            note = f"largest process; of others {peaks}; pflogsumm reads {rate}"
            add(Measure(GROUP, "memory of a report", self._peaks["report"], "MiB", note=note))

    def _forms(self, rounds: dict[str, list[Run]]) -> None:
        """Other forms of a log, beside the plain one of the same run."""
        plain = [run.wall / self._lines for run in rounds["report"]]

        def speed(name: str, lines: int) -> float:
            pairs = zip(plain, rounds[name], strict=True)
            return 100 * statistics.median(own * lines / done.wall for own, done in pairs)

        add = self._results.add
        if self._iso is not None:
            lines = count_lines(self._iso)
            add(Measure(GROUP, "ISO headers: speed of the plain log", speed("iso", lines), "%", 90, True, "lines/s"))
        lines = self._made.lines.total()
        shares = ", ".join(f"{name} {100 * n / lines:.0f} %" for name, n in self._made.lines.items())
        mixed, taken = speed("mixed", lines), totals(rounds["mixed"][0])["received"]
        mail = mixed * (taken / lines) / (totals(rounds["report"][0])["received"] / self._lines)
        note = f"lines/s; by messages that a server took in {mail:.0f} %; {shares}"
        add(Measure(GROUP, "folder of five formats", mixed, "%", 75, True, note),
            Measure(GROUP, "packed (.gz)", speed("gz", self._lines), "%", 60, True, "lines/s"))


def median(runs: list[Run]) -> float:
    """Seconds."""
    return statistics.median(run.wall for run in runs)


def _wall(done: Run) -> float:
    return done.wall


def _cpu(done: Run) -> float:
    return done.cpu


def ratio(
    rounds: dict[str, list[Run]], theirs: str, ours: str, what: Callable[[Run], float] = _wall
) -> float | None:
    """How many times as fast ours is: the median of what each round says."""
    if theirs not in rounds:
        return None
    return statistics.median(what(a) / what(b) for a, b in zip(rounds[theirs], rounds[ours], strict=True))


def count_lines(path: Path) -> int:
    """Lines of a file."""
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(partial(file.read, 1 << 20), b""))


def logs(folder: Path, lines: int, seed: int) -> tuple[Path, Path]:
    """The log and the same with ISO headers."""
    return (
        postfix_log.write(folder / "mail.log", lines, seed=seed),
        postfix_log.write(folder / "iso.log", lines, seed=seed, iso=True),
    )
