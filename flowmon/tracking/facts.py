"""Log facts by host and minute, with pflogsumm's names: counted as lines come, whatever messages they fold into."""

from __future__ import annotations

from flowmon.model.flow import Flow

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


def of_flow(flow: Flow) -> dict[str, int]:
    """The same counts, made from one message.

    For totals of a part of the mail, where log facts cannot be told apart.
    """
    counts = dict.fromkeys(FACTS, 0)
    for hop in flow.hops:
        if hop.refused is not None:
            if hop.refused not in ("AUTH", "LMTP"):
                times = [one.count for fate in hop.fates.values() for one in (fate, *(fate.earlier or ()))]
                counts["rejected"] += max(sum(times), 1)
            continue
        if hop.began:
            counts["received"] += 1
            counts["bytes_received"] += hop.size or 0
        counts["held"] += hop.holds
        deferrals = 0
        for fate in hop.fates.values():
            tries = [(t.status, t.count) for t in fate.earlier or ()] + [(fate.status, fate.count)]
            for status, count in tries:
                name = _NAMES.get(status or "")
                if name is not None:
                    counts[name] += count
                if name == "delivered":
                    counts["bytes_delivered"] += (hop.size or 0) * count
                deferrals += count if name == "deferrals" else 0
        counts["deferred"] += bool(deferrals)
    return counts


_NAMES = {
    "delivered": "delivered", "relayed": "delivered", "deferred": "deferrals", "bounced": "bounced",
    "expired": "bounced", "rejected": "rejected", "discarded": "discarded",
}
