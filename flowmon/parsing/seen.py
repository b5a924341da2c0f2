"""The same line read from two logs of one host (mail.log and mail.info, or other header forms) counts once."""

from __future__ import annotations

import hashlib

import msgspec

KEPT_SECONDS = 600
"""How far behind the newest line of a host another log may be, in time of the log."""
STORED_SECONDS = 120
"""How much of it a store keeps for a restart."""

Told = dict[int, dict[bytes, dict[str, int]]]
"""Second, line, log to how often that log told the line in that second."""


class Seen:
    """Lines of one host that several logs may tell, of the last minutes.

    A log may write equal lines several times within a second: the n-th of one log is the same as the n-th of another.
    """

    __slots__ = ("_newest", "_told")

    def __init__(self) -> None:
        self._told: Told = {}
        self._newest = 0

    def again(self, log: str, at: float, session: str | None, text: str) -> bool:
        """Whether another log has told this line already."""
        second = int(at)
        if second > self._newest:
            self._newest = second
            if len(self._told) > 2 * KEPT_SECONDS:
                self._told = {s: lines for s, lines in self._told.items() if s > second - KEPT_SECONDS}
        key = hashlib.blake2b(f"{session} {text}".encode("utf-8", "replace"), digest_size=8).digest()
        counts = self._told.setdefault(second, {}).setdefault(key, {})
        most = max(counts.values(), default=0)
        mine = counts[log] = counts.get(log, 0) + 1
        return mine <= most

    def state(self) -> bytes:
        """What a restart must know: logs of one host are read up to different lines."""
        return msgspec.msgpack.encode({s: t for s, t in self._told.items() if s > self._newest - STORED_SECONDS})

    def restore(self, state: bytes) -> None:
        """Go on with what `state()` gave."""
        self._told = msgspec.msgpack.decode(state, type=Told)
        self._newest = max(self._told, default=0)
