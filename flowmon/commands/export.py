"""Answers as CSV that no spreadsheet runs, and a text as a file that no terminal obeys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from flowmon.commands import output
from flowmon.model.answers import Message, ProblemRow, QueueRow

MESSAGE = ("first_seen_at", "message_id", "envelope_sender", "recipient", "original_recipient", "status", "problem",
           "reason", "reply_code", "enhanced_status", "diagnostic", "attempts", "host", "relay", "delay_seconds",
           "path", "scenario", "direction", "size", "subject", "client")
QUEUE = ("next_hop", "host", "messages", "deferred", "held", "oldest_at", "in_per_minute", "out_per_minute",
         "next_retry_at", "problem", "reason", "last_error", "only_in_queue", "only_in_log")
PROBLEM = ("problem", "reason", "next_hop", "messages", "recipients", "open", "first_at", "last_at", "senders",
           "sample_reply", "cause", "next_step")


def messages_csv(found: Iterable[Message], out: TextIO) -> int:
    """A row for each recipient; gives how many rows."""
    return output.table_csv(MESSAGE, (row for message in found for row in _rows(message)), out)


def queues_csv(rows: Sequence[QueueRow], out: TextIO) -> int:
    """A row for each queue."""
    return output.table_csv(QUEUE, ([getattr(row, name) for name in QUEUE] for row in rows), out)


def problems_csv(rows: Sequence[ProblemRow], out: TextIO) -> int:
    """A row for each group of failures."""
    return output.table_csv(PROBLEM, ([getattr(row, name) for name in PROBLEM] for row in rows), out)


def text(path: Path, lines: Iterable[str]) -> int:
    """Lines into a new file, made harmless; gives how many. Raises FileExistsError, OSError."""
    count = 0
    with path.open("x", encoding="utf-8") as out:
        for line in lines:
            out.write(output.clean(line).rstrip() + "\n")
            count += 1
    return count


def _rows(m: Message) -> Iterable[tuple[object, ...]]:
    """One row per recipient; one with empty recipient columns where none is known."""
    tail = (m.scenario, m.direction, m.size, m.subject, m.client)
    if not m.recipients:
        yield (m.first_seen_at, m.message_id, m.envelope_sender, None, None, m.status, m.problem, m.reason, None, None,
               None, None, m.hops[-1].host, None, None, [h.host for h in m.hops], *tail)
    for r in m.recipients:
        yield (m.first_seen_at, m.message_id, m.envelope_sender, r.recipient, r.original_recipient, r.status, r.problem,
               r.reason, r.reply_code, r.enhanced_status, r.diagnostic, r.attempts, r.host, r.relay, r.delay_seconds,
               r.path, *tail)
