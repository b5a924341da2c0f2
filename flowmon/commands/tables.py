"""`flowmon queues` and `flowmon problems`: the queue table and the error panels, once."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from flowmon.commands import export, opening, output
from flowmon.model.answers import QueueRow
from flowmon.model.queue_words import differences
from flowmon.store.schema import Asked


def queues(
    arguments: list[str], filter_text: str | None, format: output.Format, config: Path | None, store: Path | None
) -> int:
    """Print what waits, by host and next hop. Gives the exit status: 0, or 1 when nothing waits."""
    filter = opening.read_filter(filter_text)
    asked = Asked.SUMS if filter is None else Asked.LOOKUPS
    with opening.reader(arguments, opening.load_config(config), store=store, asked=asked) as reader:
        rows, now, faults = reader.queues(filter), reader.now(), reader.queue_faults()
        if not rows:
            opening.tell(opening.nothing(reader, "no mail is waiting", filter, "no waiting mail matches"))
    for fault in faults:
        opening.tell(fault)
    if format == "jsonl":
        output.jsonl(rows)
    elif format == "csv":
        export.queues_csv(rows, sys.stdout)
    elif rows:
        output.columns(
            ("NEXT HOP", "HOST", "MSGS", "DEFERRED", "HELD", "OLDEST", "RETRY", "REASON", "LAST ERROR"),
            [(q.next_hop, q.host, str(q.messages), str(q.deferred), str(q.held), _age(now, q.oldest_at), _retry(q),
              q.reason or "-", q.last_error or "") for q in rows],
        )
        for q in (q for q in rows if q.only_in_queue or q.only_in_log):
            told = " and ".join(differences(q))
            print(f"{output.clean(q.next_hop)} on {output.clean(q.host)}: {told}")
    return 0 if rows else 1


def problems(
    arguments: list[str], filter_text: str | None, format: output.Format, config: Path | None, store: Path | None
) -> int:
    """Print failures by class, reason and next hop. Gives the exit status: 0, or 1 when there is none."""
    filter = opening.read_filter(filter_text)
    asked = Asked.SUMS if filter is None else Asked.LOOKUPS
    with opening.reader(arguments, opening.load_config(config), store=store, asked=asked) as reader:
        rows = reader.problems(filter)
        if not rows:
            opening.tell(opening.nothing(reader, "nothing failed", filter, "nothing that failed matches"))
    if format == "jsonl":
        output.jsonl(rows)
    elif format == "csv":
        export.problems_csv(rows, sys.stdout)
    else:
        for problem in dict.fromkeys(p.problem for p in rows):
            print(f"{str(problem).upper()}")
            for p in (p for p in rows if p.problem == problem):
                waiting = f", {p.open} waiting" if p.open else ""
                print(f"  {p.reason} at {output.clean(p.next_hop or '-')}: {p.messages} "
                      f"message{'s' * (p.messages != 1)}{waiting}, last {output.clock(p.last_at)}")
                print(f"    {output.cut(output.clean(p.sample_reply or ''), 200)}")
                if p.senders:
                    print(f"    from {', '.join(output.clean(sender) for sender in p.senders)}")
                print(f"    why: {p.cause}")
                print(f"    do:  {p.next_step}")
            print()
    return 0 if rows else 1


def _retry(queue: QueueRow) -> str:
    if queue.next_retry_at is None:
        return "-"
    return ("" if queue.retry_is_exact else "~") + output.clock(queue.next_retry_at)[11:]


def _age(now: datetime, then: datetime) -> str:
    return output.span(max((now - then).total_seconds(), 0.0))
