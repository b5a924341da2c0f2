"""What one commit writes."""

from __future__ import annotations

from typing import Any

import msgspec

from flowmon.sources.file_names import storable
from flowmon.store.rows import Rows


class SourceState(msgspec.Struct, omit_defaults=True):
    """One source as the store keeps it: how far it is folded, and what it showed."""

    path: str
    host: str | None = None
    format: str | None = None
    position: Any = None
    """Where to go on: a flowmon.sources Position, as plain values."""
    reader: dict[str, Any] = {}
    """What the framing keeps from line to line."""
    offset: int = 0
    size: int = 0
    lag_bytes: int = 0
    lines: int = 0
    unmatched: int = 0
    foreign: int = 0
    last_line_at: float | None = None
    read_at: float | None = None
    lines_per_second: float | None = None
    error: str | None = None
    notice: str | None = None
    samples: list[str] = []

    def __post_init__(self) -> None:
        self.path = storable(self.path)


class FileRow(msgspec.Struct):
    """A file that positions point into."""

    number: int
    path: str
    host: str | None
    body: bytes
    """Its identity: a flowmon.sources FileId, encoded."""

    def __post_init__(self) -> None:
        self.path = storable(self.path)


class Batch(msgspec.Struct):
    """Everything of one commit."""

    rows: list[Rows] = []
    gone: list[int] = []
    facts: list[tuple[int, str, str, int]] = []
    sources: list[SourceState] = []
    files: list[FileRow] = []
    lines: list[tuple[int, int, str]] = []
    blocks: list[tuple[int, int, bytes]] = []
    meta: dict[str, Any] = {}

    def take_in(self, later: Batch) -> None:
        """Put a later batch behind this one, to be written with it."""
        again = {r.id for r in later.rows}.union(later.gone)
        self.rows = [*(r for r in self.rows if r.id not in again), *later.rows]
        self.gone = [*self.gone, *later.gone]
        self.facts = [*self.facts, *later.facts]
        self.sources = [*self.sources, *later.sources]
        self.files = [*self.files, *later.files]
        self.lines = [*self.lines, *later.lines]
        self.blocks = [*self.blocks, *later.blocks]
        self.meta.update(later.meta)
