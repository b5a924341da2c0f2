"""Reading the TOML files that users write: what is wrong is told with file, line and remedy."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from flowmon.errors import FlowmonError


def read(path: Path, fault: type[FlowmonError]) -> dict[str, Any]:
    """The content of a file. Raises `fault`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise fault(f"{path}: cannot be read: {error.strerror}; give this user the right to read it") from None
    return parsed(data, path, fault)


def parsed(data: bytes, path: Path, fault: type[FlowmonError]) -> dict[str, Any]:
    """The content of the bytes of a file. Raises `fault`."""
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise fault(f"{path}: line {line} is not UTF-8; save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise fault(
            f"{path}: this is not TOML: {error}; correct that line (text goes in quotes, lists in [ ])"
        ) from None
