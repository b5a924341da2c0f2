"""Writing answers: JSON lines, CSV that no spreadsheet runs, and text that no terminal obeys."""

from __future__ import annotations

import csv
import os
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import msgspec

Format = Literal["jsonl", "csv", "text"]
ReportForm = Literal["text", "markdown", "json"]

_ALIVE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def clean(text: str) -> str:
    """Text without anything that a terminal would act on: control characters and changes of direction become `�`."""
    return _ALIVE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\t", " ").replace("\n", " "))


def clean_lines(text: str) -> str:
    """The same for a text of several lines, which stay."""
    return "\n".join(map(clean, text.split("\n")))


def cell(value: Any) -> str:
    """A CSV cell that a spreadsheet takes as text: what would begin a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, (list, tuple)):
        return cell(" ".join(str(v) for v in value))
    if isinstance(value, (int, float)):
        return str(value)
    text = clean(str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text


def jsonl(answers: Iterable[Any], out: TextIO | None = None) -> int:
    """One JSON object a line; gives how many. A reader that went away (`| head`) ends it quietly."""
    stream = (out or sys.stdout).buffer
    encode = msgspec.json.Encoder().encode
    to_terminal = sys.stdout.isatty()
    count = 0
    for answer in answers:
        line = encode(answer)
        if to_terminal:
            line = _ALIVE.sub(lambda m: f"\\u{ord(m.group()):04x}", line.decode()).encode()
        stream.write(line + b"\n")
        count += 1
    stream.flush()
    return count


def table_csv(header: Sequence[str], rows: Iterable[Sequence[Any]], out: TextIO) -> int:
    """CSV with a header line; gives how many rows."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    count = 0
    for row in rows:
        writer.writerow([cell(v) for v in row])
        count += 1
    return count


def columns(header: Sequence[str], rows: Sequence[Sequence[str]], flexible: int = -1) -> None:
    """A text table, as wide as the terminal when there is one; the flexible column takes what is left."""
    cells = [[clean(c) for c in row] for row in rows]
    widths = [max([len(h), *(len(row[i]) for row in cells)]) for i, h in enumerate(header)]
    if sys.stdout.isatty():
        room = os.get_terminal_size().columns - sum(widths) - 2 * (len(widths) - 1)
        widths[flexible] = max(widths[flexible] + min(room, 0), 12)
    for row in [list(header), *cells]:
        line = "  ".join(_fit(c, w) for c, w in zip(row, widths, strict=True))
        print(line.rstrip())


def _fit(text: str, width: int) -> str:
    return cut(text, width).ljust(width)


def cut(text: str, width: int) -> str:
    """Text of so many characters at most; `…` stands for the rest."""
    return text if len(text) <= width else text[: width - 1] + "…"


def clock(at: datetime | None) -> str:
    """Local date and time to the second."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if at is not None else "-"


def span(seconds: float | None) -> str:
    """A span in words of a clock: 0.4s, 12s, 3m12s, 2h05m, 3d04h."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if not minutes:
        return f"{rest}s"
    if not hours:
        return f"{minutes}m{rest:02d}s"
    return f"{hours}h{minutes_left:02d}m" if not days else f"{days}d{hours_left:02d}h"
