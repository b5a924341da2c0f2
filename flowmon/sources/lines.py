"""Cut what an open log holds into whole lines; clip the endless ones."""

from __future__ import annotations

from flowmon.sources.identity import LINE_BYTES
from flowmon.sources.opened import OpenedLog


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
    offset = log.offset
    data = log.peek(limit)
    end = data.rfind(b"\n") + 1
    if end == 0 and len(data) >= limit and limit < LINE_BYTES:
        data = log.peek(LINE_BYTES)
        end = data.find(b"\n") + 1
    if end == 0:
        if len(data) < LINE_BYTES:
            if final:
                log.take(data)
                return offset, data
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
