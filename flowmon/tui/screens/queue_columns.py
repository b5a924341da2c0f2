"""Columns of queues: what waits for whom, and since when."""

from __future__ import annotations

import re

from flowmon.model.answers import AGE_BUCKET_MINUTES, QueueRow
from flowmon.tui.format import age, number, rate, until
from flowmon.tui.glyphs import sparkline
from flowmon.tui.look import Look
from flowmon.tui.terms import term
from flowmon.tui.text import Line, clean
from flowmon.tui.widgets.columns import Column, plain

OLD_SECONDS = 3600
"""A message that waits longer than this is shown as a warning."""
LONG = ("held", "flow")
"""Columns of the Queues screen only."""
STEADY = 0.05
"""Messages a minute below which a queue neither grows nor drains."""


def _velocity(row: QueueRow, look: Look, width: int) -> Line:
    if row.velocity is None:
        return [("–", "faint")]
    if abs(row.velocity) < STEADY:
        return [("steady", "muted")]
    grows = row.velocity < 0
    sign = look.glyphs.grows if grows else look.glyphs.drains
    return [(f"{sign} ", "warn" if grows else "good"), (rate(abs(row.velocity)), "text")]


def _flow(row: QueueRow, look: Look, width: int) -> Line:
    if row.in_per_minute is None:
        return [("–", "faint")]
    return [(f"{rate(row.in_per_minute)} {look.glyphs.to} {rate(row.out_per_minute)}", "muted")]


def _messages(row: QueueRow, look: Look, width: int) -> Line:
    mark = "!" if row.only_in_queue or row.only_in_log else ""
    return [(mark, "warn"), (number(row.messages), "text")]


def _oldest(row: QueueRow, look: Look, width: int) -> Line:
    old = (look.now - row.oldest_at).total_seconds() > OLD_SECONDS
    return [(age(row.oldest_at, look.now), "bold warn" if old else "text")]


def _deferred(row: QueueRow, look: Look, width: int) -> Line:
    return [(number(row.deferred), "warn" if row.deferred else "faint")]


def _held(row: QueueRow, look: Look, width: int) -> Line:
    return [(number(row.held), "warn" if row.held else "faint")]


_REPLY = re.compile(r"\b[45]\d\d[ -](?:[45]\.\d{1,3}\.\d{1,3} )?\S")
"""A reply inside an MTA's own words about it."""


def gist(error: str) -> str:
    """The reply, where an error holds one: who said it, and to what, stands in other columns."""
    reply = _REPLY.search(error)
    return error[reply.start() :] if reply else error


def _error(row: QueueRow, look: Look, width: int) -> Line:
    if not row.last_error and not row.reason:
        return [("none", "faint")]
    line: Line = [(clean(row.reason), "warn"), ("  ", "")] if row.reason else []
    return [*line, (clean(gist(row.last_error or "")), "muted")]


def _retry(row: QueueRow, look: Look, width: int) -> Line:
    told = until(row.next_retry_at, look.now, exact=row.retry_is_exact)
    return [(told, "text" if row.next_retry_at else "faint")]


def _trend(row: QueueRow, look: Look, width: int) -> Line:
    return [(sparkline(row.trend, width, look.glyphs), "info")]


def queue_columns(*, brief: bool = False) -> list[Column[QueueRow]]:
    """All that is known of a queue; `brief` leaves out what the Overview has no room for."""
    columns = [
        Column(
            "next", "next hop", 16, lambda row, look, width: plain(row.next_hop, "bold text"), priority=1, grow=4,
            most=30, term=lambda row: term("next", row.next_hop), text=lambda row: row.next_hop,
        ),
        Column(
            "host", "on host", 7, lambda row, look, width: plain(row.host, "muted"), priority=3, grow=1, most=20,
            term=lambda row: term("host", row.host), text=lambda row: row.host,
        ),
        Column("messages", "waiting", 7, _messages, "right", 1),
        Column("deferred", "defer", 5, _deferred, align="right", priority=5),
        Column("held", "held", 4, _held, align="right", priority=9),
        Column("oldest", "oldest", 6, _oldest, align="right", priority=2, ages=True),
        Column("flow", "in/out a min", 12, _flow, align="right", priority=8),
        Column("velocity", "grows", 6, _velocity, priority=6),
        Column("retry", "retry", 6, _retry, align="right", priority=4, ages=True),
        Column(
            "error", "last error", 16, _error, priority=3, grow=12,
            term=lambda row: term("reason", row.reason), text=lambda row: row.last_error,
        ),
        Column("trend", "trend", 8, _trend, priority=7, grow=1, most=15),
    ]  # fmt: skip
    return [column for column in columns if column.key not in LONG] if brief else columns


def _bucket(place: int) -> Column[QueueRow]:
    last = place == len(AGE_BUCKET_MINUTES)
    title = f"{AGE_BUCKET_MINUTES[-1]}+" if last else str(AGE_BUCKET_MINUTES[place])
    tone = "text" if place < 3 else "warn" if place < 6 else "bold bad"

    def cell(row: QueueRow, look: Look, width: int) -> Line:
        count = row.ages[place] if place < len(row.ages) else 0
        return [(number(count), tone)] if count else [("·", "rule")]

    return Column(f"age{place}", title, 5 if last else 4, cell, align="right", priority=2)


def _queue(row: QueueRow, look: Look, width: int) -> Line:
    """Host and next hop in one, as both must be read to tell two queues apart."""
    host: Line = [(f"{clean(row.host)} {look.glyphs.to} ", "muted")] if row.host else []
    return [*host, (clean(row.next_hop), "text")]


def age_columns() -> list[Column[QueueRow]]:
    """Messages by how long they wait: one column for each bucket, as qshape has it."""
    return [
        Column(
            "queue", "queue", 16, _queue, priority=1, grow=2, most=54,
            term=lambda row: term("queue", f"{row.host}/{row.next_hop}") if row.host else None,
            text=lambda row: row.next_hop,
        ),
        Column("all", "all", 5, lambda row, look, width: [(number(row.messages), "bold text")], "right", 8),
        *(_bucket(place) for place in range(len(AGE_BUCKET_MINUTES) + 1)),
    ]  # fmt: skip
