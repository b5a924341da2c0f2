"""What was measured, beside what is asked: as a table, as JSON, as a picture, and in the documentation.

    python -m tests.bench.table docs/bench.json

puts the figures of a run (`make bench ARGS='--json docs/bench.json'`) into docs/pictures/bench.svg and into
docs/performance.md.
"""

from __future__ import annotations

import io
import math
import os
import platform
import re
import runpy
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

_DOCS = Path(__file__).parents[2] / "docs"
_PLACE = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- end of the figures -->)", re.DOTALL)


class Measure(msgspec.Struct, frozen=True):
    """One row of the table."""

    group: str
    name: str
    value: float | None
    """None when it could not be measured."""
    unit: str
    bar: float | None = None
    """What is asked; None where nothing is."""
    at_least: bool = False
    """Whether the bar is the least that is good; else it is the most."""
    note: str = ""
    smaller: bool = False
    """Whether it was measured on less than the bar is for: then to meet it proves nothing."""

    @property
    def holds(self) -> bool | None:
        """Whether the bar is met; None where that is not known."""
        met = self._met()
        return None if met and self.smaller else met

    def _met(self) -> bool | None:
        if self.bar is None or self.value is None:
            return None
        return self.value >= self.bar if self.at_least else self.value <= self.bar

    @property
    def verdict(self) -> str:
        """The same in words."""
        if self.value is None:
            return "not measured"
        if self.smaller and self._met():
            return "at this size"
        return {True: "holds", False: "not reached", None: ""}[self.holds]


class Check(msgspec.Struct, frozen=True):
    """A comparison of answers that went before the timing."""

    name: str
    equal: bool
    told: str


class Results(msgspec.Struct):
    """All of a run."""

    measures: list[Measure] = []
    checks: list[Check] = []
    tools: dict[str, str | None] = {}
    """Versions of the public tools; None for one that is not installed."""
    options: dict[str, Any] = {}
    machine: str = ""
    at: str = ""

    def add(self, *measures: Measure) -> None:
        """Keep rows."""
        self.measures.extend(measures)

    def describe(self) -> None:
        """Say where and when."""
        self.machine = machine()
        self.at = datetime.now(UTC).isoformat(timespec="seconds")

    def as_json(self) -> dict[str, Any]:
        """What a program reads."""
        rows = [msgspec.to_builtins(row) | {"holds": row.holds} for row in self.measures]
        told: dict[str, Any] = msgspec.to_builtins(self)
        return told | {"measures": rows}


def machine() -> str:
    """Processor, cores and Python: figures mean nothing without."""
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    cores = len(os.sched_getaffinity(0))
    name = found[1] if found else platform.machine()
    return f"{name}, {cores} core{'s' * (cores != 1)}, Python {platform.python_version()}"


def number(value: float | None, unit: str) -> str:
    """A value with three digits that count."""
    if value is None:
        return "-"
    if value == 0:
        return f"0 {unit}"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(places, 3)}f} {unit}".rstrip()


def drawn(results: Results, *, short: bool = False) -> Table:
    """The table; a short one does not say how."""
    table = Table(title=f"flowmon on {results.machine}", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("measure", overflow="fold")
    table.add_column("got", justify="right")
    table.add_column("asked", justify="right")
    table.add_column("")
    if not short:
        table.add_column("how", overflow="fold", style="dim")
    group = ""
    for row in results.measures:
        if row.group != group:
            table.add_section()
            table.add_row(f"[bold]{row.group}[/bold]")
            group = row.group
        asked = "" if row.bar is None else f"{'≥' if row.at_least else '≤'} {number(row.bar, row.unit)}"
        before = {True: "[green]✓ ", False: "[red]✗ ", None: "  " if row.verdict else ""}[row.holds]
        holds = before + row.verdict
        cells = (row.name, number(row.value, row.unit), asked, holds, row.note)
        table.add_row(*cells[:len(table.columns)])
    for check in results.checks:
        if not check.equal:
            table.add_row(f"[red]answers differ: {check.name}[/red]", *([] if short else ["", "", "", check.told]))
    return table


def markdown(results: Results) -> str:
    """The table for the documentation."""
    rows = ["| measure | got | asked | | how |", "|---|---:|---:|---|---|"]
    group = ""
    for row in results.measures:
        if row.group != group:
            group = row.group
            rows.append(f"| **{group}** | | | | |")
        asked = "" if row.bar is None else f"{'≥' if row.at_least else '≤'} {number(row.bar, row.unit)}"
        holds = f"**{row.verdict}**" if row.holds is False else row.verdict
        rows.append(f"| {row.name} | {number(row.value, row.unit)} | {asked} | {holds} | {row.note} |")
    tools = ", ".join(f"{name}: {told or 'not installed'}" for name, told in results.tools.items())
    wrong = [check.name for check in results.checks if not check.equal]
    answers = f"{len(results.checks)} answers were compared before the timing, " + (
        f"and differ in {', '.join(wrong)}." if wrong else "and all are equal.")
    return "\n".join([f"{results.machine}, {results.at[:10]}. {tools}. {answers}", "", *rows]) + "\n"


def picture(results: Results, path: Path) -> None:
    """The table as an SVG, as robust as those of the screens."""
    table = drawn(results, short=True)
    wide = Console(width=200).measure(table).maximum
    console = Console(record=True, width=wide, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(table)
    robust: Callable[[str], str] = runpy.run_path(str(_DOCS / "make_pictures.py"))["robust"]
    path.write_text(robust(console.export_svg(title="make bench")), "utf-8")


def read(path: Path) -> Results:
    """The results that a run wrote as JSON."""
    return msgspec.json.decode(path.read_bytes(), type=Results)


def documented(results: Results, text: str) -> str:
    """A document with these figures at their place."""
    return _PLACE.sub(lambda _: markdown(results), text)


def main(path: Path) -> None:
    """Put figures into the documentation."""
    results = read(path)
    picture(results, _DOCS / "pictures" / "bench.svg")
    page = _DOCS / "performance.md"
    page.write_text(documented(results, page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
