"""Reads golden runs as their logs grow, piece by piece, into a store that stays; the collector may be killed."""

from __future__ import annotations

import os
from pathlib import Path

from flowmon.collecting import Collector
from flowmon.commands import opening
from flowmon.config import Config
from flowmon.parsing.catalogue import Catalogue
from flowmon.sources import discover
from flowmon.store.writer import Writer
from tests.golden import reading


class Growing:
    """Logs of a run that grow piece by piece, each file by turns, whatever lines the pieces cut."""

    def __init__(self, name: str, folder: Path) -> None:
        source = reading.FOLDER / name / "logs"
        self._written_at = reading.written_at(name)
        self.logs = folder / "logs"
        self._parts: list[tuple[Path, bytes]] = []
        self._done: dict[Path, int] = {}
        for path in reading.files(source):
            target = self.logs / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
            self._parts.append((target, path.read_bytes()))
            self._done[target] = 0

    def grow(self, size: int) -> bool:
        """Append so many bytes to each file; False when all is written."""
        grown = [self._append(path, data, size) for path, data in self._parts]
        return any(grown)

    def grow_one(self, which: int, size: int) -> bool:
        """Append so many bytes to one file, counted round and round; False when all of it is written."""
        return self._append(*self._parts[which % len(self._parts)], size)

    def _append(self, path: Path, data: bytes, size: int) -> bool:
        start = self._done[path]
        piece = data[start : start + size]
        if not piece:
            return False
        with path.open("ab") as log:
            log.write(piece)
        os.utime(path, (self._written_at, self._written_at))
        self._done[path] = start + len(piece)
        return True


class Live:
    """A collector on a store, as `flowmon collect` makes it; it may be dropped at any moment."""

    def __init__(self, catalogue: Catalogue, store: Path, logs: Path) -> None:
        self.writer = Writer(store)
        self._discovery = discover([str(logs)])
        self.collector = Collector(self.writer, catalogue, self._discovery, Config(), live=True)
        self.collector.folding.recognise()

    def fold(self, steps: int | None = None) -> None:
        """Read what is new: all of it, or so many chunks."""
        self.collector.folding.look_again()
        while (steps is None or steps > 0) and self.collector.step():
            steps = None if steps is None else steps - 1

    def commit(self) -> None:
        """Write what is folded."""
        self.collector.commit()

    def end(self) -> None:
        """What the death of its process does: nothing is written; locks and open files go."""
        self.writer.close()
        self._discovery.close()


def builtin() -> Catalogue:
    """The formats that come with flowmon."""
    return opening.catalogue(Config())
