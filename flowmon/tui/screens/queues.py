"""Queues: what waits, for whom, since when and why; the worst first, and its ages below."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

from textual import on
from textual.app import ComposeResult

from flowmon.commands import export
from flowmon.model.answers import AGE_BUCKET_MINUTES, QueueRow
from flowmon.model.queue_words import differences
from flowmon.store import filter as language
from flowmon.store.filter import Filter
from flowmon.store.protocol import Reader
from flowmon.tui.format import address, age, clock, next_try, plural
from flowmon.tui.look import Look
from flowmon.tui.screens.base import Page
from flowmon.tui.screens.queue_columns import age_columns, queue_columns
from flowmon.tui.shell import Shell
from flowmon.tui.text import Line, clean, width_of
from flowmon.tui.widgets.document import DocLine, Document, labelled
from flowmon.tui.widgets.table import LineTable

ALL = "all queues"


def drill_into(app: Shell, row: QueueRow) -> None:
    """Go to the messages that wait in a queue."""
    app.drill("messages", queue_filter(row))


def queue_filter(row: QueueRow) -> str:
    """The messages that wait in a queue, as a filter."""
    everywhere = row.next_hop == ALL and not row.host
    return "status:open" if everywhere else language.term("queue", f"{row.host}/{row.next_hop}")


def summed(rows: list[QueueRow]) -> QueueRow:
    """All queues as one."""
    buckets = len(AGE_BUCKET_MINUTES) + 1
    return QueueRow(
        next_hop=ALL,
        host="",
        messages=sum(row.messages for row in rows),
        deferred=sum(row.deferred for row in rows),
        held=sum(row.held for row in rows),
        oldest_at=min(row.oldest_at for row in rows),
        in_per_minute=None,
        out_per_minute=None,
        velocity=None,
        next_retry_at=None,
        last_error=None,
        problem=None,
        reason=None,
        trend=[],
        ages=[sum(row.ages[place] for row in rows if place < len(row.ages)) for place in range(buckets)],
    )


class QueuesPage(Page[list[QueueRow]]):
    """Every queue with all that is known of it."""

    PLACE = "queues"

    def body(self) -> ComposeResult:
        def key(row: QueueRow) -> tuple[str, str]:
            return row.host, row.next_hop

        yield LineTable("Queues", queue_columns(), key, id="queues")
        yield Document(self._about, id="about")
        yield LineTable("Waiting by age", age_columns(), key, id="ages")

    @property
    def table(self) -> LineTable[QueueRow]:
        """The table of queues."""
        return self.query_one("#queues", LineTable)

    def question(self) -> Callable[[Reader, Filter | None], list[QueueRow]]:
        return lambda reader, by: reader.queues(by)

    def show(self, answer: list[QueueRow]) -> None:
        ages = self.query_one("#ages", LineTable)
        nothing = self.nothing("No mail is waiting.", "Every message has been delivered, handed on or returned.")
        self.table.empty = ages.empty = nothing
        # no sum: a message may wait in several
        self.table.detail = [(f"  {plural(len(answer), 'queue')} waiting, worst first", "muted")]
        ages.detail = [("  messages that wait up to so many minutes", "muted")]
        self.table.show(answer)
        ages.show([summed(answer), *answer] if answer else [])

    @on(LineTable.Moved, "#queues")
    def _moved(self, event: LineTable.Moved) -> None:
        event.stop()
        self.query_one(Document).rewrite()

    def age(self) -> None:
        super().age()
        self.query_one(Document).rewrite()

    def _about(self, width: int, look: Look) -> list[DocLine]:
        """Why the queue under the cursor waits, what to do, and what its MTA itself says."""
        row = self.table.current
        if row is None:
            return []
        rule = look.glyphs.rule
        title: Line = [(f" {clean(row.next_hop)}", "bold text"), (" on ", "muted")]
        title.append((f"{clean(row.host)} ", "bold text"))
        lines = [DocLine([*title, (rule * max(0, width - width_of(title)), "rule")], copy=row.next_hop)]
        if row.cause:
            lines += labelled("Cause", row.cause, width)
        if row.next_step:
            lines += labelled("Next step", row.next_step, width, "bold good")
        if row.last_error:
            lines += labelled("Last error", row.last_error, width, "warn", copy=row.last_error)
        elif not row.cause:
            lines += labelled("Last error", "none: nothing was tried yet, or no log line tells of it", width, "muted")
        if row.next_retry_at is not None:
            told = next_try(row.next_retry_at, look.now, look.zone, exact=row.retry_is_exact)
            lines += labelled("Next try", told, width)
        return [*lines, *self._listed(row, width, look)]

    def _listed(self, row: QueueRow, width: int, look: Look) -> list[DocLine]:
        """What the MTA's own list says beside the log."""
        if row.listed_at is None:
            return []
        told = "; ".join(differences(row)) or "it holds what the log tells of"
        lines = labelled("Queue", f"asked at {clock(row.listed_at, look.now, look.zone)}: {told}", width)
        for one in row.unlogged:
            more = len(one.recipients) - 3
            to = ", ".join(one.recipients[:3]) + (f" and {more} more" if more > 0 else "")
            way = f"{address(one.envelope_sender)} {look.glyphs.to} {to}"
            text = f"{one.queue_id}  {way}  for {age(one.arrived_at, look.now)}  {one.reason or ''}"
            lines += labelled("", text, width, "muted", copy=one.queue_id)
        return lines

    @on(LineTable.Opened)
    def _opened(self, event: LineTable.Opened) -> None:
        event.stop()
        if isinstance(event.row, QueueRow):
            drill_into(self.app, event.row)

    def export(self, reader: Reader, by: Filter | None, out: TextIO) -> int:
        return export.queues_csv(reader.queues(by), out)

    def copied(self) -> tuple[str | None, str]:
        if isinstance(self.focused, Document):
            return self.focused.current.copy if self.focused.current else None, "the value"
        row = self.table.current
        return row.next_hop if row else None, "the next hop"

    def on_mount(self) -> None:
        self.table.focus()
