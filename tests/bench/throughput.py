"""How fast `flowmon report` reads a Postfix log, against pflogsumm on the same file, and whether the totals agree.

    python -m tests.bench.throughput LOG [--runs 3]

Each run times both tools, one after the other; the ratios are of one run, and their median is told. Needs pflogsumm.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import flowmon

NAMES = (
    "received", "delivered", "forwarded", "deferred", "bounced", "rejected", "reject warnings", "held", "discarded",
)


def timed(command: list[str]) -> tuple[float, int, str]:
    """Wall seconds, peak memory in KiB of the largest process, and what it printed."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    out = process.stdout.read() if process.stdout is not None else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return time.perf_counter() - started, usage.ru_maxrss, out


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


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    yardstick = shutil.which("pflogsumm")
    if yardstick is None:
        raise SystemExit("pflogsumm is not installed: apt-get install pflogsumm")
    report = [sys.executable, "-m", "flowmon.cli", "report", "--format", "json", str(options.log)]
    compileall.compile_dir(Path(flowmon.__file__).parent, quiet=1)  # as pip does, when it installs
    ratios, walls, peaks, said, mine = [], [], [], "", ""
    for _ in range(options.runs):
        theirs, _, said = timed([yardstick, str(options.log)])
        ours, peak, mine = timed(report)
        ratios.append(theirs / ours)
        walls.append((ours, theirs))
        peaks.append(peak)
        times = theirs / ours
        print(f"flowmon {ours:.2f} s, pflogsumm {theirs:.2f} s: {times:.2f} times as fast, {peak / 1024:.0f} MiB")
    totals = {name.replace("_", " "): value for name, value in json.loads(mine)["totals"].items()}
    for name, theirs_text in facts_of_pflogsumm(said).items():
        agrees = rounded(totals[name]) == theirs_text
        print(f"{'equal' if agrees else 'DIFFERS':8} {name}: {totals[name]} ({theirs_text})")
    print(f"median: {statistics.median(ratios):.2f} times pflogsumm's speed, peak {max(peaks) / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
