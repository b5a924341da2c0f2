"""Evidence: the raw lines of a message, by position; their text where the store keeps it."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

from flowmon.model.answers import Evidence
from flowmon.model.flow import Flow
from flowmon.sources.file_names import original
from flowmon.sources.packing import FAULTS
from flowmon.store import whereabouts
from flowmon.store.batch import FileRow
from flowmon.store.rows import Rows, decode
from flowmon.store.schema import ROW_BITS

Ask = Callable[[str, Any], list[Any]]
"""Runs one query and gives its rows."""

ROTATED_AWAY = " (rotated away)"
"""Behind the path of a file that another one has taken the place of: what stands there now is no evidence."""

_KEPT_LIMIT = 20_000
_LONGEST = 65_536

MASK = (1 << ROW_BITS) - 1


def of(flow: Flow, ask: Ask, unpack: Callable[[bytes], bytes]) -> list[Evidence]:
    """The lines of a flow: hop by hop, in the order of each file, each once, at the path where its file stands now."""
    rows = ask("SELECT position, text FROM lines WHERE message = ?", (flow.id,))
    kept = {position: unpack(text).decode() for position, text in rows}
    paths: dict[int, str] = {}
    found = []
    shown: set[int] = set()
    for hop in flow.hops:
        for position in sorted(set(hop.evidence) - shown):
            shown.add(position)
            number = position >> ROW_BITS
            if number not in paths:
                paths[number] = _path(number, ask)
            text = kept.get(position)
            if text is None:
                text = _from_block(position, ask)
            found.append(Evidence(at=None, host=hop.host, path=paths[number], offset=position & MASK, text=text))
    return found


def _path(number: int, ask: Ask) -> str:
    rows = ask("SELECT path, body FROM files WHERE number = ?", (number,))
    if not rows:
        return ""
    path, body = rows[0]
    return whereabouts.find(path, body) or (path + ROTATED_AWAY if os.path.lexists(original(path)) else path)


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
    """The text of a line, read from its log again; None when the log is gone."""
    try:
        with whereabouts.open_bytes(line.path) as log:
            return _line_at(log, line.offset)
    except FAULTS:
        return None


def _line_at(log: IO[bytes], offset: int) -> str | None:
    """The line that begins at an offset; None where none begins. Raises what reading raises."""
    log.seek(max(0, offset - 1))
    if offset and log.read(1) not in b"\n\0":  # behind NULs that a power failure left begins a line too
        return None
    return log.readline(_LONGEST).partition(b"\0\0")[0].rstrip(b"\r\n").decode("utf-8", "replace") or None


def rehome(lines: Iterable[int], rows: Iterable[Rows]) -> list[tuple[int, int]]:
    """(row, position) of kept lines that another row has now: that of the message which theirs was merged into."""
    homeless = set(lines)
    found = []
    for one in rows:
        for hop in decode(one.id, one.body).hops:
            found += [(one.id, position) for position in homeless.intersection(hop.evidence)]
    return found


class RawLines:
    """Reads raw lines by position, to keep those of messages with a problem: their log may be gone some day."""

    def __init__(self, files: Iterable[FileRow]) -> None:
        self._files: dict[int, FileRow] = {}
        self._kept: set[int] = set()
        self.add(files)

    def add(self, files: Iterable[FileRow]) -> None:
        """Take files that positions point into."""
        self._files.update({f.number: f for f in files})

    def of_failures(self, rows: Iterable[Rows], flows: Mapping[int, Flow]) -> list[tuple[int, int, str]]:
        """(position, row, text) of the lines of messages with a problem that were not kept yet."""
        if len(self._kept) > _KEPT_LIMIT:
            self._kept.clear()  # the store ignores what it has already
        wanted: dict[int, dict[int, int]] = {}
        for one in rows:
            flow = flows.get(one.id) if one.failures else None
            for hop in flow.hops if flow is not None else ():
                for position in hop.evidence:
                    if position not in self._kept:
                        wanted.setdefault(position >> ROW_BITS, {})[position] = one.id
        found: list[tuple[int, int, str]] = []
        for number, positions in wanted.items():
            self._kept.update(positions)
            found += self._read(number, positions)
        return found

    def _read(self, number: int, positions: Mapping[int, int]) -> list[tuple[int, int, str]]:
        """Of one file, opened once. A packed one is left to be unpacked when a line is asked for."""
        file = self._files.get(number)
        path = whereabouts.find(file.path, file.body) if file is not None else None
        if path is None or whereabouts.is_packed(path):
            return []
        found = []
        try:
            with whereabouts.open_bytes(path) as log:
                for position in sorted(positions):
                    text = _line_at(log, position & MASK)
                    if text is not None:
                        found.append((position, positions[position], text))
        except OSError:  # gone since
            pass
        return found
