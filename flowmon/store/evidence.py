"""Evidence: the raw lines of a message, by position; their text where the store keeps it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flowmon.model.answers import Evidence
from flowmon.model.flow import Flow
from flowmon.store.batch import FileRow
from flowmon.store.rows import Rows
from flowmon.store.schema import ROW_BITS

Ask = Callable[[str, Any], list[Any]]
"""Runs one query and gives its rows."""

_KEPT_LIMIT = 500_000

MASK = (1 << ROW_BITS) - 1


def of(flow: Flow, ask: Ask) -> list[Evidence]:
    """The lines of a flow: hop by hop, in the order of each file."""
    files = {r[0]: (r[1], r[2]) for r in ask("SELECT number, path, host FROM files", ())}
    kept = dict(ask("SELECT position, text FROM lines WHERE message = ?", (flow.id,)))
    found = []
    for hop in flow.hops:
        for position in sorted(set(hop.evidence)):
            path, _ = files.get(position >> ROW_BITS, ("", None))
            text = kept.get(position)
            if text is None:
                text = _from_block(position, ask)
            found.append(Evidence(at=None, host=hop.host, path=path, offset=position & MASK, text=text))
    return found


def _from_block(position: int, ask: Ask) -> str | None:
    """The line at a position of a source that cannot be read again."""
    rows = ask(
        "SELECT position, length, body FROM blocks WHERE position <= ? ORDER BY position DESC LIMIT 1", (position,)
    )
    if not rows or position >= rows[0][0] + rows[0][1]:
        return None
    data = zlib.decompress(rows[0][2])
    start = position - rows[0][0]
    end = data.find(b"\n", start)
    return data[start : end if end >= 0 else len(data)].decode("utf-8", "replace").rstrip("\r")


def read_line(line: Evidence) -> str | None:
    """The text of a line, read from its log again; None when the log is gone, packed, or was rotated away."""
    try:
        with open(line.path, "rb") as log:
            log.seek(line.offset - 1 if line.offset else 0)
            if line.offset and log.read(1) != b"\n":
                return None
            data = log.readline(65_536)
    except OSError:
        return None
    return data.rstrip(b"\r\n").decode("utf-8", "replace") or None


class RawLines:
    """Reads raw lines by position, to keep those of messages with a problem: their log may be gone some day."""

    def __init__(self, files: Iterable[FileRow]) -> None:
        self._paths: dict[int, str] = {}
        self._kept: set[int] = set()
        self.add(files)

    def add(self, files: Iterable[FileRow]) -> None:
        """Take files that positions point into."""
        self._paths.update({f.number: f.path for f in files})

    def of_failures(self, rows: Iterable[Rows], flows: Mapping[int, Flow]) -> list[tuple[int, int, str]]:
        """(position, row, text) of the lines of messages with a problem that were not kept yet."""
        found: list[tuple[int, int, str]] = []
        if len(self._kept) > _KEPT_LIMIT:
            self._kept.clear()  # the store ignores what it has already
        for one in rows:
            flow = flows.get(one.id) if one.failures else None
            for hop in flow.hops if flow is not None else ():
                for position in hop.evidence:
                    if position not in self._kept and flow is not None:
                        self._kept.add(position)
                        text = self._read(position)
                        if text is not None:
                            found.append((position, flow.id, text))
        return found

    def _read(self, position: int) -> str | None:
        path = self._paths.get(position >> ROW_BITS)
        if path is None:
            return None
        return read_line(Evidence(at=None, host="", path=path, offset=position & MASK, text=None))
