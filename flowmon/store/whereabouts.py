"""Where a file that positions point into stands now: logs are renamed when they are rotated, and packed later."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import partial
from typing import IO

import msgspec

from flowmon.sources import FileId
from flowmon.sources.family import Family, Moved, place
from flowmon.sources.file_names import original, storable
from flowmon.sources.packing import FAULTS, OPENERS
from flowmon.sources.recoded import recoded

_TELLING_BYTES = 64
"""So many first bytes tell a copy; fewer could be those of any log."""


def is_packed(path: str) -> bool:
    """Whether a file must be unpacked to be read."""
    return os.path.splitext(path)[1] in OPENERS


def open_bytes(path: str) -> IO[bytes]:
    """A log, unpacked and as UTF-8 while it is read. Raises OSError."""
    path = original(path)
    opener = OPENERS.get(os.path.splitext(path)[1], partial(open, mode="rb"))
    return recoded(opener(path))


def find(path: str, body: bytes) -> str | None:
    """The path at which a file stands now; None when another file has its place and it is not beside it.

    Args:
        path: where it stood.
        body: its identity, an encoded FileId.
    """
    found = _find(original(path), msgspec.msgpack.decode(body, type=FileId))
    return storable(found) if found is not None else None


def _find(path: str, file: FileId) -> str | None:
    try:
        facts = os.stat(path)
    except OSError:
        facts = None
    if facts is None and not os.path.isabs(path):
        return path  # standard input
    if facts is not None and not stat.S_ISREG(facts.st_mode):
        return path
    candidates = [(path, facts.st_dev, facts.st_ino)] if facts is not None else []
    candidates += _siblings(path)
    for one, device, inode in candidates:
        if (device, inode) == (file.device, file.inode) and _fits(file, one):
            return one
    # a copy (copytruncate, a compressor, a restored backup) is another file that begins alike
    if file.head_length >= _TELLING_BYTES:
        return next((one for one, _, _ in candidates if _fits(file, one)), None)
    return None


def _siblings(path: str) -> Iterator[tuple[str, int, int]]:
    folder, name = os.path.split(path)
    try:
        for member in Family(folder, place(name).family).members():
            if member.path != path:
                yield member.path, member.device, member.inode
    except (OSError, Moved):
        return


def _fits(file: FileId, path: str) -> bool:
    try:
        with open_bytes(path) as log:
            return file.fits(log.read(file.head_length))
    except PermissionError:
        return True  # whether it is the one cannot be seen; who reads it is told why it cannot be
    except FAULTS:
        return False
