"""A user's own pattern: it may be any, so none of its matches may hold up the reading."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import regex

from flowmon.parsing.rules import USER_STRIKES, USER_TIMEOUT_SECONDS


class GuardedPattern:
    """What `re.Pattern` does, with a timeout: a match that takes too long is none, and after a few of them the pattern
    is switched off."""

    def __init__(self, pattern: str) -> None:
        """Raises regex.error."""
        self._compiled: Any = regex.compile(pattern, regex.ASCII)
        self.groupindex: dict[str, int] = dict(self._compiled.groupindex)
        self.strikes = 0

    def match(self, text: str, start: int = 0) -> Any:
        """The match at `start`; None for none."""
        return self._within_time(self._compiled.match, text, start)

    def search(self, text: str, start: int = 0) -> Any:
        """The first match from `start` on; None for none."""
        return self._within_time(self._compiled.search, text, start)

    def _within_time(self, find: Callable[..., Any], text: str, start: int) -> Any:
        if self.strikes >= USER_STRIKES:
            return None
        try:
            return find(text, start, timeout=USER_TIMEOUT_SECONDS)
        except TimeoutError:
            self.strikes += 1
            return None
