"""How far the collector has read, and how long the rest will take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from flowmon.store.protocol import Reader
from flowmon.tui.widgets.header import Pulse

BACKLOG_BYTES = 65_536
"""Less than this is no backlog: it is read within a moment."""
SPAN_SECONDS = 10.0
"""The pace is that of so long before now."""


class Progress:
    """Remembers how the backlog shrinks."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque(maxlen=200)

    def pulse(self, reader: Reader) -> Pulse:
        """The health, and while history is read the share of it that is done, and the time that is left."""
        health = reader.health()
        if health.backlog_bytes < BACKLOG_BYTES:
            self._seen.clear()
            return Pulse(health)
        whole = sum(source.size for source in reader.sources())
        read = max(0.0, 1 - health.backlog_bytes / whole) if whole else None
        return Pulse(health, read, self._left(health.backlog_bytes) if read is not None else None)

    def _left(self, backlog: int) -> float | None:
        now = self._clock()
        while self._seen and now - self._seen[0][0] > SPAN_SECONDS:
            self._seen.popleft()
        self._seen.append((now, backlog))
        then, before = self._seen[0]
        done = before - backlog
        return backlog * (now - then) / done if now - then >= 1.0 and done > 0 else None
