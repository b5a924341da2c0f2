"""Records: CSV with `#Fields` or a first row of names (columns by name), and JSON lines.

Each reader belongs to one log. What it must know from one line to the next are the columns, and the lines of a CSV
record that is still open (a quoted cell may hold line ends): a collector that starts again in the middle of a file
gives them back with `restore()`.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from datetime import UTC
from typing import Any

from flowmon.parsing import cef, pairs
from flowmon.parsing.columns import Cell, Columns, Record, RecordTable, as_text, column_name, columns_used
from flowmon.parsing.dialogue import TOLD, Dialogue
from flowmon.parsing.dispatch import Fold
from flowmon.parsing.format import Format
from flowmon.parsing.reader import Counters, placed
from flowmon.parsing.stamps import Stamps, epoch

ROW_CAP = 1_000_000
"""Characters of a row; a longer one is kept as a sample and not read."""

OPEN_CAP = 65_536
"""Characters of a record over several lines; what is longer was never closed."""

_FIELDS = "#fields:"
_LOG_TYPE = "#log-type:"
_DECIMAL = re.compile(r"\d{1,12}\.\d{1,12}", re.ASCII)
_JSON_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")
_SLASHED = re.compile(r"(\d{4})/(\d\d)/(\d\d) (\d\d:\d\d:\d\d) (?:UTC|GMT)", re.ASCII)
"""Year first, so that day and month cannot be mistaken."""


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
        self._other_log = False
        """The header names another log: its columns are not ours, whatever their names."""
        self._dialogue: Dialogue | None = None
        self._table: RecordTable | None = None
        self._time: int | None = None
        self._places: list[int] = []
        """Of the columns that may tell the time, the first that does."""
        self._open: tuple[str, int] | None = None
        """A CSV record whose quoted cell goes on in the next line, and where it began; counted as not understood."""
        self._times = [format.spec.time] if isinstance(format.spec.time, str) else format.spec.time
        if format.spec.zone:
            stamps.zone = UTC
        self._json = format.framing in ("json", "cef", "pairs")
        """Whether columns are looked up by name in each record."""
        self._one = {
            "json": self._json_line, "cef": self._event, "pairs": self._pairs,
        }.get(format.framing, self._row)
        if self._json:
            spec = format.spec
            self._set(columns_used(format.records, spec.time, spec.host, spec.lists))
        elif format.spec.columns:
            self._set(format.spec.columns)

    def state(self) -> dict[str, Any]:
        """What must be known to go on in the middle of the log."""
        if self._json:
            return {}
        state: dict[str, Any] = {"columns": list(self._names), "begun": self._begun, "open": self._open}
        if self._dialogue is not None:
            state["sessions"] = self._dialogue.open
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with what `state()` gave."""
        names = state.get("columns")
        if names and not self._json:
            self._begun = bool(state.get("begun", True))
            self._set([str(name) for name in names])
            if state.get("open"):
                text, here = state["open"]
                self._open = (str(text), int(here))
            if self._dialogue is not None:
                self._dialogue.open = dict(state.get("sessions", {}))

    def _set(self, names: Sequence[str]) -> bool:
        """Take columns; whether the format's rules find what they need in them."""
        spec = self._spec
        self._names = list(names)
        if spec.dialogue is not None:
            try:
                self._dialogue = Dialogue([column_name(name) for name in names], *spec.dialogue)
            except ValueError:  # a column is missing: another log
                self._table = None
                return False
        columns = Columns([*names, *TOLD] if spec.dialogue else names, exact=self._json)
        table = RecordTable(self._format.records, columns, spec.host, spec.lists)
        self._places = [p for name in self._times if name and (p := columns.place(name)) is not None]
        self._time = self._places[0] if self._places else None
        self._table = table if table.known and self._time is not None and not self._other_log else None
        return self._table is not None

    def feed(self, data: bytes, base: int, fold: Fold) -> None:
        """Read a chunk of whole lines; `base` is the position of its first byte."""
        for line, here in zip(*placed(data, base), strict=False):
            if line[-1:] == "\r":
                line = line[:-1]
            if line[:1] == "\ufeff":
                line = line[1:]
            if self._open is not None:
                line, here = self._go_on(line, here, fold)
            if not line or (line[0] == "#" and not self._json and self._comment(line)):
                continue
            self.counters.lines += 1
            if not self._json and line.count('"') & 1 and _is_open(line):
                self._open = (line, here)
                self.counters.miss(line)
            elif len(line) > ROW_CAP:
                self.counters.clipped += 1
                self.counters.miss(line)
            elif not self._one(line, here, fold):
                self.counters.miss(line)

    def _go_on(self, line: str, here: int, fold: Fold) -> tuple[str, int]:
        """The open record with one line more, and where it began; the line alone where the record was never closed."""
        if self._open is None:
            return line, here
        text, began = self._open
        self._open = None
        if self._is_row(line) or len(text) + len(line) > OPEN_CAP:
            return line, here
        self.counters.unmatched -= 1
        if self.counters.samples:  # none after a restart
            self.counters.samples.pop()
        return f"{text}\n{line}", began

    def _is_row(self, line: str) -> bool:
        """Whether a line is a whole record by itself: a cell of text seldom has its columns and its time."""
        if self._time is None or _is_open(line):
            return False
        cells = _cells(line)
        return cells is not None and len(cells) == len(self._names) and self._at(cells[self._time]) is not None

    def _comment(self, line: str) -> bool:
        """A line of the header; only one that names columns counts, and only where the format knows them."""
        if self._spec.log_type and line[: len(_LOG_TYPE)].lower() == _LOG_TYPE:
            self._other_log = line[len(_LOG_TYPE) :].strip().lower() != self._spec.log_type.lower()
        if line[: len(_FIELDS)].lower() == _FIELDS:
            self.counters.lines += 1
            if not self._set(line[len(_FIELDS) :].strip().split(",")):
                self.counters.miss(line)
        return True

    def _row(self, line: str, here: int, fold: Fold) -> bool:
        cells = _cells(line)
        if cells is None:
            return False
        if len(cells) == len(self._names) and self._take(cells, here, fold):
            self._begun = True
            return True
        return not self._begun and self._plain_header(cells)

    def _plain_header(self, cells: Record) -> bool:
        """Names of columns in the first row of a plain CSV; later on no row may change them."""
        names = [as_text(cell) for cell in cells]
        known = set(map(column_name, names))
        if not any(column_name(name) in known for name in self._times):
            return False
        return self._set(names)

    def _json_line(self, line: str, here: int, fold: Fold) -> bool:
        text = line.strip().removesuffix(",")
        if text in ("[", "]", ""):  # around the records, and of every format
            self.counters.lines -= 1
            return True
        found = _decoded(text)
        records = self._inside(found)
        done = bool(records)
        for record in records:
            done &= isinstance(record, dict) and self._take([_cell(record, name) for name in self._names], here, fold)
        return done

    def _event(self, line: str, here: int, fold: Fold) -> bool:
        found = cef.parse(line)
        return found is not None and self._take([found.get(name, "") for name in self._names], here, fold)

    def _pairs(self, line: str, here: int, fold: Fold) -> bool:
        found = pairs.parse(line)
        return found is not None and self._take([found.get(name, "") for name in self._names], here, fold)

    def _inside(self, found: Any) -> list[Any]:
        """The records of a JSON value: its items, those that an envelope of the format holds, or itself."""
        if isinstance(found, dict):
            for path in self._spec.within:
                held = _walk(found, path.split("."))
                if isinstance(held, list):
                    return held
        return found if isinstance(found, list) else [found]

    def _take(self, record: Record, here: int, fold: Fold) -> bool:
        """Find the rules of a record and hand their events on. False: none fits, or it has no time."""
        table = self._table
        self.taken = taken = []
        if table is None:
            return False
        at = next((at for place in self._places if (at := self._at(record[place])) is not None), None)
        if at is None:
            return False
        if self._dialogue is not None:
            record = [*record, *self._dialogue.told(record, at, here)]
        for rule in table.rules(record):
            if rule.fits is None or rule.fits(record):
                taken.append(rule.name)
                if rule.is_line and self._dialogue is not None:
                    for then, there in self._dialogue.before:
                        rule.make(record, then, self._host, there, fold)
                own = self._at(record[rule.time]) if rule.time is not None else None
                rule.make(record, at if own is None else own, self._host, here, fold)
                if not rule.more:
                    break
        if taken:  # an export may begin with the newest
            self.counters.last_at = max(at, self.counters.last_at or at)
        return bool(taken)

    def _host(self, raw: str) -> str:
        return str(self._hosts.name(raw)) if raw else self._file_host

    def _at(self, cell: Cell) -> float | None:
        if not isinstance(cell, str):
            return None
        stamp = self._stamps.iso(cell)
        if stamp is not None and (self._json or cell[stamp[1] :].strip() in ("", "UTC", "GMT")):
            return stamp[0]  # a line of text with as many commas as there are columns may begin with one too
        date = _JSON_DATE.fullmatch(cell)
        if date is not None:
            return int(date.group(1)) / 1000
        if _DECIMAL.fullmatch(cell):
            return float(cell)
        slashed = _SLASHED.fullmatch(cell)
        if slashed is not None:
            year, month, day, clock = slashed.groups()
            return epoch(f"{year}-{month}-{day}T{clock}Z")
        if len(cell) >= 40 or not cell.isascii():
            return None
        whole = epoch(cell, self._stamps.zone)
        found = self._stamps.any(cell) if whole is None and self._format.framing != "csv" else None
        return found[0] if found is not None and found[1] == len(cell) else whole


def _decoded(text: str) -> Any:
    """A JSON value, also one whose line ends were written as a backslash and an n; None for what is none."""
    for form in (text, text.replace("\\n", "\n")):
        try:
            return json.loads(form, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _cells(line: str) -> Record | None:
    """The cells of a CSV record; None for what is none."""
    if '"' not in line:
        return [*line.split(",")]
    try:
        return [*next(csv.reader([line]), [])]
    except csv.Error:
        return None


def _is_open(text: str) -> bool:
    """Whether a CSV record ends inside a quoted cell. Quotes in the middle of a cell are text."""
    try:
        for _ in csv.reader([text], strict=True):
            pass
    except csv.Error as fault:
        return "unexpected end of data" in str(fault)
    return False


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
