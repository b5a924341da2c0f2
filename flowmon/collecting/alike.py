"""Notices that say the same of different sessions: a server in trouble says it for each of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_VARIES = re.compile(r"(?<=[<\[(])[^<>\[\]()\s]++(?=[>\])])|(?<=\bpid=)\d++", re.ASCII)
"""What stands in brackets (a process, a session, an account), and the process at the far end of a socket."""


@lru_cache(512)
def _shape(notice: str) -> str:
    return _VARIES.sub("#", notice)


def of_each_kind(notices: Iterable[str]) -> list[str]:
    """The newest of those that are alike, with how many there were; in the order of the newest."""
    newest: dict[str, tuple[str, int]] = {}
    for notice in notices:
        _, count = newest.pop(_shape(notice), ("", 0))
        newest[_shape(notice)] = notice, count + 1
    return [notice if count == 1 else f"{notice} ({count} times)" for notice, count in newest.values()]
