"""One open log file, plain or compressed, read forward from an offset."""

from __future__ import annotations

import io
import os
import stat
from typing import TYPE_CHECKING

from flowmon.errors import SourceError
from flowmon.sources import packing
from flowmon.sources.faults import explain, not_text
from flowmon.sources.identity import HEAD_BYTES, LINE_BYTES, TAIL_BYTES, FileId, Position, digest
from flowmon.sources.recoded import ENCODING_BYTES, as_utf8, encoding_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


_HOLE_BYTES = 268_435_456
"""How far a log may begin with NULs: what was read of it before it was emptied under its writer."""


class Replaced(Exception):
    """The file no longer holds what was read from it: truncated in place, perhaps filled again."""


class OpenedLog:
    """An open file and how far it was read. `offset` and `head` count decompressed bytes."""

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        facts = os.fstat(fd)
        self.device, self.inode = facts.st_dev, facts.st_ino
        self.offset = 0
        self.head = b""
        self.tail = b""
        self.skipping = False
        """Inside the rest of a clipped line."""
        self.continues = False
        """Opened where a copy of it, read before, ended."""
        self.clipped = 0
        """Lines that lost their end."""
        self.nuls = 0
        """NUL bytes that were passed over between lines."""
        self.damage: str | None = None
        """Why the file ends early."""
        self._fd = fd

    def identity(self) -> FileId:
        """Which file this is, as far as its first bytes are known."""
        return FileId(self.device, self.inode, digest(self.head), len(self.head))

    def position(self) -> Position:
        """Where the next unread byte is."""
        return Position(self.identity(), self.offset, digest(self.tail), self.modified_ns())

    def peek(self, limit: int) -> bytes:
        """Up to `limit` unread bytes, without moving. Raises Replaced; OSError if the disk fails."""
        raise NotImplementedError

    def take(self, data: bytes) -> None:
        """Move behind `data`, which `peek` gave."""
        self.offset += len(data)
        self.tail = data[-TAIL_BYTES:] if len(data) >= TAIL_BYTES else (self.tail + data)[-TAIL_BYTES:]

    def go_to(self, position: Position) -> bool:
        """From the start of the file to `position`; False if the file does not hold what was read up to there."""
        if not position.file.fits(self.head):
            return False
        window = self._window(position.offset)
        if window is None or digest(window[-TAIL_BYTES:]) != position.tail:
            return False
        self.offset = position.offset
        self.tail = window[-TAIL_BYTES:]
        self.skipping = len(window) == LINE_BYTES - 1 and b"\n" not in window and not window.endswith(b"\0")
        return True

    def _window(self, offset: int) -> bytes | None:
        """The bytes before `offset`, as many as a line may have; None if the file is shorter."""
        raise NotImplementedError

    def remaining(self) -> int:
        """Unread bytes on disk."""
        raise NotImplementedError

    def deleted(self) -> bool:
        """Whether it stands in no folder any more, so that only those who have it open write to it."""
        try:
            return self._fd >= 0 and os.fstat(self._fd).st_nlink == 0
        except OSError:  # its disk is gone; reading tells
            return False

    def modified_ns(self) -> int:
        """When the file was last written, nanoseconds since 1970; 0 if its time does not tell."""
        raise NotImplementedError

    def close(self) -> None:
        """Give the descriptor back. May be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()


class PlainLog(OpenedLog):
    """A file that may grow, be renamed or be truncated while it is open."""

    def peek(self, limit: int) -> bytes:
        data = os.pread(self._fd, limit, self.offset)
        # Checked after the read: had the file been truncated before it, the mark would be gone by now.
        start = self.offset - len(self.tail)
        if self.tail and os.pread(self._fd, len(self.tail), start) != self.tail:
            raise Replaced
        if self.offset < HEAD_BYTES:
            first = os.pread(self._fd, HEAD_BYTES, 0)
            if not first.startswith(self.head):
                raise Replaced
            self.head = first
        return data

    def behind_nuls(self) -> bytes:
        """The first bytes that are none, of a file that begins with many; empty where it holds nothing else."""
        at = 0
        while at < _HOLE_BYTES and (data := os.pread(self._fd, 1_048_576, at)):
            if text := data.lstrip(b"\0"):
                return text[:8192]
            at += len(data)
        return b""

    def restart(self) -> None:
        """Read the file again from its start: it was truncated."""
        self.offset = 0
        self.head = self.tail = b""
        self.skipping = False

    def _window(self, offset: int) -> bytes | None:
        length = min(offset, LINE_BYTES - 1)
        window = os.pread(self._fd, length, offset - length)
        return window if len(window) == length else None

    def remaining(self) -> int:
        return max(0, os.fstat(self._fd).st_size - self.offset)

    def modified_ns(self) -> int:
        return os.fstat(self._fd).st_mtime_ns


class _Raw(io.RawIOBase):
    """The bytes of a descriptor that stays the caller's to close."""

    def __init__(self, fd: int) -> None:
        self._descriptor = fd

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return os.lseek(self._descriptor, offset, whence)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        return os.readv(self._descriptor, [buffer])


class PackedLog(OpenedLog):
    """A compressed file, or one in another encoding. It never changes, so that nothing is checked while reading."""

    def __init__(self, path: str, fd: int, encoding: str | None = None) -> None:
        super().__init__(path, fd)
        raw = io.BufferedReader(_Raw(fd), 131072)
        self._unpacked: io.BufferedIOBase = (
            as_utf8(raw, encoding) if encoding is not None else packing.OPENERS[os.path.splitext(path)[1]](raw)
        )
        self._buffer = b""

    def peek(self, limit: int) -> bytes:
        while len(self._buffer) < limit and self.damage is None:
            try:
                more = self._unpacked.read1(limit - len(self._buffer))  # `read` would lose what precedes damage
            except packing.FAULTS as error:
                self.damage = f"{self.path}: damaged, read up to byte {self.offset + len(self._buffer)} ({error})"
                break
            if not more:
                break
            self._buffer = self._buffer + more if self._buffer else more
        if len(self.head) < HEAD_BYTES and self.offset == 0:
            self.head = self._buffer[:HEAD_BYTES]
        return self._buffer[:limit]

    def take(self, data: bytes) -> None:
        super().take(data)
        self._buffer = self._buffer[len(data) :]

    def _window(self, offset: int) -> bytes | None:
        window = b""
        left = offset
        while left:
            data = self.peek(min(left, 262144))
            if not data:
                return None
            self.take(data)
            left -= len(data)
            window = (window + data)[-(LINE_BYTES - 1) :]
        return window

    def remaining(self) -> int:
        return max(0, os.fstat(self._fd).st_size - os.lseek(self._fd, 0, os.SEEK_CUR))

    def modified_ns(self) -> int:
        return 0  # often the time of the compression

    def close(self) -> None:
        if self._fd >= 0:
            self._unpacked.close()
        super().close()


def open_log(path: str) -> OpenedLog:
    """Open a log at its start, with its head read. An empty file has an empty head. UTF-16 is read as UTF-8.

    Raises SourceError, with path and remedy, when it cannot be read or is no text.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe in its place must not block
    except OSError as error:
        raise SourceError(explain(path, error)) from error
    mode = os.fstat(fd).st_mode
    if not stat.S_ISREG(mode):
        os.close(fd)
        if stat.S_ISDIR(mode):
            raise SourceError(explain(path, IsADirectoryError()))
        raise SourceError(f"{path}: no regular file: name the log file itself")
    packed = path.endswith(packing.ENDINGS)
    log: OpenedLog
    try:
        encoding = None if packed else encoding_of(os.pread(fd, ENCODING_BYTES, 0))
    except OSError as error:
        os.close(fd)
        raise SourceError(explain(path, error)) from error
    log = PackedLog(path, fd, encoding) if packed or encoding else PlainLog(path, fd)
    try:
        block = log.peek(8192)
        if isinstance(log, PlainLog) and len(block) == 8192 and not block.strip(b"\0"):
            block = log.behind_nuls() or block
    except OSError as error:
        log.close()
        raise SourceError(explain(path, error)) from error
    fault = not_text(path, block) or (log.damage if not block else None)
    if fault is not None:
        log.close()
        raise SourceError(fault)
    return log
