"""Names for files and places in them that outlive renaming, compression and restarts."""

from __future__ import annotations

import hashlib

import msgspec

HEAD_BYTES = 256
"""How many first bytes of a file tell it from others."""

TAIL_BYTES = 64
"""How many bytes before an offset prove that the file is still what was read."""

LINE_BYTES = 65536
"""The longest line kept whole, in bytes with its line end."""


def digest(data: bytes) -> str:
    """A short hash of `data` (16 hex digits)."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()


class FileId(msgspec.Struct, frozen=True):
    """Which file it is. While a file is shorter than 256 bytes its head grows with it: compare by `fits`, not `==`."""

    device: int
    inode: int
    head: str
    """Hash of the first `head_length` bytes, decompressed."""
    head_length: int

    def fits(self, first_bytes: bytes) -> bool:
        """Whether a file that begins with `first_bytes` can be this one, or a copy of it."""
        return len(first_bytes) >= self.head_length and digest(first_bytes[: self.head_length]) == self.head


class Position(msgspec.Struct, frozen=True):
    """A place between two lines of a file: everything before it was read."""

    file: FileId
    offset: int
    """Bytes from the start of the decompressed file."""
    tail: str
    """Hash of the up to 64 bytes before the offset."""
    modified_ns: int = 0
    """When that file was last written, nanoseconds since 1970 (0: unknown). If the file is gone, whatever was last
    written before this had been read already."""


class Chunk(msgspec.Struct, frozen=True):
    """Complete lines from one file, with their line ends as they stood there.

    Only the last line of a file that ends without a line end comes without one. A clipped line is a chunk of its own.
    """

    path: str
    file: FileId
    offset: int
    """Of `data[0]`, bytes from the start of the decompressed file."""
    data: bytes
