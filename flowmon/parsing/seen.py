"""The same line read from two logs of one host (mail.log and mail.info, or other header forms) counts once."""

from __future__ import annotations

KEPT = 200_000


class Seen:
    """Lines of one host that several logs may tell, newest kept.

    A log may write equal lines several times within a second: the n-th of one log is the same as the n-th of another.
    """

    __slots__ = ("_lines", "_older")

    def __init__(self) -> None:
        self._lines: dict[int, dict[int, int]] = {}
        self._older: dict[int, dict[int, int]] = {}

    def again(self, log: int, at: float, session: str | None, text: str) -> bool:
        """Whether another log has told this line already."""
        key = hash((int(at), session, text))
        counts = self._lines.get(key)
        if counts is None:
            counts = self._older.get(key)
            if counts is None:
                if len(self._lines) >= KEPT:
                    self._older, self._lines = self._lines, {}
                counts = {}
            self._lines[key] = counts
        most = max(counts.values(), default=0)
        mine = counts[log] = counts.get(log, 0) + 1
        return mine <= most
