"""Records: CSV with `#Fields` (columns by name) and JSON lines."""

from __future__ import annotations

from typing import Any

from flowmon.parsing.dispatch import Fold
from flowmon.parsing.format import Format
from flowmon.parsing.reader import Counters, decoded
from flowmon.parsing.stamps import Stamps


class RecordReader:
    """Reads the records of one log. (Grows with the Exchange formats.)"""

    def __init__(self, format: Format, hosts: Any, stamps: Stamps, host: str) -> None:
        self.counters = Counters()
        self._format = format

    def feed(self, data: bytes, base: int, fold: Fold) -> None:
        """Read a chunk of whole lines; `base` is the position of its first byte."""
        lines, _ = decoded(data)
        self.counters.lines += len(lines)
        self.counters.unmatched += len(lines)
