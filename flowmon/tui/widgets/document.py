"""Lines of text to walk through: the parts of one message, help, the detail of a problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from flowmon.tui.look import Look, joined
from flowmon.tui.text import Line, clean, width_of, wrap
from flowmon.tui.widgets.lines import LineWidget, scrollbar


@dataclass(frozen=True)
class DocLine:
    """One line: what it shows, and what may be done with it."""

    line: Line
    term: str | None = None
    """Enter adds this to the filter."""
    copy: str | None = None
    """`y` copies this."""
    message: int | None = None
    """Enter opens this message."""
    section: str | None = None
    """Name of the section that begins here."""

    @property
    def active(self) -> bool:
        """True where Enter or `y` do something."""
        return self.term is not None or bool(self.copy) or self.message is not None


LABEL = 11


def labelled(
    label: str, text: str, width: int, tone: str = "text", *, term: str | None = None, copy: str | None = None,
    message: int | None = None,
) -> list[DocLine]:  # fmt: skip
    """A label, and beside it a text in as many lines as it takes."""
    return [
        DocLine(
            [(f" {label if place == 0 else '':<{LABEL}} ", "muted"), (piece, tone)],
            term=term, copy=copy, message=message,
        )
        for place, piece in enumerate(wrap(clean(text), max(10, width - LABEL - 2)))
    ]  # fmt: skip


def section(title: str, width: int, look: Look, name: str | None = None) -> DocLine:
    """The line that begins a part of the text."""
    rule = look.glyphs.rule
    head: Line = [(f"{rule} ", "rule"), (title, "heading"), (" ", "")]
    return DocLine([*head, (rule * max(0, width - width_of(head)), "rule")], section=name)


def quiet(text: str) -> DocLine:
    """A line that says why nothing stands here."""
    return DocLine([(f" {text}", "muted")])


def plain_text(line: DocLine) -> str:
    """What a line says, without tones."""
    return "".join(text for text, _ in line.line)


def marked(line: Line, sought: str) -> Line:
    """A line with each place of a text (in lower case) turned over."""
    made: Line = []
    for text, tone in line:
        lower, at = text.lower(), 0
        while len(lower) == len(text) and (found := lower.find(sought, at)) >= 0:
            made += [(text[at:found], tone), (text[found : found + len(sought)], f"reverse {tone}")]
            at = found + len(sought)
        made.append((text[at:], tone))
    return made


Composer = Callable[[int, Look], list[DocLine]]
"""Writes the lines for a width."""


class Document(LineWidget, can_focus=True):
    """Lines that scroll, with a cursor that stops at lines of which something can be done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open or filter", id="document.open", tooltip="Open, or filter by the value"),
        Binding("up,k", "move(-1)", "Up", id="document.up", show=False),
        Binding("down,j", "move(1)", "Down", id="document.down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="document.page_up", show=False),
        Binding("pagedown", "page(1)", "Page down", id="document.page_down", show=False),
        Binding("home,g", "edge(-1)", "Top", id="document.first", show=False),
        Binding("end,G", "edge(1)", "End", id="document.last", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """Enter on a line that holds a value."""

        term: str

    @dataclass
    class Followed(Message):
        """Enter on a line that leads to another message."""

        message: int

    def __init__(self, compose: Composer, *, id: str | None = None, cursor: bool = True, focus: bool = True) -> None:
        super().__init__(id=id)
        self.can_focus = focus
        self._composer = compose
        self._cursor_shown = cursor
        self._lines: list[DocLine] = []
        self._composed_for = 0
        self.first = 0
        self._cursor = 0
        self._sought = ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "open" or self._cursor_shown  # without a cursor there is nothing to open

    @property
    def current(self) -> DocLine | None:
        """The line under the cursor."""
        self._write()
        return self._lines[self._cursor] if self._cursor < len(self._lines) else None

    def rewrite(self) -> None:
        """The text changed: write it anew, and show the lines that differ."""
        self._composed_for = 0
        self.repaint()

    def top(self) -> None:
        """Go to the beginning: another text."""
        self.first = self._cursor = 0

    def point(self, place: int) -> None:
        """Put the cursor on a line."""
        self._cursor = place
        self.repaint()

    def go_to(self, section: str) -> bool:
        """Go to a section; False where the text has none of that name."""
        self._write()
        for place, line in enumerate(self._lines):
            if line.section == section:
                self._cursor = min(place + 1, len(self._lines) - 1)
                self.first = place
                self._limit()
                self.repaint()
                return True
        return False

    def find(self, text: str, *, again: bool = False) -> int:
        """Go to the next line that holds a text, whatever its case, and mark it; gives how many lines do.

        `again`: not the line under the cursor itself. After the last comes the first.
        """
        self._write()
        self._sought = text.lower()
        places = [place for place, line in enumerate(self._lines) if self._sought in plain_text(line).lower()]
        if text and places:
            start = self._cursor + again
            self._cursor = next((place for place in places if place >= start), places[0])
            self.first = min(self.first, max(0, self._cursor - 2))
        self.repaint()
        return len(places) if text else 0

    def lines(self, width: int, height: int) -> list[Line | Strip]:
        self._write()
        self._limit()
        look = self.look
        bar = scrollbar(height, len(self._lines), self.first, look)
        made: list[Line | Strip] = []
        for y, line in enumerate(self._lines[self.first : self.first + height]):
            under = self._cursor_shown and self.has_focus and self.first + y == self._cursor
            back = "cursor" if under and line.active else "blurred" if under else ""
            mark: Line = [(look.glyphs.cursor if under else " ", "key")]
            shown = marked(line.line, self._sought) if self._sought else line.line
            body = [*look.paint([*mark, *shown], width - 1, back), *look.paint([bar[y]], 1)]
            made.append(joined(body, width))
        return made

    def _write(self) -> None:
        width = self.size.width
        if width and self._composed_for != width:
            self._lines = self._composer(width - 3, self.look)
            self._composed_for = width

    def _limit(self) -> None:
        height = self.size.height
        self._cursor = max(0, min(self._cursor, len(self._lines) - 1))
        self.first = max(0, min(self.first, len(self._lines) - height))
        if self._cursor_shown:
            self.first = max(min(self.first, self._cursor), self._cursor - height + 1)

    def action_move(self, by: int) -> None:
        """Go up or down a line; without a cursor, scroll."""
        if self._cursor_shown:
            self._cursor += by
        else:
            self.first += by
        self.repaint()

    def action_page(self, by: int) -> None:
        """Go up or down by what is visible."""
        step = by * max(1, self.size.height - 1)
        self.first += step
        self._cursor += step
        self.repaint()

    def action_edge(self, end: int) -> None:
        """Go to the beginning or the end."""
        self.first = self._cursor = 0 if end < 0 else max(0, len(self._lines) - 1)
        self.repaint()

    def action_open(self) -> None:
        """Follow the line to another message, or add its value to the filter."""
        line = self.current
        if line is None:
            return
        if line.message is not None:
            self.post_message(self.Followed(line.message))
        elif line.term is not None:
            self.post_message(self.Chosen(line.term))

    def on_click(self, event: events.Click) -> None:
        self._cursor = self.first + event.y
        self.repaint()
        if event.chain > 1:
            self.action_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._scroll(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._scroll(-3)

    def _scroll(self, by: int) -> None:
        self.first += by
        self._cursor += by
        self.repaint()
