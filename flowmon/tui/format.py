"""How numbers, times and spans are written: short, aligned, the same everywhere."""

from __future__ import annotations

from datetime import datetime, tzinfo

from flowmon.model.queue_words import retry_source

_MISSED_SECONDS = 600.0
UNKNOWN = "–"
"""Stands where nothing is known: never a zero."""


def span(seconds: float | None) -> str:
    """A length of time in at most five signs: `0.4s`, `12s`, `3m12`, `2h05`, `4d07`."""
    if seconds is None:
        return UNKNOWN
    if seconds < 0:
        return "0s"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m{rest:02}"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minutes:02}"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours:02}" if days < 100 else f"{days}d"


def age(since: datetime | None, now: datetime) -> str:
    """How long ago, by the minute after the first: an age must not flicker, and each change costs bytes."""
    return UNKNOWN if since is None else waited((now - since).total_seconds())


def waited(seconds: float) -> str:
    """A wait that goes on: by the second within the first minute, then by the minute."""
    if seconds < 60:
        return f"{max(0, int(seconds))}s"
    return f"{int(seconds // 60)}m" if seconds < 3600 else span(seconds)


def until(at: datetime | None, now: datetime, *, exact: bool = False) -> str:
    """How long still to wait; `~` before an estimate. What is long past was missed, or its line is not read."""
    if at is None:
        return UNKNOWN
    seconds = (at - now).total_seconds()
    if seconds < -_MISSED_SECONDS:
        return "past"
    return ("" if exact else "~") + ("now" if seconds <= 0 else waited(seconds))


def next_try(at: datetime, now: datetime, zone: tzinfo | None, *, exact: bool) -> str:
    """When it is tried again, how long that still is, and how that is known."""
    return f"{clock(at, now, zone)} ({until(at, now, exact=exact)}), {retry_source(exact=exact)}"


def size(count: int | None) -> str:
    """Bytes in at most five signs."""
    if count is None:
        return UNKNOWN
    if count < 1000:
        return f"{count}B"
    value = float(count)
    for unit in ("k", "M", "G", "T"):
        value /= 1000
        if value < 999.5:
            return f"{value:.1f}{unit}" if value < 9.95 else f"{value:.0f}{unit}"
    return f"{value:.0f}P"


def number(count: int) -> str:
    """A whole number with thin groups: `12 345`."""
    return f"{count:,}".replace(",", " ")


def rate(value: float | None) -> str:
    """A count per minute or second."""
    if value is None:
        return UNKNOWN
    if abs(value) < 0.05:
        return "0"
    return f"{value:.1f}" if abs(value) < 9.95 else number(round(value))


def share(value: float) -> str:
    """A part of a whole in per cent."""
    if value <= 0:
        return "0 %"
    if value < 0.001:
        return "<0.1 %"
    return f"{value * 100:.1f} %" if value < 0.0995 else f"{value * 100:.0f} %"


def clock(at: datetime | None, now: datetime, zone: tzinfo | None = None) -> str:
    """A time of today, else the day and the time; always eight signs or eleven."""
    if at is None:
        return UNKNOWN
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%b %d %H:%M}"


def short_clock(at: datetime, now: datetime, zone: tzinfo | None = None, width: int = 8) -> str:
    """A time of today, else the day: in eight signs, or in five."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    if local.date() != today:
        return f"{local:%b %d}" if width > 5 else f"{local:%m-%d}"
    return f"{local:%H:%M:%S}" if width >= 8 else f"{local:%H:%M}"


def instant(at: datetime | None, zone: tzinfo | None = None) -> str:
    """The whole time, with its zone."""
    return UNKNOWN if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 message`, `12 messages`."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def address(sender: str | None) -> str:
    """An envelope sender: the null sender is `<>`, an unknown one a dash."""
    if sender is None:
        return UNKNOWN
    return sender or "<>"
