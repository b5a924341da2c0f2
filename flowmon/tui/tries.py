"""The tries of a message: those that were, and the next.

Pure: answers in, lines out.
"""

from __future__ import annotations

from flowmon.model.answers import Attempt, Detail, Message
from flowmon.model.words import DeliveryStatus
from flowmon.tui.format import UNKNOWN, address, clock, next_try
from flowmon.tui.glyphs import STATUS_TONES
from flowmon.tui.look import Look
from flowmon.tui.terms import term
from flowmon.tui.text import Line, clean, width_of, wrap
from flowmon.tui.widgets.document import DocLine, labelled, quiet


def next_tries(message: Message, width: int, look: Look) -> list[DocLine]:
    """When what is deferred is tried again, the soonest where recipients differ; nothing where it is not known."""
    known = [one for one in message.recipients if one.next_retry_at is not None]
    one = min(known, key=lambda one: one.next_retry_at or look.now, default=None)
    if one is None or one.next_retry_at is None:
        return []
    told = next_try(one.next_retry_at, look.now, look.zone, exact=one.retry_is_exact)
    others = any(other.next_retry_at != one.next_retry_at for other in known)
    return labelled("Next try", f"{told}, for {one.recipient}" if others else told, width)


def tries(detail: Detail, width: int, look: Look) -> list[DocLine]:
    """Those that were, equal ones folded."""
    if not detail.attempts:
        refused = detail.message.status is DeliveryStatus.REJECTED
        told = "It was refused before any delivery was tried." if refused else "No delivery has been tried yet."
        return [quiet(told)]
    several = len(detail.message.recipients) > 1
    return [line for attempt in detail.attempts for line in _try(attempt, several, width, look)]


def _try(attempt: Attempt, several: bool, width: int, look: Look) -> list[DocLine]:
    tone = STATUS_TONES[attempt.status]
    when = clock(attempt.first_at, look.now, look.zone)
    if attempt.count > 1:
        when += f" – {clock(attempt.last_at, look.now, look.zone)}"
    line: Line = [
        (f" {look.glyphs.status[attempt.status]} {attempt.status.value:<12}", tone),
        (f"{when:<20}", "muted"),
        (f"{attempt.count}×  " if attempt.count > 1 else "", "bold text"),
        (f"{clean(attempt.host)} → {clean(attempt.relay or UNKNOWN)}", "text"),
    ]
    more: Line = [(f"  {clean(attempt.reason)}", tone)] if attempt.reason else []
    if several:
        more.append((f"  for {clean(address(attempt.recipient))}", "muted"))
    fits = width_of(line) + width_of(more) <= width
    copy = attempt.diagnostic or attempt.relay
    lines = [DocLine([*line, *more] if fits else line, term=term("next", attempt.relay), copy=copy)]
    if not fits:
        lines.append(DocLine([(" " * 13, ""), *more], copy=attempt.recipient))
    if attempt.diagnostic:
        lines += [
            DocLine([(" " * 15, ""), (piece, "muted")], copy=attempt.diagnostic)
            for piece in wrap(clean(attempt.diagnostic), max(20, width - 16))
        ]
    if attempt.reply_id:
        known = clean(attempt.reply_id)
        lines.append(DocLine([(" " * 15, ""), (f"next hop's own id: {known}", "text")], copy=attempt.reply_id))
    return lines
