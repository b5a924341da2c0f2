"""The beat: when the screen on top looks for news of the store.

It is one timer for all screens. The collector that a screen started tells its commits through a pipe, so that a screen
to which no mail comes wakes but once a second; another one's store has to be asked, ten times a second as a rule.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable

LOOK_SECONDS = 0.1
"""How often it is looked for news, where they are shown less often than that and at least once a second."""
SAFETY_SECONDS = 1.0
"""The same where the collector tells its news: for ages, and for what it does not tell."""


def look_seconds(refresh_seconds: float) -> float:
    """How often to look for news that are shown every `refresh_seconds`."""
    return LOOK_SECONDS if LOOK_SECONDS < refresh_seconds < 1.0 else refresh_seconds


class Beat:
    """Calls `look` every so often from `start` to `stop`.

    Args:
        look: has the screen on top look for news. It must not fail: what is shown belongs to a message of the screen.
        seconds: how often, where nobody tells of news; else it is at least `SAFETY_SECONDS`.
        news: descriptor of a pipe that can be read when there may be news; None where nobody tells.
    """

    def __init__(self, look: Callable[[], None], seconds: float, news: int | None = None) -> None:
        self._look = look
        self._seconds = seconds
        self._news = news
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin, on the event loop that runs."""
        self._loop = asyncio.get_running_loop()
        if self._news is not None:
            os.set_blocking(self._news, False)
            self._loop.add_reader(self._news, self._told, self._news)
        self.strike()

    def stop(self) -> None:
        """Look no more."""
        self._deafen()
        if self._next is not None:
            self._next.cancel()
        self._loop = None

    def strike(self) -> None:
        """Look now."""
        self.strike_in(self._seconds if self._news is None else max(self._seconds, SAFETY_SECONDS))
        if self._loop is not None:
            self._look()

    def strike_in(self, seconds: float) -> None:
        """Look after so many seconds instead of whenever it was to be."""
        if self._next is not None:
            self._next.cancel()
        if self._loop is not None:
            self._next = self._loop.call_later(seconds, self.strike)

    def _told(self, news: int) -> None:
        data: bytes | None = None
        with contextlib.suppress(BlockingIOError):
            data = os.read(news, 65_536)
        if data == b"":  # it ended, and tells no more
            self._deafen()
        self.strike()

    def _deafen(self) -> None:
        if self._news is not None and self._loop is not None:
            self._loop.remove_reader(self._news)
        self._news = None
