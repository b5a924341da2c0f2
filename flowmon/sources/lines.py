"""Cut what an open log holds into whole lines; clip the endless ones, and pass over runs of NUL bytes.

A power failure leaves a run of NULs where lines should have been written, often in the middle of one; a log that was
emptied under a program which keeps its place in it begins with one. No line goes on behind such a run.
"""

from __future__ import annotations

import re

from flowmon.sources.identity import LINE_BYTES
from flowmon.sources.opened import OpenedLog

_NULS = re.compile(rb"(?<![^\n])\0++|\0{2,}+")
"""At the begin of a line, or several; a single one within a line is a letter that went wrong."""


def nuls(data: bytes) -> tuple[int, int] | None:
    """Begin and end of the first run of NULs in `data`, which begins with a line; None without one."""
    found = _NULS.search(data) if b"\0" in data else None
    return found.span() if found is not None else None


def first_overlong(data: bytes, end: int) -> int:
    """Where the first line of more than 64 KiB starts in `data[:end]`, which is whole lines; -1 if there is none."""
    start = 0
    while end - start > LINE_BYTES:
        newline = data.rfind(b"\n", start, start + LINE_BYTES)
        if newline < 0:
            return start
        start = newline + 1
    return -1


def next_lines(log: OpenedLog, limit: int, *, final: bool = False) -> tuple[int, bytes]:
    """Take the next whole lines from `log`, with the offset of the first; empty if there are none now.

    A line of more than 64 KiB comes alone, its first 65,535 bytes with a line end put behind them, and leaves
    `log.skipping` set until its own end was passed by a later call.

    Raises Replaced (see OpenedLog.peek).
    """
    if log.skipping and not _skip(log, limit):
        return log.offset, b""
    data, torn = _before_nuls(log, limit, final=final)
    end = data.rfind(b"\n") + 1
    if end == 0 and not torn and len(data) >= limit and limit < LINE_BYTES:
        data, torn = _before_nuls(log, LINE_BYTES, final=final)
        end = data.find(b"\n") + 1
    offset = log.offset
    if end == 0:
        if len(data) < LINE_BYTES:
            if final or torn:
                log.take(data)
                return offset, data + b"\n" if torn else data
            return offset, b""
        overlong = 0
    else:
        overlong = first_overlong(data, end)
    if overlong == 0:
        kept = data[: LINE_BYTES - 1]
        log.take(kept)
        log.skipping = True
        log.clipped += 1
        return offset, kept + b"\n"
    lines = data[: overlong if overlong > 0 else end]
    log.take(lines)
    return offset, lines


def _before_nuls(log: OpenedLog, limit: int, *, final: bool) -> tuple[bytes, bool]:
    """What lies before the next run of NULs, and whether one ends it; a run at the begin is passed over."""
    while True:
        data = log.peek(limit)
        gap = nuls(data)
        if gap is None:
            return data, False
        begin, behind = gap
        if behind == len(data) < limit and not final:  # what belongs there may still come, as it does over NFS
            return data[:begin], False
        if begin:
            return data[:begin], True
        log.take(data[:behind])
        log.nuls += behind


def _skip(log: OpenedLog, limit: int) -> bool:
    """Pass the rest of a clipped line; False if its end has not been written yet."""
    while True:
        data = log.peek(max(limit, LINE_BYTES))
        end = data.find(b"\n") + 1
        if end:
            log.take(data[:end])
            log.skipping = False
            return True
        if not data:
            return False
        log.take(data)
