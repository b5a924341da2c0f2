"""Log facts by host and minute, with pflogsumm's names: counted as lines come, whatever messages they fold into."""

from __future__ import annotations

FACTS = (
    "received", "delivered", "forwarded", "deferred", "deferrals", "bounced", "rejected", "reject_warnings", "held",
    "discarded", "bytes_received", "bytes_delivered", "relayed",
)
"""Names of the counters. `relayed` counts those of `delivered` that went to another host."""


class HostFacts:
    """The counters of one host for the minute that is running."""

    __slots__ = (*FACTS, "_done", "begins", "ends", "host")

    def __init__(self, host: str, done: dict[tuple[int, str, str], int]) -> None:
        self.host = host
        self.begins = self.ends = 0.0
        self._done = done
        self._zero()

    def _zero(self) -> None:
        self.received = self.delivered = self.forwarded = self.deferred = self.deferrals = self.bounced = 0
        self.rejected = self.reject_warnings = self.held = self.discarded = self.relayed = 0
        self.bytes_received = self.bytes_delivered = 0

    def turn(self, at: float) -> None:
        """Put the running minute away, and begin the one of `at` (epoch seconds)."""
        self.put_away()
        minute = int(at // 60)
        self.begins, self.ends = minute * 60.0, minute * 60.0 + 60.0

    def put_away(self) -> None:
        """Add the counters to what is done, and begin again at zero."""
        minute = int(self.begins // 60)
        for name in FACTS:
            n = getattr(self, name)
            if n:
                key = (minute, self.host, name)
                self._done[key] = self._done.get(key, 0) + n
        self._zero()
