"""Message: one message from end to end, down to the raw lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from flowmon.checks.subject import of_message
from flowmon.commands import export
from flowmon.model.answers import Detail
from flowmon.store.filter import Filter
from flowmon.store.protocol import Reader
from flowmon.tui.evidence import explained, read_lines
from flowmon.tui.look import Look
from flowmon.tui.screens.base import Page
from flowmon.tui.screens.dialogs import AskScreen
from flowmon.tui.screens.dns import ask_dns
from flowmon.tui.story import Story
from flowmon.tui.text import Line, wrap_line
from flowmon.tui.widgets.document import DocLine, Document

FILE_WIDTH = 140
"""Cells of a line in a file."""


class MessagePage(Page[Detail | None]):
    """Everything of one message; it lies over the screen it was opened from."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "Find", id="message.find", tooltip="Look for a text in the lines"),
        Binding("full_stop", "find_next", "Next match", id="message.find_next", show=False, tooltip="The next match"),
        Binding("r", "section('raw')", "Raw lines", id="message.raw", tooltip="Go to the log lines"),
        Binding("t", "section('timeline')", "Timeline", id="message.timeline", tooltip="Go to the timeline"),
        Binding("a", "section('attempts')", "Attempts", id="message.attempts", tooltip="Go to the attempts"),
        Binding("d", "dns", "DNS", id="message.dns", tooltip="Ask the DNS about the next hop and the domains"),
        Binding("n,right_square_bracket", "next(1)", "Next", id="message.next", tooltip="The next one of the list"),
        Binding("b,left_square_bracket", "next(-1)", "Before", id="message.before", tooltip="The one before it"),
    ]

    def __init__(self, message: int, neighbour: Callable[[int], int | None] | None = None) -> None:
        super().__init__()
        self._message = message
        self._neighbour = neighbour
        self._story: Story | None = None
        self._gone = False
        self._sought = ""

    def body(self) -> ComposeResult:
        yield Document(self._lines, id="story")

    def question(self) -> Callable[[Reader, Filter | None], Detail | None]:
        message = self._message
        return lambda reader, by: reader.detail(message)

    def show(self, answer: Detail | None) -> None:
        if answer is None:
            self._story, self._gone = None, True
            self.query_one(Document).rewrite()
        elif self._story is None or self._story.detail != answer:
            self._read(answer)

    @work(exclusive=True, group="raw")
    async def _read(self, detail: Detail) -> None:
        """Fetch the raw lines from their files and show it all; which rule reads each is told a moment later."""
        raw = await read_lines(detail.evidence)
        if self._story is None:
            self._tell(Story(detail, raw))
        self._tell(Story(detail, await explained(raw, self.app.rule_of)))

    def _tell(self, story: Story) -> None:
        self._story, self._gone = story, False
        self.query_one(Document).rewrite()

    def age(self) -> None:
        super().age()
        if self.on_top and not self.app.paused:
            self.query_one(Document).rewrite()

    def _lines(self, width: int, look: Look) -> list[DocLine]:
        if self._gone:
            return [
                DocLine([(" This message is no longer here.", "warn")]),
                DocLine([(" It was older than what is kept, or it turned out to be part of another.", "muted")]),
                DocLine([(" Esc", "key"), (" returns.", "muted")]),
            ]
        if self._story is None and self.fault:
            told: Line = [("The store could not answer: ", "bad"), (self.fault, "text")]
            return [DocLine([(" ", ""), *line]) for line in wrap_line(told, width - 1)]
        if self._story is None:
            return [DocLine([(" Reading …", "muted")])]
        return self._story.lines(width, look)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "edit_filter":
            return False  # the same key looks for a text here
        if action == "next":
            return self._neighbour is not None
        if action == "back":
            return True
        return super().check_action(action, parameters)

    def action_section(self, name: str) -> None:
        """Go to a part of the text."""
        self.query_one(Document).go_to(name)

    def action_find(self) -> None:
        """Look for a text in all lines."""
        def look(text: str | None) -> None:
            if text is not None:
                self._sought = text
                self._find(again=False)

        note = "in all lines of the message; a full stop goes to the next"
        self.app.push_screen(AskScreen("Find", self._sought, note=note), look)

    def action_find_next(self) -> None:
        """Go to the next line that holds the text."""
        self._find(again=True)

    def _find(self, *, again: bool) -> None:
        count = self.query_one(Document).find(self._sought, again=again)
        if self._sought and not count:
            self.app.notify(f"No line holds {self._sought}", severity="warning", markup=False)

    def action_dns(self) -> None:
        """Ask the DNS about the message's domains, next hop and client."""
        if self._story is not None:
            ask_dns(self.app, of_message(self._story.detail.message))

    def action_next(self, by: int) -> None:
        """Go to the next message of the list below."""
        found = self._neighbour(by) if self._neighbour else None
        if found is None:
            self.app.notify("There is no further message in this direction")
            return
        self._message = found
        self.query_one(Document).top()
        self.ask()

    def action_back(self) -> None:
        """Return to where it was opened."""
        self.dismiss()

    @on(Document.Followed)
    def _followed(self, event: Document.Followed) -> None:
        event.stop()
        self.app.open_message(event.message)

    @on(Document.Chosen)
    def _to_list(self, event: Document.Chosen) -> None:
        event.stop()
        event.prevent_default()  # the page's own handler would only narrow the filter
        self.app.drill("messages", event.term)

    def write(self, path: Path, reader: Reader, by: Filter | None) -> int:
        if self._story is None:
            return export.text(path, [])
        lines = self._story.lines(FILE_WIDTH, self.app.look)
        return export.text(path, ("".join(text for text, _ in line.line) for line in lines))

    def copied(self) -> tuple[str | None, str]:
        line = self.query_one(Document).current
        if line is not None and line.copy:
            return line.copy, "the value"
        return self._story.detail.message.message_id if self._story else None, "the message-id"

    def on_mount(self) -> None:
        self.query_one(Document).focus()
