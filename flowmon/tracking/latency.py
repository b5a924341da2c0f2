"""Where the time of a message went inside an Exchange server: the latency list of `message-info` in its tracking log.

`CODE=SECONDS` separated by `|`, parts of a part in parentheses: `TOTAL-HUB=0.5|SMR=0.1(SMRDE=0.1)|QDE=0.3`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

_PART = re.compile(r"([A-Za-z][A-Za-z0-9]*)(?:-([^=|()]*))?=(\d{1,9}(?:\.\d{1,6})?)|([()])")
_PENDING = "PEN"


def parts(text: str) -> Iterator[tuple[str, float]]:
    """Code and seconds of each part of a latency list, without what is a part of a part; TOTAL is the whole."""
    depth = 0
    for code, rest, seconds, bracket in _PART.findall(text):
        if bracket:
            depth += 1 if bracket == "(" else -1
        elif depth == 0 and rest != _PENDING:
            yield code, float(seconds)


def words(code: str) -> str:
    """What a code means; the code itself where that is not known."""
    return _words().get(code, code)


@cache
def _words() -> dict[str, str]:
    return tomllib.loads(files("flowmon.tracking").joinpath("latency.toml").read_text(encoding="utf-8"))
