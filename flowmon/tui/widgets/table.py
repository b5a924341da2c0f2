"""A table of any number of rows that holds only those near its window.

Rows come as a window (`show`) of a whole of `total` rows. The cursor is a row's identity, not a place: when rows come
in above, it stays on its row and the row stays where it is on the screen. Only at the top it follows the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from flowmon.tui.look import Look, joined
from flowmon.tui.text import Line, fit_line, wrap_line
from flowmon.tui.widgets.columns import GAP, Column, Row, layout
from flowmon.tui.widgets.lines import LineWidget, heading, scrollbar


class LineTable(LineWidget, Generic[Row], can_focus=True):
    """A table with a heading line, column titles, and a cursor of rows and cells."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="table.open", tooltip="Open what the row tells of"),
        Binding("up,k", "move(-1)", "Up", id="table.up", show=False),
        Binding("down,j", "move(1)", "Down", id="table.down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="table.page_up", show=False),
        Binding("pagedown", "page(1)", "Page down", id="table.page_down", show=False),
        Binding("home,g", "first", "First row", id="table.first", show=False),
        Binding("end,G", "last", "Last row", id="table.last", show=False),
        Binding("right,l", "cell(1)", "Cell", id="table.right", tooltip="Choose a cell: Enter filters by its value"),
        Binding("left,h", "cell(-1)", "Cell to the left", id="table.left", show=False),
    ]

    @dataclass
    class Opened(Message):
        """Enter on a whole row."""

        table: LineTable[Any]
        row: object

        @property
        def control(self) -> LineTable[Any]:
            """The table, for `@on` with a selector."""
            return self.table

    @dataclass
    class Chosen(Message):
        """Enter on a cell: its term goes into the filter."""

        term: str

    @dataclass
    class Moved(Message):
        """The cursor is on another row."""

        table: LineTable[Any]

        @property
        def control(self) -> LineTable[Any]:
            """The table, for `@on` with a selector."""
            return self.table

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LineTable.Moved)

    @dataclass
    class Wanted(Message):
        """The window has moved to rows that are not here yet."""

        table: LineTable[Any]

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LineTable.Wanted)

    def __init__(
        self,
        title: str,
        columns: Sequence[Column[Row]],
        key: Callable[[Row], Hashable],
        *,
        id: str | None = None,
        titles: bool = True,
    ) -> None:
        super().__init__(id=id)
        self.title = title
        self.detail: Line | Callable[[], Line] = []
        """Behind the title; a function where it tells of cursor and window, which move without an answer."""
        self.columns = columns
        self.titles = titles
        self.total = 0
        self.first = 0
        """Place of the top row of the window."""
        self.empty: list[Line] = [[("Reading …", "muted")]]
        """What stands where no row is."""
        self._key = key
        self._rows: Sequence[Row] = ()
        self._start = 0
        self._cursor = 0
        self._cell: str | None = None
        self._ages: list[Line] = []
        self._made: dict[tuple[object, ...], Line | Strip] = {}
        """Lines of rows as they were made: most keys change two of them."""
        self._made_for: tuple[object, ...] = (None,) * 5
        """For which look, width and rows."""

    # What is shown

    @property
    def height(self) -> int:
        """Rows that fit."""
        return max(0, self.size.height - 1 - self.titles)

    @property
    def cursor(self) -> int:
        """Place of the row under the cursor."""
        return self._cursor

    @property
    def current(self) -> Row | None:
        """The row under the cursor; None where there is none, or it is not here yet."""
        return self.row_at(self._cursor)

    def row_at(self, place: int) -> Row | None:
        """The row at a place of the whole, if it is here."""
        index = place - self._start
        return self._rows[index] if 0 <= index < len(self._rows) else None

    def show(self, rows: Sequence[Row], *, total: int | None = None, start: int = 0) -> None:
        """Take new rows: those from place `start` of `total`. Cursor and window stay on what they show."""
        held = self.current
        follow = self.follows
        self._rows, self._start = rows, start
        self.total = len(rows) if total is None else total
        if held is not None and not follow:
            self._keep(self._key(held))
        self._limit()
        self.repaint()
        self.post_message(self.Moved(self))

    def age(self) -> None:
        """Repaint where the text of an age has grown."""
        look = self.look
        rows = [row for place in range(self.first, self.first + self.height) if (row := self.row_at(place)) is not None]
        ages = [column.cell(row, look, column.width) for column in self.columns if column.ages for row in rows]
        if ages != self._ages:
            self._ages = ages
            self.repaint()

    def reset(self) -> None:
        """Start at the top: the question changed."""
        self._cursor = self.first = self._start = 0
        self._rows = ()
        self.total = 0
        self._cell = None

    def _keep(self, key: Hashable) -> None:
        for index, row in enumerate(self._rows):
            if self._key(row) == key:
                moved = self._start + index - self._cursor
                self._cursor += moved
                self.first += moved
                return

    def _limit(self) -> None:
        """Keep the cursor on a row and the window around the cursor."""
        self._cursor = max(0, min(self._cursor, self.total - 1))
        lowest = max(0, self.total - self.height)
        self.first = max(0, min(self.first, lowest, self._cursor))
        if self.height and self._cursor >= self.first + self.height:
            self.first = self._cursor - self.height + 1

    def lines(self, width: int, height: int) -> list[Line | Strip]:
        look = self.look
        room = width - 2
        columns = layout(self.columns, room - 1)
        detail = self.detail() if callable(self.detail) else self.detail
        made: list[Line | Strip] = [heading(self.title, detail, width, look, focused=self.has_focus)]
        if self.titles:
            made.append(self._titles(columns))
        rows = height - len(made)
        if not self.total:
            return [*made, *([("  ", ""), *part] for line in self.empty for part in wrap_line(line, room - 1))]
        bar = scrollbar(rows, self.total, self.first, look)
        made_for = (look, self._rows, self.columns, width, self._start)
        same = all(now is then for now, then in zip(made_for[:3], self._made_for[:3], strict=True))
        if not same or made_for[3:] != self._made_for[3:]:
            self._made, self._made_for = {}, made_for
        for y in range(min(rows, self.total - self.first)):
            place = self.first + y
            under = place == self._cursor and self.has_focus
            key = (place, under, self._cell if under else None, bar[y])
            line = self._made.get(key)
            if line is None:
                line = self._made[key] = self._row(place, columns, width, bar[y], look)
            made.append(line)
        return made

    def _titles(self, columns: list[tuple[Column[Row], int]]) -> Line:
        line: Line = [("  ", "")]
        for column, width in columns:
            chosen = self.has_focus and column.key == self._cell
            title = fit_line([(column.title, "key" if chosen else "muted")], width, column.align)
            line += [*title, (" " * GAP, "")]
        return line

    def _row(
        self, place: int, columns: list[tuple[Column[Row], int]], width: int, bar: tuple[str, str], look: Look
    ) -> Line | Strip:
        row = self.row_at(place)
        if row is None:
            return [("  ", ""), ("…", "faint")]
        under = place == self._cursor
        back = ("cursor" if self._cell is None else "blurred") if under and self.has_focus else ""
        line: Line = [(look.glyphs.cursor + " " if under and self.has_focus else "  ", "key")]
        segments = look.segments(line, 2, back)
        used = 2
        for column, size in columns:
            here = "cursor" if back and column.key == self._cell else back
            cell = fit_line(column.cell(row, look, size), size, column.align)
            segments += look.segments(cell, size, here)
            gap = min(GAP, width - 1 - used - size)
            segments += look.segments([(" " * gap, "")], gap, back)
            used += size + gap
        rest = width - 1 - used
        if rest > 0:
            segments += look.segments([(" " * rest, "")], rest, back)
        segments += look.segments([bar], 1)
        return joined(segments, width)

    # Keys and mouse

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "cell":
            return any(column.term for column in self.columns)
        return True

    def action_move(self, by: int) -> None:
        """Go up or down."""
        self.move_to(self._cursor + by)

    def action_page(self, by: int) -> None:
        """Go up or down by what is visible."""
        step = by * max(1, self.height - 1)
        self.first += step
        self.move_to(self._cursor + step)

    def action_first(self) -> None:
        """Go to the first row, and follow what is newest."""
        self.first = 0
        self.move_to(0)

    @property
    def follows(self) -> bool:
        """True where the newest row is shown as it comes."""
        return self._cursor == self.first == 0

    def action_last(self) -> None:
        """Go to the last row."""
        self.move_to(self.total - 1)

    def action_cell(self, by: int) -> None:
        """Choose the next cell that has a term; left of the first is the whole row again."""
        keys = [column.key for column, _ in layout(self.columns, self.size.width - 3) if column.term]
        place = keys.index(self._cell) if self._cell in keys else -1
        place = min(place + by, len(keys) - 1)
        self._cell = keys[place] if place >= 0 else None
        self.repaint()
        self.refresh_bindings()

    def action_open(self) -> None:
        """Open the row, or add the chosen cell's value to the filter."""
        if self._cell is not None:
            if chosen := self.chosen_term():
                self.post_message(self.Chosen(chosen))
        elif self.current is not None:
            self.post_message(self.Opened(self, self.current))

    @property
    def in_cell(self) -> bool:
        """True where a cell is chosen, not the whole row."""
        return self._cell is not None

    def release_cell(self) -> bool:
        """Take the whole row again; False where no cell was chosen."""
        if self._cell is None:
            return False
        self._cell = None
        self.repaint()
        self.refresh_bindings()
        return True

    def chosen_term(self) -> str | None:
        """The filter term of the chosen cell."""
        column = self._chosen()
        row = self.current
        return column.term(row) if column and column.term and row is not None else None

    def chosen_text(self) -> str | None:
        """What the chosen cell holds, to be copied."""
        column = self._chosen()
        row = self.current
        return column.text(row) if column and column.text and row is not None else None

    def _chosen(self) -> Column[Row] | None:
        return next((column for column in self.columns if column.key == self._cell), None)

    def move_to(self, place: int) -> None:
        """Put the cursor on the row at a place."""
        self._cursor = place
        self._limit()
        self.repaint()
        self.post_message(self.Moved(self))
        if self.missing():
            self.post_message(self.Wanted(self))

    def missing(self) -> bool:
        """True where a row of the window is not here."""
        last = min(self.first + self.height, self.total) - 1
        return last >= self.first and (self.row_at(self.first) is None or self.row_at(last) is None)

    def on_resize(self, event: events.Resize) -> None:
        self._limit()
        if self.missing():
            self.post_message(self.Wanted(self))

    def on_click(self, event: events.Click) -> None:
        place = self.first + event.y - 1 - self.titles
        if event.y < 1 + self.titles or place >= self.total:
            return
        self._cell = None
        again = place == self._cursor and event.chain > 1
        self.move_to(place)
        if again:
            self.action_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.move_to(self._cursor + 3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.move_to(self._cursor - 3)
