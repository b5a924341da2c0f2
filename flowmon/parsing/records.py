"""Records: CSV with `#Fields` or a first row of names (columns by name), and JSON lines.

Each reader belongs to one log. What it must know from one line to the next are the columns: a collector that starts
again in the middle of a file gives them back with `restore()`.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from typing import Any

from flowmon.parsing.columns import Cell, Columns, Record, RecordTable, as_text, column_name, columns_used
from flowmon.parsing.dispatch import Fold
from flowmon.parsing.format import Format
from flowmon.parsing.reader import Counters, placed
from flowmon.parsing.stamps import Stamps, epoch

ROW_CAP = 1_000_000
"""Characters of a row; a longer one is kept as a sample and not read."""

_FIELDS = "#fields:"
_DECIMAL = re.compile(r"\d{1,12}\.\d{1,12}", re.ASCII)
_JSON_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")


class RecordReader:
    """Reads the records of one log."""

    def __init__(self, format: Format, hosts: Any, stamps: Stamps, host: str) -> None:
        self.counters = Counters()
        self.taken: list[str] = []
        """Names of the rules that took the last record."""
        self._format = format
        self._spec = format.spec
        self._hosts = hosts
        self._stamps = stamps
        self._file_host: str = hosts.name(host)
        self._names: list[str] = []
        self._begun = False
        """A row was taken: no further row may name columns."""
        self._table: RecordTable | None = None
        self._time: int | None = None
        self._json = format.framing == "json"
        if self._json:
            spec = format.spec
            self._set(columns_used(format.records, spec.time, spec.host, spec.lists))
        elif format.spec.columns:
            self._set(format.spec.columns)

    def state(self) -> dict[str, Any]:
        """What must be known to go on in the middle of the log."""
        return {} if self._json else {"columns": list(self._names), "begun": self._begun}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with what `state()` gave."""
        names = state.get("columns")
        if names and not self._json:
            self._begun = bool(state.get("begun", True))
            self._set([str(name) for name in names])

    def _set(self, names: Sequence[str]) -> bool:
        """Take columns; whether the format's rules find what they need in them."""
        spec = self._spec
        self._names = list(names)
        columns = Columns(names, exact=self._json)
        table = RecordTable(self._format.records, columns, spec.host, spec.lists)
        self._time = columns.place(spec.time) if spec.time else None
        self._table = table if table.known and self._time is not None else None
        return self._table is not None

    def feed(self, data: bytes, base: int, fold: Fold) -> None:
        """Read a chunk of whole lines; `base` is the position of its first byte."""
        for line, here in zip(*placed(data, base), strict=False):
            if line[-1:] == "\r":
                line = line[:-1]
            if line[:1] == "\ufeff":
                line = line[1:]
            if not line or (line[0] == "#" and not self._json and self._comment(line)):
                continue
            self.counters.lines += 1
            if len(line) > ROW_CAP:
                self.counters.clipped += 1
                self.counters.miss(line)
            elif not (self._json_line if self._json else self._row)(line, here, fold):
                self.counters.miss(line)

    def _comment(self, line: str) -> bool:
        """A line of the header; only one that names columns counts, and only where the format knows them."""
        if line[: len(_FIELDS)].lower() == _FIELDS:
            self.counters.lines += 1
            if not self._set(line[len(_FIELDS) :].strip().split(",")):
                self.counters.miss(line)
        return True

    def _row(self, line: str, here: int, fold: Fold) -> bool:
        cells: Record
        if '"' not in line:
            cells = [*line.split(",")]
        else:
            try:
                cells = [*next(csv.reader([line]), [])]
            except csv.Error:
                return False
        if len(cells) == len(self._names) and self._take(cells, here, fold):
            self._begun = True
            return True
        return not self._begun and self._plain_header(cells)

    def _plain_header(self, cells: Record) -> bool:
        """Names of columns in the first row of a plain CSV; later on no row may change them."""
        names = [as_text(cell) for cell in cells]
        if column_name(self._spec.time) not in map(column_name, names):
            return False
        return self._set(names)

    def _json_line(self, line: str, here: int, fold: Fold) -> bool:
        text = line.strip().removesuffix(",")
        if text in ("[", "]", ""):
            return True
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return False
        records = found if isinstance(found, list) else [found]
        done = bool(records)
        for record in records:
            done &= isinstance(record, dict) and self._take([_cell(record, name) for name in self._names], here, fold)
        return done

    def _take(self, record: Record, here: int, fold: Fold) -> bool:
        """Find the rules of a record and hand their events on. False: none fits, or it has no time."""
        table, place = self._table, self._time
        self.taken = taken = []
        if table is None or place is None:
            return False
        at = self._at(record[place])
        if at is None:
            return False
        for rule in table.rules(record):
            if rule.fits is None or rule.fits(record):
                taken.append(rule.name)
                rule.make(record, at, self._host, here, fold)
                if not rule.more:
                    break
        if taken:
            self.counters.last_at = at
        return bool(taken)

    def _host(self, raw: str) -> str:
        return str(self._hosts.name(raw)) if raw else self._file_host

    def _at(self, cell: Cell) -> float | None:
        if not isinstance(cell, str):
            return None
        stamp = self._stamps.iso(cell)
        if stamp is not None:
            return stamp[0]
        date = _JSON_DATE.fullmatch(cell)
        if date is not None:
            return int(date.group(1)) / 1000
        if _DECIMAL.fullmatch(cell):
            return float(cell)
        return epoch(cell, self._stamps.zone) if len(cell) < 40 and cell.isascii() else None


def _cell(record: Any, path: str) -> Cell:
    """The value at a dotted path; through an array, the list of the values of its items."""
    if path in record:
        return _value(record[path])
    return _value(_walk(record, path.split(".")))


def _walk(value: Any, names: Sequence[str]) -> Any:
    for place, name in enumerate(names):
        if isinstance(value, list):
            return [_walk(item, names[place:]) for item in value]
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _value(value: Any) -> Cell:
    if isinstance(value, list):
        return [as_text(_value(item)) for item in value]
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, dict) else str(value)
