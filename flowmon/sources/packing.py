"""Compressed logs: how each is opened by its ending, and what reading one may raise.

zstd (RFC 8878), as KumoMTA and some logrotates compress, is in the standard library from Python 3.14 on.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import zlib
from collections.abc import Callable
from typing import Any

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

OPENERS: dict[str, Callable[[Any], Any]] = {
    ".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open, ".zst": zstd.open,
}  # fmt: skip
"""By ending: opens a path, or a binary file, for reading what was packed."""
ENDINGS = tuple(OPENERS)
FAULTS = (OSError, EOFError, lzma.LZMAError, zlib.error, zstd.ZstdError)
"""What reading a log may raise, packed or not."""

__all__ = ["ENDINGS", "FAULTS", "OPENERS", "zstd"]
