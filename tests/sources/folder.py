"""A log folder whose files are written and rotated as syslog and logrotate do it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from flowmon.sources import Chunk, LogStream
from flowmon.sources.packing import zstd


def _zstd(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zstd.ZstdFile(packed, "w") as file:
        file.write(data)
    return packed.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": _zstd,
}  # fmt: skip


class LogFolder:
    """mail.log in a folder, with the moves of a log rotation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.live = folder / "mail.log"
        self._count = 0
        self._streams: list[LogStream] = []

    def stream(self, name: str = "mail.log") -> LogStream:
        stream = LogStream(str(self.folder / name))
        self._streams.append(stream)
        return stream

    def line(self) -> bytes:
        """A line that no other is like."""
        self._count += 1
        return b"Nov 24 10:00:00 mx1 postfix/qmgr[%07d]: one more line\n" % self._count

    def append(self, count: int = 1, path: Path | None = None) -> bytes:
        data = b"".join(self.line() for _ in range(count))
        with (path or self.live).open("ab") as log:
            log.write(data)
        return data

    def rotate(self) -> None:
        """By rename, without a new file: that comes with the next append."""
        self._shift()
        if self.live.exists():
            self.live.rename(self.folder / "mail.log.1")

    def copytruncate(self) -> None:
        self._shift()
        shutil.copy(self.live, self.folder / "mail.log.1")
        os.truncate(self.live, 0)

    def pack(self, number: int, ending: str = ".gz") -> None:
        plain = self.folder / f"mail.log.{number}"
        packed = plain.with_name(plain.name + ending)
        packed.write_bytes(PACKERS[ending](plain.read_bytes()))
        plain.unlink()

    def _shift(self) -> None:
        for number in range(40, 0, -1):
            for ending in ("", *PACKERS):
                old = self.folder / f"mail.log.{number}{ending}"
                if old.exists():
                    old.rename(self.folder / f"mail.log.{number + 1}{ending}")

    def close(self) -> None:
        for stream in self._streams:
            stream.close()


def take(stream: LogStream, *, final: bool = False, limit: int = 262144) -> bytes:
    return b"".join(chunk.data for chunk in take_chunks(stream, final=final, limit=limit))


def take_chunks(stream: LogStream, *, final: bool = False, limit: int = 262144) -> list[Chunk]:
    found = []
    while (chunk := stream.read(limit, final=final)) is not None:
        found.append(chunk)
    return found
