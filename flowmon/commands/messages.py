"""`flowmon messages`: every message with its recipients, hops and statuses."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from flowmon.commands import export, opening, output
from flowmon.commands.output import cut
from flowmon.model.answers import Message
from flowmon.model.words import OPEN_STATUSES
from flowmon.store.matching import About, about_recipients, first_matching
from flowmon.store.schema import Asked


def run(
    arguments: list[str], filter_text: str | None, format: output.Format, config: Path | None, store: Path | None
) -> int:
    """Print messages. Gives the exit status: 0, or 1 when nothing matched."""
    filter = opening.read_filter(filter_text)
    asked = Asked.LISTS if filter is None else Asked.LOOKUPS
    with opening.reader(arguments, opening.load_config(config), store=store, asked=asked) as reader:
        found = reader.messages(filter)
        if format == "jsonl":
            count = output.jsonl(found)
        elif format == "csv":
            count = export.messages_csv(found, sys.stdout)
        else:
            count = _text(found, about_recipients(filter), reader.now())
        if not count:
            opening.tell(opening.nothing(reader, "nothing to list", filter, "nothing matches"))
    return 0 if count else 1


def sender(text: str | None) -> str:
    """A sender as people read it: `<>` for the null sender, `?` for an unknown one."""
    return "?" if text is None else text or "<>"


_WIDEST = 120
"""Characters of an address in the table: one without end would push all else off the screen."""


def _text(found: Iterable[Message], about: About, now: datetime) -> int:
    rows = []
    for m in found:
        one = first_matching(m, about)
        more = f" +{len(m.recipients) - 1}" if len(m.recipients) > 1 else ""
        to = cut(one.recipient, _WIDEST) + more if one else "-"
        where = " > ".join(one.path) if one else m.hops[-1].host
        status, reason = (one.status, one.reason) if one else (m.status, m.reason)
        waits = (now - m.first_seen_at).total_seconds() if status in OPEN_STATUSES else None
        delay = waits if waits is not None else one.delay_seconds if one else None
        # of a log that is read newest first, or out of order, the first line told may be the later one
        delay = max(delay, 0.0) if delay is not None else None
        rows.append((output.clock(m.first_seen_at), cut(sender(m.envelope_sender), _WIDEST), to, str(status),
                     reason or "", output.span(delay), where))
    if rows:
        output.columns(("TIME", "FROM", "TO", "STATUS", "REASON", "DELAY", "PATH"), rows)
    return len(rows)
