"""`flowmon trace`: one message, hop by hop, with the lines that prove it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

from flowmon.commands import opening, output
from flowmon.commands.messages import sender
from flowmon.commands.output import clean, clock, cut, span
from flowmon.errors import FlowmonError
from flowmon.model.answers import Detail, Evidence, Message, Recipient
from flowmon.model.queue_words import retry_source
from flowmon.model.way import inside, slowest_stage, stage_seconds, visits
from flowmon.model.words import OPEN_STATUSES
from flowmon.store.evidence import read_line
from flowmon.store.matching import waiting
from flowmon.store.reader import SqliteReader
from flowmon.tracking.diagnosis import explain

MOST = 20
"""Messages that an address may lead to before the search is asked to be narrowed."""


def run(what: str, arguments: list[str], format: str, config: Path | None, store: Path | None) -> int:
    """Print what is known of a message-id, queue ID or address. Gives the exit status: 0, or 1 when nothing is."""
    if not arguments and Path(what).exists():
        raise FlowmonError(f"{what} is a path: name first what to trace, a message-id, queue ID or address")
    with opening.reader(arguments, opening.load_config(config), store=store) as reader:
        ids = reader.find(what)
        if not ids:
            unknown = f"nothing is known of {what!r}: not a message-id, queue ID or address in these logs"
            opening.tell(opening.nothing(reader, unknown, None, ""))
            return 1
        details = [d for d in (reader.detail(id) for id in ids[:MOST]) if d is not None]
        if format == "jsonl":
            output.jsonl(details)
        else:
            for detail in details:
                _print(detail, reader, what)
                if len(details) == 1:
                    _print_evidence(detail)
                print()
            if len(details) > 1:
                opening.tell("the log lines of one: `flowmon trace` with its message-id or queue ID")
        if len(ids) > MOST:
            opening.tell(f"{len(ids) - MOST} more: `flowmon messages --filter 'to:{what}'` lists them all")
    return 0


def _asked_for(m: Message, what: str) -> Recipient | None:
    """The recipient that was asked for: what became of others is not its news."""
    names = (what.lower(), what.lower().strip("<>"))
    return next((r for r in m.recipients if r.recipient.lower() in names), None) or next(
        (r for r in m.recipients if (r.original_recipient or "").lower() in names), None)


def _advice(detail: Detail, asked: Recipient | None) -> tuple[str | None, str | None]:
    """Cause and next step: of the recipient asked for, else of the message."""
    about = waiting(detail.message) or detail.message
    if asked is None or (asked.status, asked.reason) == (about.status, about.reason):
        return detail.cause, detail.next_step
    if asked.reason is None:
        return None, None
    said = explain(asked.reason, asked.problem, asked.status)
    return said.cause, said.next_step


def _print(detail: Detail, reader: SqliteReader, what: str) -> None:
    m, now = detail.message, reader.now()
    asked = _asked_for(m, what)
    counts = Counter(r.status for r in m.recipients)
    others = ", ".join(f"{n} {status}" for status, n in counts.items()) if len(counts) > 1 else ""
    print(f"{str(asked.status if asked else m.status).upper()}  {clean(m.message_id or '(no message-id)')}"
          + (f"  (recipients: {others})" if others else ""))
    if asked is not None and others:
        print(f"  for {clean(asked.recipient)}")
    print(f"  from {clean(sender(m.envelope_sender))}"
          + (f", subject {clean(m.subject)!r}" if m.subject else "") + (f", {m.size:,} bytes" if m.size else ""))
    print(f"  first seen {clock(m.first_seen_at)}, last {clock(m.last_seen_at)}"
          + (f", {m.scenario} {m.direction}" if m.scenario else "")
          + (f", sent with {clean(detail.client_program)}" if detail.client_program else ""))
    if detail.submitted:
        print(f"  {clean(detail.submitted)}")
    still = waiting(m) if asked is None and m.status not in OPEN_STATUSES else None
    if still is not None:
        print(f"  still waits: {clean(still.recipient)} on {still.host}")
    cause, step = _advice(detail, asked)
    if cause:
        print(f"  why: {cause}")
        print(f"  do:  {step}")
    _path(detail)
    for r in sorted(m.recipients, key=lambda r: r is not asked):
        _recipient(detail, r, now)
    for a in detail.attempts:
        if a.problem:
            times = f" {a.count} times since {clock(a.first_at)}" if a.count > 1 else ""
            print(f"  {clock(a.last_at)} {a.host} tried {clean(a.relay or 'nobody')} for {clean(a.recipient)}: "
                  f"{a.status}{times}")
    for v in detail.verdicts:
        score = f" ({v.score:g})" if v.score is not None else ""
        print(f"  {clock(v.at)} {v.filter} on {v.host}: {clean(v.action)}{score} {cut(clean(v.detail or ''), 200)}")
    for row in detail.reports:
        about = reader.detail(row)
        if about is not None:
            print(f"  report made: {clean(about.message.message_id or '?')}, {about.message.status}")
    if detail.report_of is not None:
        about = reader.detail(detail.report_of)
        print(f"  reports about {clean(about.message.message_id or '?') if about else '?'}")


def _print_evidence(detail: Detail) -> None:
    print("  evidence (byte in the file, line)")
    for line in detail.evidence:
        print(f"    {line.host} {clean(line.path)} {line.offset}  {clean(_text(line))}")


def _recipient(detail: Detail, r: Recipient, now: datetime) -> None:
    """What became of a recipient, on which way, and how long that took."""
    was = f" (was {clean(r.original_recipient)})" if r.original_recipient else ""
    print(f"  to {clean(r.recipient)}{was}: {r.status} at {r.host} after {span(r.delay_seconds)}, "
          f"{r.attempts} attempt{'s' * (r.attempts != 1)}" + (f" [{r.problem}: {r.reason}]" if r.problem else ""))
    print(f"     path {' > '.join(r.path)}" + (f" > {clean(r.relay)}" if r.relay else ""))
    if r.diagnostic:
        print(f"     said {clean(r.diagnostic)}")
    if r.next_retry_at is not None:
        due = " (now)" if r.next_retry_at <= now else ""
        mark = "" if r.retry_is_exact else "~"
        print(f"     next try {mark}{clock(r.next_retry_at)}{due}, {retry_source(exact=r.retry_is_exact)}")
    known = next((a.reply_id for a in reversed(detail.attempts)
                  if a.reply_id and (a.recipient, a.host, a.relay) == (r.recipient, r.host, r.relay)), None)
    if known:
        print(f"     next hop's own id {clean(known)}")
    _stages(detail, r, now)


def _path(detail: Detail) -> None:
    for hop in detail.message.hops:
        link = f", joined by {hop.link} ({hop.certainty})" if hop.link else ""
        print(f"  {clock(hop.arrived_at)} {hop.host}"
              + (f" {hop.role}" if hop.role else "") + (f" {clean(hop.queue_id)}" if hop.queue_id else "")
              + (f" {hop.stage}" if hop.stage else "") + link)
        within = inside(detail, hop)
        if within:
            print(f"     inside: {within}")


def _stages(detail: Detail, r: Recipient, now: datetime) -> None:
    """What each stage took, the slowest marked, and how often a loop came round."""
    seconds = stage_seconds(detail, r, now)
    slowest = slowest_stage(seconds)
    told = ", ".join(f"{stage} {span(value)}{' (slowest)' if stage is slowest else ''}"
                     for stage, value in seconds.items() if value is not None)
    if told:
        print(f"     {told}")
    again = visits(r.path)
    if again is not None:
        print(f"     {'loop: ' if r.reason == 'loop' else ''}{len(r.path)} hops, {again[1]} times at {again[0]}")


def _text(line: Evidence) -> str:
    return line.text if line.text is not None else read_line(line) or "(the log is gone or was rotated away)"
