"""Problems: failures by class, reason and next hop, each with its cause and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TextIO

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from flowmon.checks.subject import of_problem
from flowmon.commands import export
from flowmon.model.answers import ProblemRow
from flowmon.model.words import Problem
from flowmon.store import filter as language
from flowmon.store.filter import Filter
from flowmon.store.protocol import Reader
from flowmon.tui.format import address, instant, plural
from flowmon.tui.glyphs import PROBLEM_TONES
from flowmon.tui.look import Look
from flowmon.tui.screens.base import Page
from flowmon.tui.screens.dns import ask_dns
from flowmon.tui.screens.problem_columns import problem_columns, problem_key
from flowmon.tui.shell import Shell
from flowmon.tui.terms import term
from flowmon.tui.text import Line, clean
from flowmon.tui.widgets.document import DocLine, Document, labelled
from flowmon.tui.widgets.table import LineTable


def drill_into(app: Shell, row: ProblemRow) -> None:
    """Go to the messages that failed this way."""
    app.drill("messages", problem_filter(row))


def problem_filter(row: ProblemRow) -> str:
    """The messages that failed this way, as a filter."""
    values = {"problem": row.problem.value, "reason": row.reason, "next": row.next_hop}
    return " ".join(language.term(key, value) for key, value in values.items() if value is not None)


class ProblemsPage(Page[list[ProblemRow]]):
    """Every group of failures, and all about the one under the cursor."""

    PLACE = "problems"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "dns", "DNS", id="problems.dns", tooltip="Ask the DNS about the next hop and the domains"),
    ]

    def body(self) -> ComposeResult:
        yield LineTable("Problems", problem_columns(), problem_key, id="problems")
        yield Document(self._about, id="about")

    @property
    def table(self) -> LineTable[ProblemRow]:
        """The table of groups."""
        return self.query_one("#problems", LineTable)

    def question(self) -> Callable[[Reader, Filter | None], list[ProblemRow]]:
        return lambda reader, by: reader.problems(by)

    def show(self, answer: list[ProblemRow]) -> None:
        self.table.empty = self.nothing("Nothing has failed.", "Failures appear here with their cause and what to do.")
        detail: Line = [("  failures: " if answer else "", "muted")]
        for problem in Problem:
            count = sum(row.messages for row in answer if row.problem is problem)
            if count:  # those of which there are none would not fit
                detail += [(f"{problem.value} ", "muted"), (f"{count}  ", PROBLEM_TONES[problem])]
        self.table.detail = detail
        self.table.show(answer)

    @on(LineTable.Moved, "#problems")
    def _moved(self, event: LineTable.Moved) -> None:
        event.stop()
        self.query_one(Document).rewrite()

    def _about(self, width: int, look: Look) -> list[DocLine]:
        row = self.table.current
        rule = look.glyphs.rule
        if row is None:
            return [DocLine([(rule * width, "rule")])]
        tone = PROBLEM_TONES[row.problem]
        title: Line = [
            (f"{look.glyphs.alert} {row.problem.value}", tone), (" / ", "muted"), (clean(row.reason), f"bold {tone}"),
        ]  # fmt: skip
        if row.next_hop:
            title += [(" towards ", "muted"), (clean(row.next_hop), "bold text")]
        used = sum(len(text) for text, _ in title)
        lines = [DocLine([*title, (" ", ""), (rule * max(0, width - used - 2), "rule")], copy=row.next_hop)]
        lines += labelled("Cause", row.cause, width)
        lines += labelled("Next step", row.next_step, width, "bold good")
        if row.sample_reply:
            lines += labelled("Last reply", row.sample_reply, width, "warn", copy=row.sample_reply)
        times = f"first {instant(row.first_at, look.zone)}, last {instant(row.last_at, look.zone)}"
        lines += labelled("Seen", times, width)
        waiting = f"; {plural(row.open, 'message')} still waiting" if row.open else "; none is waiting any more"
        counts = f"{plural(row.messages, 'message')}, {plural(row.recipients, 'recipient')}{waiting}"
        lines += labelled("Affected", counts, width)
        for label, field, values in (("Senders", "from", row.senders), ("Recipients", "to", row.sample_recipients)):
            for place, value in enumerate(values):
                lines += labelled(
                    label if place == 0 else "", address(value), width, term=term(field, value), copy=value
                )
        return lines

    @on(LineTable.Opened, "#problems")
    def _opened(self, event: LineTable.Opened) -> None:
        event.stop()
        if isinstance(event.row, ProblemRow):
            drill_into(self.app, event.row)

    def action_dns(self) -> None:
        """Ask the DNS about the next hop of the group under the cursor, and about the domains of its last failures."""
        if self.table.current is not None:
            ask_dns(self.app, of_problem(self.table.current))

    def export(self, reader: Reader, by: Filter | None, out: TextIO) -> int:
        return export.problems_csv(reader.problems(by), out)

    def copied(self) -> tuple[str | None, str]:
        focused = self.focused
        if isinstance(focused, Document):
            return focused.current.copy if focused.current else None, "the value"
        return self.table.current.sample_reply if self.table.current else None, "the last reply"

    def on_mount(self) -> None:
        self.table.focus()
