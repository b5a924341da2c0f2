"""`flowmon parsers new` for records: a parser file to begin with, made from rows of CSV, JSON, CEF or `key=value`."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from flowmon.parsing import cef, pairs
from flowmon.parsing.check import read_one
from flowmon.parsing.format import Format, FormatSpec

MOST_RULES = 12
_LEAST_COLUMNS = 3
_DEEPEST = 4
_TIMES = ("at", "logged", "@timestamp", "timestamp", "datetime", "date_time", "date-time", "time", "date", "ts")
_HOSTS = ("host", "hostname", "host.name", "logger", "server", "node")
_TELLING = re.compile(
    r"(?:^|[._-])(?:event|action|operation|kind|type|status|result|verdict|disposition)", re.IGNORECASE
)
"""Columns that are likely to say what a record tells of."""


class Row(NamedTuple):
    """A record with its line."""

    line: str
    cells: dict[str, str]


class Rows(NamedTuple):
    """The records of a log."""

    framing: str
    rows: list[Row]
    columns: list[str]
    """csv: all in their order."""


def record_skeleton(name: str, lines: Sequence[str]) -> str:
    """A parser file that holds, with a rule for each sort of record, which it sets aside until a person says what they
    mean; "" where the lines are no records, or none of their columns is a time that flowmon reads."""
    found = _rows([line for line in lines if line.strip()])
    if found is None:
        return ""
    names = list(dict.fromkeys(key for row in found.rows for key in row.cells))
    ranked = sorted(names, key=lambda one: _TIMES.index(one.lower()) if one.lower() in _TIMES else len(_TIMES))
    for time in ranked[:60]:
        text = _text(name, found, names, time)
        if _holds(text):
            return text
    return ""


def _holds(text: str) -> bool:
    format = Format(msgspec.convert(tomllib.loads(text), FormatSpec), Path("new.toml"), trusted=True)
    return all(rule.name in read_one(format, rule.sample[0].line)[1] for rule in format.spec.rule)


def _rows(lines: list[str]) -> Rows | None:
    """The records of the lines, by the framing in which at least half of the lines are some."""
    for framing, parse in (("json", _json), ("cef", cef.parse), ("pairs", pairs.parse)):
        rows = [Row(line.strip(), dict(cells)) for line in lines if (cells := parse(line.strip()))]
        if rows and len(rows) * 2 >= len(lines):
            return Rows(framing, rows, [])
    return _csv(lines)


def _json(line: str) -> dict[str, str] | None:
    try:
        record = json.loads(line.removesuffix(","))
    except (ValueError, RecursionError):
        return None
    return dict(_flat(record, "")) if isinstance(record, dict) else None


def _flat(record: dict[str, Any], front: str) -> Iterator[tuple[str, str]]:
    for key, value in record.items():
        if isinstance(value, dict) and front.count(".") < _DEEPEST:
            yield from _flat(value, f"{front}{key}.")
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            yield front + key, str(value)


def _csv(lines: list[str]) -> Rows | None:
    """Rows under a row of names: `#Fields: a,b,c`, or the first of the file."""
    names: list[str] = []
    rows = []
    for line in lines:
        if line[:8].lower() == "#fields:":
            names = line[8:].strip().split(",")
            continue
        if line.startswith("#"):
            continue
        cells = next(csv.reader([line]), [])
        if not names:
            names = [cell.strip() for cell in cells]
        elif len(cells) == len(names):
            rows.append(Row(line, {key: cell for key, cell in zip(names, cells, strict=True) if cell}))
    plain = all(re.fullmatch(r"[A-Za-z_#][\w .#()/-]*", name) for name in names) and len(set(names)) == len(names)
    if len(names) < _LEAST_COLUMNS or not plain or not rows or len(rows) * 2 < len(lines) - 1:
        return None
    return Rows("csv", rows, names)


def _text(name: str, found: Rows, names: list[str], time: str) -> str:
    rows = [row for row in found.rows if row.cells.get(time) and "'''" not in row.line and row.line.isprintable()]
    tells = _telling(rows, names, time)
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.cells.get(tells, "") if tells else "", []).append(row)
    out = [
        f"# What the records of {name} mean: begun from {len(rows)} of them. The grammar: docs/parsers.md, Records.",
        "# Each rule sets its records aside. Where a record tells of a message, take `ignore` away, say what it is,",
        "# and which columns fill the fields of the kind:",
        '#   kind = "attempt"     (or "arrival": it came, "refusal", "verdict", "ended", …)',
        '#   fields = { queue_id = "COLUMN", recipient = "COLUMN", status = "COLUMN", diagnostic = "COLUMN" }',
        '#   map.status = { WORD = "relayed", "*" = "bounced" }',
        "# Say in `expect` what must come of the sample. Prove it:",
        "#   flowmon parsers check FILE      flowmon parsers explain LINE      flowmon parsers coverage LOG",
        "#",
        "# The columns, each with a value:",
    ]
    for column in names[:80]:
        value = next((row.cells[column] for row in rows if row.cells.get(column)), "")
        out.append(f"#   {column:24} {value[:80] if value.isprintable() else ''}".rstrip())
    out += [f'name = "{name}"', f'framing = "{found.framing}"', f"time = {_quoted(time)}"]
    host = next((column for column in names if column.lower() in _HOSTS and column != time), None)
    out += [f"host = {_quoted(host)}"] if host is not None else []
    out += [f"columns = [{', '.join(_quoted(column) for column in found.columns)}]"] if found.columns else []
    out.append("ends = false")
    for number, (value, ones) in enumerate(sorted(groups.items(), key=lambda group: -len(group[1]))[:MOST_RULES], 1):
        column, wanted = (tells, re.sub(r"([*?\[])", r"[\1]", value)) if tells and value else (time, "?*")
        out += [
            "", "[[rule]]", f"# {len(ones)} of the records", f'name = "sort-{number}"',
            'ignore = "not looked at yet: say what it means"', f"when = {{ {_quoted(column)} = {_quoted(wanted)} }}",
            "[[rule.sample]]", f"line = {_literal(ones[0].line)}",
        ]  # fmt: skip
    return "\n".join(out) + "\n"


def _telling(rows: list[Row], names: list[str], time: str) -> str | None:
    """The column whose few values tell the sorts of records apart."""
    best: tuple[bool, int, str] | None = None
    for column in names:
        if column == time:
            continue
        values = Counter(row.cells[column] for row in rows if row.cells.get(column))
        likely = _TELLING.search(column) is not None
        few = 2 <= len(values) <= MOST_RULES and all(len(value) <= 60 and value.isprintable() for value in values)
        if not few or values.total() * 10 < len(rows) * 9 or (len(values) == len(rows) and not likely):
            continue
        if best is None or (likely, len(values)) > best[:2]:
            best = (likely, len(values), column)
    return best[2] if best is not None else None


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _literal(line: str) -> str:
    return f"'{line}'" if "'" not in line else f"'''{line}'''"
