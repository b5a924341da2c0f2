"""What was measured, beside what is asked: as a table, as JSON and as a picture."""

from __future__ import annotations

import io
import math
import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

_FONT_FACE = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_WIDTH = 150


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

    @property
    def holds(self) -> bool | None:
        """Whether the bar is met; None without a bar or a value."""
        if self.bar is None or self.value is None:
            return None
        return self.value >= self.bar if self.at_least else self.value <= self.bar


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


def drawn(results: Results) -> Table:
    """The table."""
    table = Table(title=f"flowmon on {results.machine}", title_justify="left", header_style="bold", pad_edge=False)
    for name, side in (("measure", "left"), ("got", "right"), ("asked", "right"), ("", "left"), ("how", "left")):
        table.add_column(name, justify=side, overflow="fold")  # type: ignore[arg-type]  # of rich's own literals
    group = ""
    for row in results.measures:
        if row.group != group:
            table.add_section()
            table.add_row(f"[bold]{row.group}[/bold]")
            group = row.group
        asked = "" if row.bar is None else f"{'≥' if row.at_least else '≤'} {number(row.bar, row.unit)}"
        holds = {True: "[green]✓ holds[/green]", False: "[red]✗ not reached[/red]", None: ""}[row.holds]
        table.add_row(row.name, number(row.value, row.unit), asked, holds, f"[dim]{row.note}[/dim]")
    for check in results.checks:
        if not check.equal:
            table.add_row(f"[red]answers differ: {check.name}[/red]", "", "", "", check.told)
    return table


def picture(results: Results, path: Path) -> None:
    """The table as an SVG that asks no other server for its letters."""
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(drawn(results))
    path.write_text(_FONT_FACE.sub("", console.export_svg(title="make bench")), "utf-8")
