"""Evidence: the raw lines of a message, by position; their text where the store keeps it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from flowmon.model.answers import Evidence
from flowmon.model.flow import Flow
from flowmon.store.schema import ROW_BITS

Ask = Callable[[str, Any], list[Any]]
"""Runs one query and gives its rows."""

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
    rows = ask("SELECT position, length, body FROM blocks WHERE position <= ? ORDER BY position DESC LIMIT 1", (position,))
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
