"""What all places share: header, filter bar, key bar, and how they stay live.

A place asks nothing while the store's version stands still. When it moves, or the filter does, the questions are
asked in a thread; the answer is shown on the event loop. A new question replaces one whose answer is no longer wanted;
a mere change of the version waits for the answer under way, so that a slow question still comes to its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar, Generic, TextIO, TypeVar

from textual import events, getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input

from flowmon.commands import export
from flowmon.errors import StoreError
from flowmon.store.filter import Filter
from flowmon.store.protocol import Reader
from flowmon.tui.screens import asking
from flowmon.tui.screens.empty import nothing
from flowmon.tui.shell import Shell
from flowmon.tui.text import Line
from flowmon.tui.widgets.caption import CaptionLine
from flowmon.tui.widgets.document import Document
from flowmon.tui.widgets.filterbar import Chips, FilterBar
from flowmon.tui.widgets.header import Header, Pulse
from flowmon.tui.widgets.health import NOT_COLLECTING
from flowmon.tui.widgets.keybar import KeyBar
from flowmon.tui.widgets.table import LineTable

Answer = TypeVar("Answer")
AGE_SECONDS = 0.9
"""Ages are looked at with the next beat after so long."""
REST = 9
"""After an answer nothing is asked for so many times as long as it took: a long queue is asked for less often."""


class Page(Screen[None], Generic[Answer]):
    """A place one can go."""

    PLACE: ClassVar[str] = ""
    """Name in the header; a message has none of its own."""

    app = getters.app(Shell)

    BINDINGS: ClassVar[list[BindingType]] = [
        # by priority: what is typed on right behind it must find the line to write in
        Binding("slash", "edit_filter", "Filter", id="filter.edit", priority=True,
                tooltip="Write the filter of all screens"),
        Binding("backspace", "drop_term", "Drop term", id="filter.drop", tooltip="Take the last term away"),
        Binding("x", "exclude", "Exclude", id="filter.exclude", show=False, tooltip="Show all but the cell's value"),
        Binding("w", "window", "Time", id="filter.window", tooltip="Choose the time window of all screens"),
        Binding("f", "filters", "Filters", id="filter.choose", show=False, tooltip="Take a saved or an earlier filter"),
        Binding("s", "save_filter", "Save filter", id="filter.save", show=False, tooltip="Save the filter by a name"),
        Binding("e", "write", "Write file", id="write", show=False, tooltip="Write all that is shown to a file"),
        Binding("escape", "back", "Back", id="go.back", tooltip="Return to where you came from"),
        Binding("y", "copy", "Copy", id="copy", tooltip="Copy the cell, the message-id or the line (OSC 52)"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.pulse: Pulse | None = None
        self._version: int | None = None
        self._asked_filter = ""
        self.fault = ""
        self._turn = 0
        self._busy = False
        self._unasked = False
        """Something could not be asked, as the store did not even tell its version."""
        self._rest_until = self._next_age = 0.0
        self._minute: datetime | None = None
        """That of the last look at ages."""
        self._tables: list[LineTable[Any]] = []

    # What a place must say

    def body(self) -> ComposeResult:
        """The widgets between filter bar and key bar."""
        raise NotImplementedError

    def question(self) -> Callable[[Reader, Filter | None], Answer]:
        """What to ask now; called on the event loop, run in a thread."""
        raise NotImplementedError

    def show(self, answer: Answer) -> None:
        """Show an answer."""
        raise NotImplementedError

    def matching(self) -> str:
        """What stands at the right end of the filter bar."""
        return ""

    # How it stays live

    def compose(self) -> ComposeResult:
        yield Header(self.app.title, self.PLACE)
        yield FilterBar(self.app.check, self.app.reader.values, self.app.filters)
        yield CaptionLine()
        yield from self.body()
        yield KeyBar()

    def on_mount(self) -> None:
        self.set_class(self.app.look.glyphs.ascii, "-ascii")
        self.watch(self.app, "filter_text", self._state_changed, init=False)
        self.watch(self.app, "caption", self._caption_changed)
        self.watch(self.app, "paused", self._state_changed, init=False)
        self._tables = list(self.query(LineTable))
        self._show_frame()

    def look(self) -> None:
        """Look for news, and about once a second at ages."""
        if monotonic() >= self._next_age:
            self._next_age = monotonic() + AGE_SECONDS
            self.age()
        self.poll()

    def on_screen_suspend(self, event: events.ScreenSuspend) -> None:
        self.call_after_refresh(self.query_one(KeyBar).repaint)  # the keys of what lies above, once it has its focus

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        self.query_one(KeyBar).repaint()
        self._state_changed()

    @property
    def on_top(self) -> bool:
        """True where nothing lies over this screen (`is_current` holds for those below too)."""
        return self.app.screen is self

    def poll(self, *, force: bool = False) -> None:
        """Ask anew if the store or the filter has moved on."""
        if not self.on_top or not self.is_mounted:
            return
        filtered = self._asked_filter != self.app.filter_text
        if self.app.paused and not (force or filtered or self._version is None):
            return
        try:
            version = self.app.reader.version()
        except StoreError as fault:
            self._unasked = True
            self._failed(str(fault))
            return
        rest = self._rest_until - monotonic()
        if filtered or force or self._unasked:
            self._ask(version)
        elif version != self._version and not self._busy:
            if rest <= 0:
                self._ask(version)
            else:
                self.app.beat.strike_in(rest)

    def ask(self) -> None:
        """Ask anew because what is looked at changed, paused or not."""
        self.poll(force=True)

    def _ask(self, version: int) -> None:
        self._unasked = False
        self._turn += 1
        self._busy = True
        self._version = version
        self._asked_filter = self.app.filter_text
        self._answer(self._turn, self.question(), self.app.filter)

    @work(exclusive=True, group="answer")
    async def _answer(self, turn: int, question: Callable[[Reader, Filter | None], Answer], by: Filter | None) -> None:
        reader = self.app.reader
        began = monotonic()
        try:
            pulse, answer = await asyncio.to_thread(lambda: (self.app.progress.pulse(reader), question(reader, by)))
        except Exception as error:  # whatever the store raises, the screen goes on and says it
            self._failed(f"{error}" or type(error).__name__)
        else:
            self.fault = ""
            self.pulse = pulse
            self._rest_until = monotonic() + max((monotonic() - began) * REST, self.app.refresh_seconds)
            self.app.tell_time()
            with self.app.batch_update():
                self.show(answer)
                self._show_frame()
        finally:
            if turn == self._turn:
                self._busy = False
        self.app.beat.strike()

    def _failed(self, text: str) -> None:
        if text != self.fault:
            self.app.notify(text, title="The store could not answer", severity="error", markup=False)
        self.fault = text
        for table in self._tables:
            if not table.total:
                table.empty = [[("The store could not answer: ", "bad"), (text, "text")]]
                table.repaint()
        for document in self.query(Document):
            document.rewrite()
        self._show_frame()

    def age(self) -> None:
        """Ages grow though nothing happens; whatever else shows the time does so by the minute."""
        if self.on_top and not self.app.paused and self._version is not None:
            self.app.tell_time()
            now = self.app.look.now
            minute, self._minute = self._minute, now.replace(second=0, microsecond=0)
            if minute != self._minute:
                self.query_one(Header).repaint()
            for table in self._tables:
                if minute != self._minute:
                    table.repaint()
                else:
                    table.age()

    def _caption_changed(self) -> None:
        self.query_one(CaptionLine).show(self.app.caption)

    def _state_changed(self) -> None:
        if self.on_top:
            self._show_frame()
            self._next_age = 0.0
            self.look()

    def _show_frame(self) -> None:
        if not self.is_mounted:
            return
        self.query_one(Header).show(self.pulse, paused=self.app.paused_words, fault=self.fault)
        self.query_one(FilterBar).show(self.app.terms, self.matching())

    def all_notices(self) -> list[str]:
        """What needs an eye: the collector's state first, then its notices and the program's own."""
        notices = []
        if self.fault:
            notices.append(f"The store could not answer: {self.fault}")
        if self.pulse is not None:
            if not self.pulse.health.collecting:
                notices.append(NOT_COLLECTING)
            notices += self.pulse.health.notices
        return notices + self.app.notices

    def nothing(self, what: str, advice: str) -> list[Line]:
        """Why a panel is empty, and what to do."""
        return nothing(self.pulse, self.app.filter_text, what, advice)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "edit_filter":
            return not isinstance(self.focused, Input)
        if action == "write":
            return not self.app.is_web  # a visitor of `flowmon serve` writes nothing here
        if action == "drop_term":
            return bool(self.app.filter_text)
        if action == "back":
            return self.app.can_come_back or self._inside()
        return True

    def _inside(self) -> bool:
        """True where the focus is on a cell or a text, out of which Escape leads first."""
        focused = self.focused
        return isinstance(focused, Document) or (isinstance(focused, LineTable) and focused.in_cell)

    def action_edit_filter(self) -> None:
        """Write the filter."""
        self.query_one(FilterBar).edit()

    def action_window(self) -> None:
        """Choose the time that all screens show."""
        asking.choose_window(self.app)

    def action_filters(self) -> None:
        """Take a saved filter, or one that was used before."""
        asking.choose_filter(self.app)

    def action_save_filter(self) -> None:
        """Save the filter that stands."""
        asking.save_filter(self.app)

    def action_write(self) -> None:
        """Write what is shown to a file."""
        reader, by, kind = self.app.reader, self.app.filter, self.PLACE or "message"
        asking.write_file(self.app, kind, lambda path: self.write(path, reader, by))

    def write(self, path: Path, reader: Reader, by: Filter | None) -> int:
        """Write all that the screen could show, run in a thread; gives how many lines. Raises OSError, StoreError."""
        with path.open("x", encoding="utf-8", newline="") as out:
            return self.export(reader, by, out)

    def export(self, reader: Reader, by: Filter | None, out: TextIO) -> int:
        """The same as CSV: all messages of the filter where a screen has nothing else."""
        return export.messages_csv(reader.messages(by), out)

    def action_drop_term(self) -> None:
        """Take the last term of the filter away."""
        self.app.drop_term()

    def action_exclude(self) -> None:
        """Show all but what the chosen cell holds."""
        focused = self.focused
        if isinstance(focused, LineTable) and (term := focused.chosen_term()):
            self.app.add_terms(f"-{term}")
        else:
            self.app.notify("Choose a cell first: Right goes to the cells of a row")

    def action_back(self) -> None:
        """Leave the cell or the text, else return to where one came from."""
        if isinstance(self.focused, Document):
            self.query(LineTable).first().focus()
        elif not (isinstance(self.focused, LineTable) and self.focused.release_cell()):
            self.app.come_back()

    def action_copy(self) -> None:
        """Copy the chosen cell, or what names the row."""
        focused = self.focused
        text = focused.chosen_text() if isinstance(focused, LineTable) else None
        self.app.copy(*((text, "the value") if text else self.copied()))

    def copied(self) -> tuple[str | None, str]:
        """What `y` copies from the whole row, and what that is called."""
        return None, "the value"

    @on(LineTable.Chosen)
    @on(Document.Chosen)
    def _chosen(self, event: LineTable.Chosen | Document.Chosen) -> None:
        event.stop()
        self.app.add_terms(event.term)

    @on(FilterBar.Submitted)
    def _submitted(self, event: FilterBar.Submitted) -> None:
        event.stop()
        if self.app.set_filter(event.text):
            self.app.filters.used(self.app.filter_text)

    @on(Chips.Clicked)
    def _chip(self, event: Chips.Clicked) -> None:
        event.stop()
        self.app.remove_term(event.term)

    @on(Header.Clicked)
    def _tab(self, event: Header.Clicked) -> None:
        event.stop()
        self.app.go(event.place)
