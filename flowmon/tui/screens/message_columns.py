"""Columns of message lists: the feed of the Overview and the Messages screen."""

from __future__ import annotations

from flowmon.model.answers import MessageRow
from flowmon.model.words import OPEN_STATUSES
from flowmon.tui.format import UNKNOWN, address, age, short_clock, size, span
from flowmon.tui.glyphs import STATUS_TONES
from flowmon.tui.look import Look
from flowmon.tui.terms import term
from flowmon.tui.text import Line, clean, fit
from flowmon.tui.widgets.columns import Column, plain


def _time(row: MessageRow, look: Look, width: int) -> Line:
    return [(short_clock(row.first_seen_at, look.now, look.zone, width), "muted")]


def _seen(row: MessageRow, look: Look, width: int) -> Line:
    return [(short_clock(row.last_seen_at, look.now, look.zone, width), "muted")]


def _status(row: MessageRow, look: Look, width: int) -> Line:
    tone = STATUS_TONES[row.status]
    return [(f"{look.glyphs.status[row.status]} {row.status.value}", tone)]


def _sender(row: MessageRow, look: Look, width: int) -> Line:
    if row.envelope_sender is None and row.login:
        return [("login ", "muted"), (clean(row.login), "text")]
    if row.envelope_sender is None and row.client:
        return [("client ", "faint"), (clean(row.client), "muted")]
    text = address(row.envelope_sender)
    return [(clean(text), "faint" if text == UNKNOWN else "muted" if text == "<>" else "text")]


def _recipient(row: MessageRow, look: Look, width: int) -> Line:
    if row.recipient is None:
        return [(UNKNOWN, "faint")]
    text = clean(row.recipient)
    if row.recipient_count < 2:
        return [(text, "text")]
    more = f" +{row.recipient_count - 1}"
    return [(fit(text, min(len(text), width - len(more))), "text"), (more, "muted")]


def _delay(row: MessageRow, look: Look, width: int) -> Line:
    if row.status in OPEN_STATUSES:
        return [(age(row.first_seen_at, look.now), "warn")]
    return [(span((row.last_seen_at - row.first_seen_at).total_seconds()), "muted")]


def _reason(row: MessageRow, look: Look, width: int) -> Line:
    if row.reason is None:
        return []
    return [(clean(row.reason), STATUS_TONES[row.status] if row.problem else "muted")]


def _count(value: int) -> Line:
    return [(str(value), "text" if value > 1 else "muted")]


def message_columns(*, by_activity: bool = False) -> list[Column[MessageRow]]:
    """Columns of a message list; the time is that of the last news where the list is ordered by it."""
    seen = _seen if by_activity else _time
    return [
        Column("time", "news" if by_activity else "time", 5, seen, priority=3, grow=9, most=8),
        Column(
            "status", "status", 13, _status, priority=1,
            term=lambda row: term("status", row.status.value), text=lambda row: row.status.value,
        ),
        Column(
            "from", "from", 15, _sender, priority=2, grow=3, most=44,
            term=lambda row: term("from", row.envelope_sender or row.login), text=lambda row: row.envelope_sender,
        ),
        Column(
            "to", "to", 15, _recipient, priority=1, grow=3, most=44,
            term=lambda row: term("to", row.recipient), text=lambda row: row.recipient,
        ),
        Column("delay", "delay", 6, _delay, align="right", priority=4, ages=True),
        Column(
            "reason", "reason", 12, _reason, priority=3, grow=1, most=18,
            term=lambda row: term("reason", row.reason), text=lambda row: row.reason,
        ),
        Column(
            "host", "host", 7, lambda row, look, width: plain(row.host, "muted"), priority=6, grow=1, most=20,
            term=lambda row: term("host", row.host), text=lambda row: row.host,
        ),
        Column("tries", "tries", 5, lambda row, look, width: _count(row.attempts), align="right", priority=7),
        Column("hops", "hops", 4, lambda row, look, width: _count(row.hops), align="right", priority=10),
        Column("size", "size", 5, lambda row, look, width: [(size(row.size), "muted")], align="right", priority=9),
        Column(
            "subject", "subject", 20, lambda row, look, width: plain(row.subject, "muted"), priority=8, grow=4,
            text=lambda row: row.subject,
        ),
    ]  # fmt: skip
