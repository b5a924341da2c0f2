"""The collector in one process: folding and keeping, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf

from flowmon.collecting.folding import Folding
from flowmon.collecting.keeping import Keeper
from flowmon.config import Config
from flowmon.parsing.catalogue import Catalogue
from flowmon.sources import Discovery
from flowmon.store.writer import Writer

COMMIT_SECONDS = 0.08
"""How long what is folded may wait for its commit while lines keep coming."""
BULK_COMMIT_SECONDS = 0.1
"""The same while a collector reads history."""
BATCH_STEPS = 4
"""Chunks of log folded for one batch where a command reads history: not by the clock, so that the same logs have the
same answers each time."""


class Collector:
    """Reads a discovery's streams into a writer's store."""

    def __init__(
        self, writer: Writer, catalogue: Catalogue, discovery: Discovery, config: Config, *, live: bool = False,
        keyed: bool = True, clock: Callable[[], float] = time.time,
    ) -> None:
        self.keeper = Keeper(writer, config, live=live, keyed=keyed)
        self.folding = Folding(catalogue, discovery, config, self.keeper.start(), live=live, final=writer.temporary,
                               clock=clock)
        self._committed = -inf

    def step(self) -> bool:
        """Read and fold one chunk. False: nothing new anywhere."""
        return self.folding.step()

    def due(self, every: float) -> bool:
        """Whether what is folded has waited `every` seconds for its commit."""
        return self.folding.dirty and time.monotonic() - self._committed >= every

    def commit(self, *, settled: bool = False) -> None:
        """Write what changed. Raises StoreError (disk full); the same batch is tried again with the next call."""
        self.keeper.retry()
        self.keeper.keep(self.folding.take(settled=settled))
        self._committed = time.monotonic()

    def waits(self) -> bool:
        """Whether a commit is due though nothing new was folded."""
        return self.keeper.waits()

    def read_all(self, progress: Callable[[int], None] | None = None) -> None:
        """Read every source to its end, and commit: for a temporary store."""
        self.folding.recognise()
        steps = 0
        while self.step():
            steps += 1
            if steps % BATCH_STEPS == 0:
                self.commit(settled=True)
            if progress is not None and steps % 16 == 0:
                progress(sum(s.state.offset for s in self.folding.sources))
        self.commit()
