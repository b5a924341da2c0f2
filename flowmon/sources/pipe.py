"""Standard input, or another pipe, read with the same calls as a log file."""

from __future__ import annotations

import os
import select

from flowmon.sources import faults
from flowmon.sources.faults import not_text
from flowmon.sources.identity import HEAD_BYTES, LINE_BYTES, TAIL_BYTES, Chunk, FileId, Position, digest
from flowmon.sources.lines import first_overlong, nuls


class StdinStream:
    """Lines from a descriptor. It cannot be read twice, so that a position in it only counts."""

    def __init__(self, fd: int = 0, *, key: str = "-", host: str | None = None) -> None:
        self.key = key
        self.host = host
        self.error: str | None = None
        self.notice: str | None = None
        self.clipped = 0
        self.ended = False
        """All that will ever come has been given."""
        self._fd = fd
        self._offset = 0
        self._head = self._tail = b""
        self._buffer = b""
        self._closed_end = False
        self._skipping = False

    @property
    def path(self) -> str:
        """What is being read."""
        return self.key

    @property
    def folders(self) -> set[str]:
        """Nothing to watch."""
        return set()

    @property
    def size(self) -> int:
        """Bytes read so far."""
        return self._offset + len(self._buffer)

    @property
    def lag_bytes(self) -> int:
        """Bytes read and not given yet."""
        return len(self._buffer)

    def fileno(self) -> int:
        """The descriptor, for select."""
        return self._fd

    def seek(self, position: Position | None) -> None:
        """A pipe has no past: says so in `notice` if a place was asked for."""
        if position is not None:
            self.notice = f"{self.key}: a pipe cannot go back to where reading stopped; all that comes is read"

    def position(self) -> Position | None:
        """How much was given; None before the first line."""
        if not self._offset:
            return None
        return Position(self._identity(), self._offset, digest(self._tail))

    def read(self, limit: int = 262144, *, final: bool = False) -> Chunk | None:
        """The next complete lines; None if there is nothing now (see `ended`). Never waits.

        Args:
            final: also give what has come of a line whose end has not.
        """
        while not self.ended:
            ready = self._fill(max(limit, 2 * LINE_BYTES))
            if self.error is not None:
                return None
            chunk = self._cut(limit, final=final or self._closed_end)
            if chunk is not None:
                return chunk
            if self._closed_end and not self._buffer:
                self.ended = True
            elif not ready:
                return None
        return None

    def _fill(self, limit: int) -> bool:
        """Read what is there; False if nothing is."""
        if self._closed_end or len(self._buffer) >= limit or not select.select([self._fd], [], [], 0)[0]:
            return False
        try:
            data = os.read(self._fd, limit - len(self._buffer))
        except BlockingIOError:
            return False
        except OSError as error:
            self.error = f"{self.key}: cannot be read ({error.strerror})"
            self.ended = True
            return False
        if not data:
            self._closed_end = True
            return True
        if len(self._head) < HEAD_BYTES:
            if not self._head and (fault := not_text("standard input" if self.key == "-" else self.key, data)):
                self.error = fault
                self.ended = True
                return False
            self._head = (self._head + data)[:HEAD_BYTES]
        self._buffer = self._buffer + data if self._buffer else data
        return True

    def _cut(self, limit: int, *, final: bool) -> Chunk | None:
        if self._skipping:
            end = self._buffer.find(b"\n") + 1
            self._pass(end or len(self._buffer))
            if not end:
                return None
            self._skipping = False
        while (gap := nuls(self._buffer)) is not None and not gap[0]:
            self.notice = faults.gap(self.key)
            self._pass(gap[1])
        held = self._buffer if gap is None else self._buffer[: gap[0]]
        end = held.rfind(b"\n", 0, limit) + 1 or held.find(b"\n") + 1
        overlong = first_overlong(held, end) if end else -1
        if overlong == 0 or (not end and len(held) >= LINE_BYTES):
            self.notice = faults.cut_line(self.key)
            chunk = Chunk(self.key, self._identity(), self._offset, self._buffer[: LINE_BYTES - 1] + b"\n")
            self._pass(LINE_BYTES - 1)
            self.clipped += 1
            self._skipping = True
            return chunk
        if overlong > 0:
            end = overlong
        torn = b"\n" if not end and gap is not None else b""
        if not end and (final or torn):
            end = len(held)
        if not end:
            return None
        chunk = Chunk(self.key, self._identity(), self._offset, self._buffer[:end] + torn)
        self._pass(end)
        return chunk

    def _pass(self, count: int) -> None:
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        self._offset += len(data)
        self._tail = (self._tail + data[-TAIL_BYTES:])[-TAIL_BYTES:]

    def _identity(self) -> FileId:
        facts = os.fstat(self._fd)
        return FileId(facts.st_dev, facts.st_ino, digest(self._head), len(self._head))

    def close(self) -> None:
        """Give the descriptor back, unless it is standard input."""
        if self._fd > 2:
            os.close(self._fd)
        self._fd = -1
        self.ended = True
