"""The same line read from two logs of one host (mail.log and mail.info, or other header forms) counts once."""

from __future__ import annotations

import hashlib

import msgspec

KEPT_SECONDS = 600
"""How far behind the newest line of a host another log may be, in time of the log."""
STORED_SECONDS = 120
"""How much of it a store keeps for a restart."""

LATE_SECONDS = 0.25
"""How much later the journal may have got a line than its program stamped it, in whole seconds, for syslog."""

Told = dict[int, dict[bytes, dict[str, int]]]
"""Second, line, log to how often that log told the line in that second."""


class Seen:
    """Lines of one host that several logs may tell, of the last minutes.

    A log may write equal lines several times within a second: the n-th of one log is the same as the n-th of another.
    """

    __slots__ = ("_early", "_newest", "_told")

    def __init__(self) -> None:
        self._told: Told = {}
        self._newest = 0
        self._early: set[tuple[int, bytes]] = set()
        """Second and line that were told at the begin of a second: a log of whole seconds may have the one before."""

    def again(self, log: str, at: float, session: str | None, text: str) -> bool:
        """Whether another log has told this line already."""
        second = int(at)
        if second > self._newest:
            self._newest = second
            if len(self._told) > 2 * KEPT_SECONDS:
                self._told = {s: lines for s, lines in self._told.items() if s > second - KEPT_SECONDS}
                self._early = {one for one in self._early if one[0] > second - KEPT_SECONDS}
        key = hashlib.blake2b(f"{session} {text}".encode("utf-8", "replace"), digest_size=8).digest()
        counts = self._told.setdefault(second, {}).setdefault(key, {})
        most = max(counts.values(), default=0)
        mine = counts.get(log, 0) + 1
        if mine > most and self._beside(log, at, key):
            return True
        counts[log] = mine
        return mine <= most

    def _beside(self, log: str, at: float, key: bytes) -> bool:
        """Whether another log has told the line in the second beside: one of whole seconds, as its program stamped it,
        the other with fractions, as it was received just after."""
        second = int(at)
        late = 0.0 < at - second < LATE_SECONDS
        if at != second and not late:
            return False
        there = self._told.get(second - 1 if late else second + 1, {}).get(key)
        if there is not None and (late or (second + 1, key) in self._early):
            mine = there.get(log, 0) + 1
            if mine <= max(there.values()):
                there[log] = mine
                return True
        if late:
            self._early.add((second, key))
        return False

    def state(self) -> bytes:
        """What a restart must know: logs of one host are read up to different lines."""
        return msgspec.msgpack.encode({s: t for s, t in self._told.items() if s > self._newest - STORED_SECONDS})

    def restore(self, state: bytes) -> None:
        """Go on with what `state()` gave."""
        self._told = msgspec.msgpack.decode(state, type=Told)
        self._newest = max(self._told, default=0)
