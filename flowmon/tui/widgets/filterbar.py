"""The one filter bar: shows what is filtered, and is the place to write it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from flowmon.store.completion import Proposals, Values, propose
from flowmon.tui.filters import FilterBook
from flowmon.tui.text import Line, clean, fit, width_of, wrap, wrap_line
from flowmon.tui.widgets.lines import GrowingLines, LineWidget

HINT = ("from: to: host: next: queue: status: problem: reason:"
        " scenario: direction: age> size> time:  not or ( )  -exclude")
SHORT_HINT = HINT[: HINT.index(" scenario")] + " …"


ROOM = 50
"""Cells that a fault needs at least to stand below its place."""
EXAMPLE = "from:@example.com status:deferred -host:relay2"


@dataclass(frozen=True)
class Fault:
    """Why a filter text is not understood."""

    text: str
    place: int | None
    """Where in the text; None where it cannot be told."""


Check = Callable[[str], Fault | None]


class FilterInput(Input):
    """The line to write in."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Apply", id="filter.apply"),
        Binding("tab", "complete(1)", "Complete", id="filter.complete", tooltip="Take a proposal, then the next one"),
        Binding("shift+tab", "complete(-1)", "Proposal before", id="filter.complete_back", show=False),
        Binding("up", "recall(-1)", "Earlier", id="filter.earlier"),
        Binding("down", "recall(1)", "Later", id="filter.later", show=False),
    ]

    def __init__(self, book: FilterBook, values: Values) -> None:
        super().__init__(placeholder=EXAMPLE, compact=True, select_on_focus=False)
        self._book, self._values = book, values
        self._back = 0
        """How far back in the history; 0 is what was being written."""
        self._written = ""
        self.proposals = Proposals(0, [])
        self.taken: int | None = None
        """Place of the proposal that stands in the text; None where what stands was written."""

    def propose(self) -> None:
        """Look what may be written next; while one of several proposals stands in the text, they stay, unless it is a
        key, which leads on to its values."""
        start, texts = self.proposals
        if self.taken is None or len(texts) == 1 or self.value[start:] != texts[self.taken] or self.value[-1:] == ":":
            self.proposals, self.taken = propose(self.value, self._values), None

    def action_complete(self, by: int) -> None:
        """Take the first proposal, then the one after it or before it."""
        start, texts = self.proposals
        if texts and self.cursor_position == len(self.value):
            before = self.taken if self.taken is not None else -1 if by > 0 else 0
            self.taken = (before + by) % len(texts)
            self.value = self.value[:start] + texts[self.taken]
            self.cursor_position = len(self.value)

    def action_recall(self, by: int) -> None:
        """Go through the filters used before."""
        history = self._book.history
        place = max(0, min(len(history), self._back - by))
        if place == self._back:
            return
        if self._back == 0:
            self._written = self.value
        self._back = place
        self.value = history[-place] if place else self._written
        self.cursor_position = len(self.value)

    def begin(self, text: str) -> None:
        """Write from a text on."""
        self._back = 0
        self.value = text
        self.cursor_position = len(text)


class Prompt(LineWidget):
    """The sign before the line to write in."""

    def lines(self, width: int, height: int) -> list[Line | Strip]:
        return [[(" / ", "key")]]


class Chips(LineWidget):
    """The filter as it stands: one chip for each term."""

    @dataclass
    class Clicked(Message):
        """A chip was clicked: its term goes away."""

        term: str

    def __init__(self) -> None:
        super().__init__()
        self._terms: Sequence[str] = ()
        self._note = ""
        self._spots: list[tuple[int, int, str]] = []

    def show(self, terms: Sequence[str], note: str) -> None:
        """Take the filter's terms and what is said about it."""
        self._terms, self._note = terms, note
        self.repaint()

    def lines(self, width: int, height: int) -> list[Line | Strip]:
        line: Line = [(" / ", "key")]
        terms = self._terms
        note = self._note
        if not terms:
            line.append(("everything is shown", "muted"))
        else:
            line.append(("filter ", "muted"))
        look = self.look
        strip = list(look.paint(line, width_of(line)))
        used = width_of(line)
        room = width - len(note) - 3
        self._spots = []
        for place, term in enumerate(terms):
            text = f" {clean(term)} "
            left = room - used - (3 if place + 1 < len(terms) else 0)
            if left < 8:
                strip += look.paint([("…", "muted")], 2)
                used += 2
                break
            text = fit(text, min(cell_len(text), left))
            strip += look.paint([(text, "text")], cell_len(text), "chip")
            strip += look.paint([(" ", "")], 1)
            self._spots.append((used, used + cell_len(text), term))
            used += cell_len(text) + 1
        rest = max(0, width - used)
        tail = look.paint([(note.rjust(rest - 1) if len(note) < rest else "", "muted")], rest)
        return [Strip([*strip, *tail]).crop(0, width)]

    def on_click(self, event: events.Click) -> None:
        for start, end, term in self._spots:
            if start <= event.x < end:
                self.post_message(self.Clicked(term))


class FilterHint(GrowingLines):
    """Below the text while it is written: the fault with its place, or what may be written."""

    back = "bar"

    def __init__(self) -> None:
        super().__init__()
        self._fault: Fault | None = None
        self._proposed: Sequence[str] = ()
        self._taken: int | None = None

    def show(self, fault: Fault | None, proposed: Sequence[str] = (), taken: int | None = None) -> None:
        """Take the fault of the text as it stands, what may be written next, and which of that stands already."""
        self._fault, self._proposed, self._taken = fault, proposed, taken
        self.repaint()

    def lines(self, width: int, height: int) -> list[Line | Strip]:
        fault = self._fault
        if self._proposed:
            tones = ["muted"] * len(self._proposed)
            tones[self._taken or 0] = "bold text"
            texts = [(f"{clean(one)}  ", tone) for one, tone in zip(self._proposed, tones, strict=True)]
            top, *below = wrap_line([("Tab ", "key"), *texts], width - 7)
            return [[("   ", ""), *top], *([("       ", ""), *line] for line in below)]
        if fault is None:
            return [[("   ", ""), (HINT if width >= len(HINT) + 3 else SHORT_HINT, "muted")]]
        text = clean(fault.text)
        place = 3 + (fault.place or 0)
        if fault.place is None or (place + 2 + cell_len(text) > width and width - place < ROOM):
            mark = f"at {fault.place + 1}: " if fault.place is not None else ""
            return [[("   ", ""), (piece, "bold bad")] for piece in wrap(mark + text, width - 3)]
        first, *others = wrap(text, width - place - 2)
        return [[(" " * place, ""), (f"^ {first}", "bold bad")],
                *([(" " * (place + 2), ""), (piece, "bold bad")] for piece in others)]


class FilterBar(Vertical):
    """Chips, and a line to write in once `/` was pressed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave the filter", id="filter.leave")]

    @dataclass
    class Submitted(Message):
        """The text is to be the filter; it has no fault."""

        text: str

    def __init__(self, check: Check, values: Values, book: FilterBook) -> None:
        super().__init__()
        self._check, self._values, self._book = check, values, book
        self._text = ""
        self._before: Widget | None = None

    def compose(self) -> ComposeResult:
        yield Chips()
        with Horizontal():
            yield Prompt()
            yield FilterInput(self._book, self._values)
        yield FilterHint()

    @property
    def editing(self) -> bool:
        """True while the text is written."""
        return self.has_class("-editing")

    def show(self, terms: Sequence[str], note: str = "") -> None:
        """Take the filter as it stands; what is being written stays."""
        self._text = " ".join(terms)
        self.query_one(Chips).show(terms, note)

    def edit(self) -> None:
        """Write, from the filter that stands."""
        self._before = self.screen.focused
        self.add_class("-editing")
        line = self.query_one(FilterInput)
        line.begin(self._text + (" " if self._text else ""))
        self._arrange()
        self.screen.set_focus(line)  # at once: what is typed on belongs into the line, however fast it comes
        self._hint()

    def action_leave(self) -> None:
        """Stop writing; the filter stays as it was."""
        self._close()

    @on(Input.Changed)
    def _written(self, event: Input.Changed) -> None:
        event.stop()
        self._hint()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        fault = self._check(text) if text else None
        if fault is not None:
            self.query_one(FilterHint).show(fault)
            if fault.place is not None:
                event.input.cursor_position = min(fault.place, len(event.value))
            return
        self._close()
        self.post_message(self.Submitted(text))

    def _hint(self) -> None:
        """Say what is wrong with the text, and what may come next."""
        line = self.query_one(FilterInput)
        line.propose()
        stripped = line.value.strip()
        fault = self._check(stripped) if stripped else None
        self.query_one(FilterHint).show(fault, line.proposals.texts, line.taken)

    def _arrange(self) -> None:
        """Show the line to write in, or the chips."""
        editing = self.editing
        self.query_one(Chips).display = not editing
        self.query_one(Horizontal).display = self.query_one(FilterHint).display = editing
        self.styles.height = "auto" if editing else 1

    def _close(self) -> None:
        self.remove_class("-editing")
        self._arrange()
        self.screen.set_focus(self._before)

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        self.remove_class("-editing")
        self._arrange()
