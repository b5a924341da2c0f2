"""A user's own pattern: it may be any, so none of its matches may hold up the reading."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

TIMEOUT_SECONDS = 0.05
STRIKES = 3
"""A pattern that times out so often is switched off."""


class GuardedPattern:
    """What `re.Pattern` does, with a timeout: a match that takes too long is none, and after a few of them the pattern
    is switched off."""

    def __init__(self, pattern: str, *, dotall: bool = False) -> None:
        """Raises re.error."""
        import regex  # only users' patterns need it: a start without any is a fiftieth of a second quicker

        try:
            self._compiled: Any = regex.compile(pattern, regex.ASCII | (regex.DOTALL if dotall else 0))
        except regex.error as fault:
            raise re.error(str(fault)) from None
        self.groupindex: dict[str, int] = dict(self._compiled.groupindex)
        self.strikes = 0

    @property
    def off(self) -> bool:
        """Whether it is switched off."""
        return self.strikes >= STRIKES

    def match(self, text: str, start: int = 0) -> Any:
        """The match at `start`; None for none."""
        return self._within_time(self._compiled.match, text, start)

    def fullmatch(self, text: str, start: int = 0) -> Any:
        """The match from `start` to the end; None for none."""
        return self._within_time(self._compiled.fullmatch, text, start)

    def search(self, text: str, start: int = 0) -> Any:
        """The first match from `start` on; None for none."""
        return self._within_time(self._compiled.search, text, start)

    def _within_time(self, find: Callable[..., Any], text: str, start: int) -> Any:
        if self.off:
            return None
        try:
            return find(text, start, timeout=TIMEOUT_SECONDS)
        except TimeoutError:
            self.strikes += 1
            return None
