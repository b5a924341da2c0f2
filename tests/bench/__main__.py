"""All measures in one run, beside public tools and beside what is asked.

    python -m tests.bench [--quick] [--lines 1000000] [--runs 5] [--log FILE] [--json FILE] [--picture FILE]

Logs are made from a seed; --log and its like take others. Public tools that are not installed (pflogsumm, logwatch,
lnav) are told and left out. What is measured, and how: docs/performance.md.
"""

from __future__ import annotations

import argparse
import compileall
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console

import flowmon
from tests.bench import growth, loading
from tests.bench.live import Live
from tests.bench.postfix_log import SEED
from tests.bench.table import Results, drawn, picture

TOOLS = {"pflogsumm": ("pflogsumm", "--version"), "lnav": ("lnav", "-V"), "goaccess": ("goaccess", "--version"),
         "postfix-logwatch": ("perl", str(loading.LOGWATCH), "--version")}
PARTS = ("loading", "growth", "live", "starts")


def say(text: str) -> None:
    """How far it is."""
    print(text, file=sys.stderr, flush=True)


def version(command: tuple[str, ...]) -> str | None:
    """What a tool says it is; None where it is not."""
    if shutil.which(command[0]) is None or (command[0] == "perl" and not loading.LOGWATCH.exists()):
        return None
    done = subprocess.run(command, capture_output=True, text=True)
    lines = (done.stdout or done.stderr).split("\n")
    return lines[0].strip().rstrip(".") or "installed"


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000, help="lines of the log")
    parser.add_argument("--big", type=int, help="lines of the longer log of the growth; else 5 times as many")
    parser.add_argument("--runs", type=int, default=5, help="interleaved rounds")
    parser.add_argument("--seed", type=int, default=SEED, help="of the logs that are made")
    parser.add_argument("--log", type=Path, help="a Postfix log made elsewhere")
    parser.add_argument("--iso-log", type=Path, help="the same log with ISO headers")
    parser.add_argument("--big-log", type=Path, help="a longer one for the growth")
    parser.add_argument("--store", type=Path, help="a collector's store made before, to be asked and opened")
    parser.add_argument("--quick", action="store_true", help="a look: a fifth of the lines, one round, short waits")
    parser.add_argument("--only", choices=PARTS, action="append", help="a part; may be given again")
    parser.add_argument("--folder", type=Path, help="where logs and stores are made; else in that of temporary files")
    parser.add_argument("--json", type=Path, help="write all figures")
    parser.add_argument("--picture", type=Path, help="write the table as SVG")
    given = parser.parse_args()
    if given.quick:
        given.lines, given.runs = given.lines // 5, 1
    given.big = given.big or 5 * given.lines
    return given


def measure(given: argparse.Namespace, folder: Path, results: Results) -> None:
    """The parts that are wanted, one after the other."""
    wanted = given.only or PARTS
    own = given.log is None
    say("making logs")
    log = given.log.absolute() if not own else loading.logs(folder, given.lines, given.seed)[0]
    iso = given.iso_log.absolute() if given.iso_log else folder / "iso.log" if own else None
    if "loading" in wanted:
        load = loading.Loading(folder, results, say, log=log, iso=iso)
        load.prepare(given.seed + 2)
        load.measure(given.runs)
    if "growth" in wanted or "starts" in wanted:
        big = given.big_log.absolute() if given.big_log else growth.log_of(folder, given.big, given.seed + 1)
        store = given.store.absolute() if given.store else None
        grown = growth.Growth(folder, results, say, small=log, big=big, store=store)
        if "growth" in wanted:
            grown.measure(min(given.runs, 3))
        elif store is None:
            grown.collect("big")
    live = Live(folder, results, say)
    if "live" in wanted:
        live.latency(20 if given.quick else 150)
        live.cost(10.0 if given.quick else 30.0)
        live.cost(10.0, stuck=5_000 if given.quick else 50_000)
    if "starts" in wanted:
        live.starts(given.runs, grown.store, big)


def main() -> int:
    """Run it. Gives 1 when answers differ, 0 else: a bar that is not reached is told, and is no failure."""
    given, results = arguments(), Results()
    compileall.compile_dir(Path(flowmon.__file__).parent, quiet=1)  # as pip does, when it installs
    results.describe()
    results.options = {name: value.name if isinstance(value, Path) else value for name, value in vars(given).items()}
    results.tools = {name: version(command) for name, command in TOOLS.items()}
    for name, told in results.tools.items():
        say(f"{name}: {told or 'not installed: left out'}")
    with tempfile.TemporaryDirectory(prefix="flowmon-bench-", dir=given.folder) as folder:
        measure(given, Path(folder), results)
    Console(width=None if sys.stdout.isatty() else 150).print(drawn(results))
    if given.json is not None:
        given.json.write_text(json.dumps(results.as_json(), indent=1, ensure_ascii=False) + "\n", "utf-8")
    if given.picture is not None:
        picture(results, given.picture)
    return 0 if all(check.equal for check in results.checks) else 1


if __name__ == "__main__":
    sys.exit(main())
