"""Overview: is mail flowing, what is stuck, why, and what comes in now."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from flowmon.model.answers import MessageRow, ProblemRow, QueueRow
from flowmon.model.outcomes import Outcomes
from flowmon.model.words import Problem
from flowmon.store.filter import Filter
from flowmon.store.protocol import Reader
from flowmon.tui.format import plural
from flowmon.tui.screens.base import Page
from flowmon.tui.screens.message_columns import message_columns
from flowmon.tui.screens.problem_columns import by_reason, panel_columns
from flowmon.tui.screens.problems import drill_into as drill_into_problem
from flowmon.tui.screens.queue_columns import queue_columns
from flowmon.tui.screens.queues import drill_into as drill_into_queue
from flowmon.tui.text import Line
from flowmon.tui.widgets.chart import ThroughputChart, columns_for
from flowmon.tui.widgets.health import HealthLine
from flowmon.tui.widgets.table import LineTable

FEED_ROWS = 50
PANELS = (
    ("delivery", "Delivery", (Problem.DELIVERY,)),
    ("routing", "Routing", (Problem.ROUTING,)),
    ("authentication", "Authentication", (Problem.AUTHENTICATION,)),
    ("policy", "Policy", (Problem.POLICY,)),
    ("spam", "Spam", (Problem.SPAM,)),
    ("both", "Policy, spam", (Problem.POLICY, Problem.SPAM)),
)
"""Identity, title and classes; `both` stands for the two before it where the screen is not wide."""


def _reason_key(row: ProblemRow) -> tuple[str, str]:
    return row.problem.value, row.reason


class Glance(NamedTuple):
    """All that the Overview shows."""

    throughput: list[Outcomes]
    queues: list[QueueRow]
    problems: list[ProblemRow]
    feed: list[MessageRow]


class OverviewPage(Page[Glance]):
    """Everything at a glance."""

    PLACE = "overview"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide"), (160, "-widest")]  # noqa: RUF012 - declared so by Textual
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("F", "follow", "Follow", id="overview.follow", show=False, tooltip="Go to the newest of the feed"),
        Binding("tab", "app.focus_next", "Next panel", id="overview.next", tooltip="Go to the next panel"),
    ]

    def body(self) -> ComposeResult:
        yield HealthLine()
        yield ThroughputChart()
        yield LineTable("Queues", queue_columns(brief=True), lambda row: (row.host, row.next_hop), id="queues")
        with Horizontal(id="panels"):
            for id_, title, _ in PANELS:
                yield LineTable(title, panel_columns(), _reason_key, id=id_, titles=False)
        yield LineTable("Latest", message_columns(by_activity=True), lambda row: row.id, id="feed")

    def question(self) -> Callable[[Reader, Filter | None], Glance]:
        count = columns_for(self.size.width)
        return lambda reader, by: Glance(
            reader.throughput(count, by),
            reader.queues(by),
            reader.problems(by),
            reader.rows(by, order="last_seen", limit=FEED_ROWS),
        )

    def show(self, answer: Glance) -> None:
        self.query_one(ThroughputChart).show(answer.throughput)
        queues = self.query_one("#queues", LineTable)
        queues.empty = self.nothing("No mail is waiting.", "Every message has been delivered, handed on or returned.")
        # no sum: a message may wait in several, and how many wait at all stands above
        queues.detail = [(f"  {plural(len(answer.queues), 'queue')} waiting, worst first", "muted")]
        queues.show(answer.queues)
        for id_, _, problems in PANELS:
            rows = by_reason([row for row in answer.problems if row.problem in problems])
            panel = self.query_one(f"#{id_}", LineTable)
            panel.empty = [[(f"{self.app.look.glyphs.ok} no failure", "good")]]
            count = sum(row.messages for row in rows)
            panel.detail = [(f" {count}", "bold warn" if count else "faint")]
            panel.show(rows)
        feed = self.query_one("#feed", LineTable)
        feed.empty = self.nothing("No message has been seen yet.", "They appear here as the logs tell of them.")
        feed.detail = self._of_the_feed
        feed.show(answer.feed)

    def _of_the_feed(self) -> Line:
        follows = self.query_one("#feed", LineTable).follows
        return [(f"  {'the last news comes first' if follows else 'F goes to the newest and follows it'}", "muted")]

    def _show_frame(self) -> None:
        super()._show_frame()
        if not self.is_mounted:
            return
        health = self.query_one(HealthLine)
        notices = self.all_notices()
        health.show(self.pulse, notices, paused=self.app.paused_words)

    @on(LineTable.Opened)
    def _opened(self, event: LineTable.Opened) -> None:
        event.stop()
        row = event.row
        if isinstance(row, QueueRow):
            drill_into_queue(self.app, row)
        elif isinstance(row, ProblemRow):
            drill_into_problem(self.app, row)
        elif isinstance(row, MessageRow):
            self.app.open_message(row.id)

    def copied(self) -> tuple[str | None, str]:
        focused = self.focused
        row = focused.current if isinstance(focused, LineTable) else None
        if isinstance(row, MessageRow):
            return self.app.name_of(row)
        return row.next_hop if isinstance(row, QueueRow | ProblemRow) else None, "the next hop"

    def action_follow(self) -> None:
        """Show the feed's newest row, and each as it comes."""
        feed = self.query_one("#feed", LineTable)
        feed.focus()
        feed.action_first()

    def on_mount(self) -> None:
        self.query_one("#queues", LineTable).focus()
