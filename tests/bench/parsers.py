"""What five parser files of a user's own cost when a log is read that none of them is for.

    python -m tests.bench.parsers LOG [--runs 7]

Each run reads the log without and with the files, by turns; told are the medians of the processor time and their ratio.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import tempfile
from pathlib import Path

from flowmon.commands.skeleton import skeleton
from tests.bench.tools import FLOWMON, ROOT

WORDS = ("accepted", "scanned", "routed", "tagged", "delivered", "bounced", "parked", "released", "expired", "counted")


def made(number: int) -> str:
    """A parser file of ten rules and more: of every second one with a header of its own."""
    name = f"filter{number}"
    head = f"mx1 {name}[7]: " if number % 2 else ""
    lines = [
        f"2026-11-24 10:44:{second:02} {head}{word} {second}A7F10CD29: <kim@example.com> from [192.0.2.{second}]"
        for second, word in enumerate(WORDS)
    ]
    return skeleton(name, [line.replace(" 10:", "T10:") for line in lines] if head else lines)


def processor_seconds(log: Path, config: Path) -> float:
    """User and system time of one `flowmon report`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*FLOWMON, "report", str(log.absolute())], check=True, cwd=ROOT, stdout=subprocess.DEVNULL,
                   env=os.environ | {"XDG_CONFIG_HOME": str(config)})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Run the comparison."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("log", type=Path)
    options.add_argument("--runs", type=int, default=7)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        without, having = Path(place, "without"), Path(place, "having")
        folder = having / "flowmon" / "parsers"
        folder.mkdir(parents=True)
        without.mkdir()
        for number in range(5):
            (folder / f"filter{number}.toml").write_text(made(number))
        listed = subprocess.run([*FLOWMON, "parsers", "list"], check=True, capture_output=True, cwd=ROOT,
                                text=True, env=os.environ | {"XDG_CONFIG_HOME": str(having)}).stdout
        if listed.count(str(folder)) != 5 or "rejected" in listed:
            raise SystemExit(f"the five files are not in force:\n{listed}")
        processor_seconds(given.log, without)  # warms the caches
        runs = [tuple(processor_seconds(given.log, config) for config in (without, having)) for _ in range(given.runs)]
    plain, more = (statistics.median(run[n] for run in runs) for n in (0, 1))
    print(f"without {plain:.2f} s, with five files {more:.2f} s: {more / plain:.3f} times")


if __name__ == "__main__":
    main()
