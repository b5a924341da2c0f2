"""An index in memory from keys to rows of flows, as the joiner looks for candidates."""

from __future__ import annotations

from itertools import islice
from typing import Any

_ROWS_KEPT = 32
"""Rows of one key (a Message-ID that many messages have, refusals of one sender and recipient)."""
_NONE: list[int] = []


class Index(dict[int, "int | list[int]"]):
    """Keys to rows of flows, newest kept, of each key as of all.

    Keys are kept as hashes: a third of the memory, and what two keys of one hash lead to is told apart by linking.
    """

    def add(self, text: str, flow: int) -> list[int]:
        """Put a row under a key; gives the other rows that stand there."""
        key = hash(text)
        have = self.setdefault(key, flow)
        return _NONE if have == flow else self._beside(key, have, flow)

    def _beside(self, key: int, have: int | list[int], flow: int) -> list[int]:
        """Put a row under a hash that leads to others, and give those."""
        if not isinstance(have, list):
            have = self[key] = [have]
        others = [row for row in have if row != flow]
        if len(others) == len(have):
            have.append(flow)
            if len(have) > _ROWS_KEPT:
                del have[0]
        return others

    def rows(self, text: str) -> list[int]:
        """The rows that stand under a key."""
        have = self.get(hash(text))
        if have is None:
            return _NONE
        return have if isinstance(have, list) else [have]


def trim(keys: dict[Any, Any], limit: int) -> None:
    """Forget the oldest entries over the limit."""
    over = len(keys) - limit
    if over > 0:
        for key in [*islice(keys, over + limit // 10)]:
            del keys[key]
