"""`flowmon report`: a summary of a period: totals as pflogsumm names them, outcomes, problems, what still waits."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from flowmon.commands import opening, output
from flowmon.commands.output import clean, clock
from flowmon.model.answers import ProblemRow, QueueRow, Totals
from flowmon.model.words import STATUS_BY_SEVERITY
from flowmon.store.filter import Filter
from flowmon.store.reader import SqliteReader
from flowmon.store.schema import Asked

_TOP = 20


class Report(msgspec.Struct):
    """The JSON of a report."""

    filter: str | None
    first_at: datetime | None
    last_at: datetime | None
    totals: Totals
    messages: dict[str, int]
    """Messages by the status of their worst recipient."""
    problems: list[ProblemRow]
    """All of them, and all queues; the text tells the first ones."""
    queues: list[QueueRow]


def run(
    arguments: list[str], filter_text: str | None, form: output.ReportForm, config: Path | None, store: Path | None
) -> int:
    """Print a report. Gives the exit status: 0, or 1 when there is nothing to report."""
    filter = opening.read_filter(filter_text)
    asked = Asked.SUMS if filter is None else Asked.LOOKUPS
    with opening.reader(arguments, opening.load_config(config), store=store, asked=asked) as reader:
        report = _make(reader, filter)
        told = bool(report.messages or any(msgspec.structs.astuple(report.totals)))
        why_not = "" if told else opening.nothing(reader, "nothing to report", filter, "nothing matches")
    if form == "json":
        if why_not:
            opening.tell(why_not)
        output.jsonl([report])
    else:
        _print(report, clean(why_not), markdown=form == "markdown")
    return 0 if told else 1


def _make(reader: SqliteReader, filter: Filter | None) -> Report:
    span = reader.span(filter)
    return Report(
        filter=filter.text if filter else None,
        first_at=span[0] if span else None, last_at=span[1] if span else None,
        totals=reader.totals(filter), messages=dict(reader.by_status(filter)),
        problems=reader.problems(filter), queues=reader.queues(filter),
    )


def _counted(messages: int) -> str:
    """So many messages, in words."""
    return f"{messages:,} message{'' if messages == 1 else 's'}"


def _print(report: Report, why_not: str, *, markdown: bool) -> None:
    def heading(text: str) -> None:
        print(f"\n## {text}\n" if markdown else f"\n{text}\n{'-' * len(text)}")

    print(("# " if markdown else "") + "Mail flow" + (f" where {report.filter}" if report.filter else ""))
    if why_not:
        print(f"\n{why_not[0].upper()}{why_not[1:]}." if markdown else f"  {why_not}")
        return
    print(f"{'' if markdown else '  '}{clock(report.first_at)} to {clock(report.last_at)}")
    heading("Log facts")
    for name, value in msgspec.structs.asdict(report.totals).items():
        name = name.replace("_", " ")
        print(f"- {name}: {value:,}" if markdown else f"  {value:>16,}  {name}")
    heading("Messages by outcome")
    for status in STATUS_BY_SEVERITY:
        count = report.messages.get(status)
        if count:
            print(f"- {status}: {count:,}" if markdown else f"  {count:>16,}  {status}")
    heading("Problems")
    if not report.problems:
        print("Nothing failed." if markdown else "  nothing failed")
    for p in report.problems[:_TOP]:
        line = f"{p.problem}: {p.reason} at {clean(p.next_hop or '-')}, {_counted(p.messages)}, {p.open:,} waiting"
        print(f"- **{line}**. {p.cause} {p.next_step}" if markdown else f"  {line}\n    {p.cause} {p.next_step}")
    _more([p.open for p in report.problems[_TOP:]], "problems")
    heading("Waiting")
    if not report.queues:
        print("No mail is waiting." if markdown else "  no mail is waiting")
    for q in report.queues[:_TOP]:
        line = f"{clean(q.next_hop)} on {q.host}: {_counted(q.messages)} since {clock(q.oldest_at)}"
        why = f", {q.reason}" if q.reason else ""
        print(f"- {line}{why}" if markdown else f"  {line}{why}")
    _more([q.messages for q in report.queues[_TOP:]], "queues")


def _more(waiting: list[int], what: str) -> None:
    """Say that a list goes on: with how many, in how many of them mail waits."""
    if waiting:
        some = sum(count > 0 for count in waiting)
        print(f"  … and {len(waiting)} more, {some} of them with mail that waits: flowmon {what} lists all")


