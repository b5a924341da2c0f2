"""File names that are not UTF-8: Python keeps their bytes as lone surrogates, which no store and no JSON takes."""

from __future__ import annotations

import os
import re

_BYTE = re.compile(rb"\\x([89a-f][0-9a-f])")


def storable(text: str) -> str:
    """A name, or a text that holds one, with `\\xff` for bytes that are no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return text


def original(path: str) -> str:
    """The path that `storable` was given, where such a file is; else the path itself."""
    if "\\x" not in path or os.path.lexists(path):
        return path
    found = os.fsdecode(_BYTE.sub(lambda match: bytes([int(match[1], 16)]), os.fsencode(path)))
    return found if os.path.lexists(found) else path
