"""Messages: a table over any number of rows, of which only those near the window are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from flowmon.model.answers import MessageRow
from flowmon.store.filter import Filter
from flowmon.store.protocol import Reader
from flowmon.tui.format import number, plural
from flowmon.tui.screens.base import Page
from flowmon.tui.screens.message_columns import message_columns
from flowmon.tui.text import Line
from flowmon.tui.widgets.table import LineTable


class Order(NamedTuple):
    """A way to sort, and how the heading says it."""

    name: str
    descending: bool
    words: str


ORDERS = (
    Order("first_seen", True, "newest first"),
    Order("last_seen", True, "latest news first"),
    Order("status", True, "worst first"),
    Order("age", True, "oldest first"),
    Order("attempts", True, "most tries first"),
    Order("size", True, "largest first"),
    Order("sender", False, "by sender"),
)


class Window(NamedTuple):
    """Rows from a place on, of how many."""

    total: int
    start: int
    rows: list[MessageRow]


class MessagesPage(Page[Window]):
    """Every message, as filtered."""

    PLACE = "messages"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("F", "follow", "Follow", id="messages.follow", tooltip="Go to the newest, and show each as it comes"),
        Binding("o", "order", "Order", id="messages.order", tooltip="Sort by something else"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._order = 0
        self._shown_filter = ""
        self._answered: str | None = None
        """The filter of what is shown."""

    def body(self) -> ComposeResult:
        yield LineTable("Messages", message_columns(), lambda row: row.id, id="messages")

    @property
    def table(self) -> LineTable[MessageRow]:
        """The table of messages."""
        return self.query_one("#messages", LineTable)

    def question(self) -> Callable[[Reader, Filter | None], Window]:
        if self._shown_filter != self.app.filter_text:
            self._shown_filter = self.app.filter_text
            self.table.reset()
        height = max(10, self.table.height or self.app.size.height)  # it has no height before it was laid out
        first, order = max(0, self.table.first - height), ORDERS[self._order]

        def ask(reader: Reader, by: Filter | None) -> Window:
            total = reader.count(by)
            start = min(first, max(0, total - height))
            rows = reader.rows(
                by, order=order.name, descending=order.descending, limit=3 * height, offset=start
            )
            return Window(max(total, start + len(rows)), start, rows)

        return ask

    def show(self, answer: Window) -> None:
        table = self.table
        table.empty = self.nothing("No message has been seen yet.", "They appear here as the logs tell of them.")
        table.detail = self._heading
        table.show(answer.rows, total=answer.total, start=answer.start)
        self._answered = self._asked_filter

    def _heading(self) -> Line:
        """How many there are, in which order, and whether the newest is shown as it comes."""
        order = ORDERS[self._order]
        table = self.table
        live = table.follows and order.name in ("first_seen", "last_seen")
        told = f"  {plural(table.total, 'message')}, {order.words}"
        return [(told, "muted"), ("; following" if live else "", "good")]

    def matching(self) -> str:
        told = self._answered == self.app.filter_text != ""  # nothing is said of a filter that is still being asked
        return f"{number(self.table.total)} match" if told else ""

    @on(LineTable.Wanted)
    def _wanted(self, event: LineTable.Wanted) -> None:
        event.stop()
        self.ask()

    @on(LineTable.Opened, "#messages")
    def _opened(self, event: LineTable.Opened) -> None:
        event.stop()
        if isinstance(event.row, MessageRow):
            self.app.open_message(event.row.id)

    def action_follow(self) -> None:
        """Show the latest news, and each as it comes."""
        if ORDERS[self._order].name not in ("first_seen", "last_seen"):
            self._order = 0
        self.table.action_first()
        self.ask()

    def action_order(self) -> None:
        """Sort by the next order."""
        self._order = (self._order + 1) % len(ORDERS)
        self.table.columns = message_columns(by_activity=ORDERS[self._order].name == "last_seen")
        self.table.reset()
        self.ask()

    def neighbour(self, by: int) -> int | None:
        """The message above or below, to which the cursor goes; None at the ends."""
        before = self.table.cursor
        self.table.move_to(before + by)
        row = self.table.current
        return row.id if row is not None and self.table.cursor != before else None

    def copied(self) -> tuple[str | None, str]:
        row = self.table.current
        return self.app.name_of(row) if row is not None else super().copied()

    def on_mount(self) -> None:
        self.table.focus()
