"""What goes from folding to keeping, and back from a store at the start."""

from __future__ import annotations

import msgspec

from flowmon.model.flow import Heard, Hop, Trouble
from flowmon.store.batch import FileRow, SourceState


class Folded(msgspec.Struct, array_like=True):
    """What was folded since the last batch, with the positions that it reaches to."""

    hops: list[Hop]
    late: list[Heard]
    """What filters said of hops that may have been let go."""
    facts: list[tuple[int, str, str, int]]
    """(minute, host, name, count)."""
    now: float
    """Time of the newest line, epoch seconds."""
    serial: int
    pending: bytes
    """What the tracker keeps beside hops."""
    seen: dict[str, bytes]
    """By host that several logs tell of: what was told of late."""
    sources: list[SourceState]
    files: list[FileRow]
    blocks: list[tuple[int, int, bytes]]
    notices: list[str]
    troubles: list[Trouble]


class Start(msgspec.Struct):
    """Where a store stands, for folding to go on."""

    serial: int = 0
    now: float = 0.0
    pending: bytes = b""
    seen: dict[str, bytes] = {}
    hops: list[Hop] = []
    sources: dict[str, SourceState] = {}
    files: list[FileRow] = []
    troubles: list[Trouble] = []
