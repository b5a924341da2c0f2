"""Small questions over a screen: a line to write, a list to choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Input

from flowmon.tui.look import Look
from flowmon.tui.text import Line, clean, fit, wrap
from flowmon.tui.widgets.document import DocLine, Document
from flowmon.tui.widgets.lines import GrowingLines


class Note(GrowingLines):
    """What is said below the line to write in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text, self._tone = text, "muted"

    def show(self, text: str, tone: str) -> None:
        """Say something else."""
        self._text, self._tone = text, tone
        self.repaint()

    def lines(self, width: int, height: int) -> list[Line | Strip]:
        return [[(piece, self._tone)] for piece in wrap(clean(self._text), width) or [""]]


class AskScreen(ModalScreen[str | None]):
    """Asks for one line of text; None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave", id="ask.leave")]

    def __init__(
        self, title: str, value: str = "", *, note: str = "", check: Callable[[str], str | None] = lambda text: None
    ) -> None:
        """`check` says why a text will not do; None where it will."""
        super().__init__()
        self._title, self._value, self._note, self._check = title, value, note, check

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Input(self._value, compact=True, select_on_focus=False)
            yield Note(self._note)

    def on_mount(self) -> None:
        box = self.query_one(Vertical)
        box.border_title, box.border_subtitle = self._title, "Enter takes it, Esc leaves"
        self.set_class(bool(self.app.current_theme.ansi), "-plain")
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        fault = self._check(text)
        if fault is not None:
            self.query_one(Note).show(fault, "bold bad")
        else:
            self.dismiss(text)

    def action_leave(self) -> None:
        """Leave it as it was."""
        self.dismiss(None)


@dataclass(frozen=True)
class Choice:
    """One line of a list: what is chosen by it, and how it reads."""

    value: str
    name: str
    detail: str = ""


class ChooseScreen(ModalScreen[str | None]):
    """A list to choose from; None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Leave", id="choose.leave"),
        Binding("delete,d", "forget", "Forget", id="choose.forget", tooltip="Take the line off the list"),
    ]

    def __init__(
        self, title: str, choices: Sequence[Choice], *, empty: str, forget: Callable[[str], bool] | None = None,
        current: str | None = None,
    ) -> None:  # fmt: skip
        """`forget` takes a value off; it says whether that was done. `current`: the value that holds now."""
        super().__init__()
        self._title, self._choices, self._empty, self._forget = title, list(choices), empty, forget
        self._current = current

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Document(self._lines)

    def on_mount(self) -> None:
        box = self.query_one(Vertical)
        box.border_title = self._title
        box.border_subtitle = "Enter takes it, Esc leaves" + (", d forgets it" if self._forget else "")
        box.styles.height = min(len(self._choices) + 2, 22) if self._choices else 3
        self.set_class(bool(self.app.current_theme.ansi), "-plain")
        document = self.query_one(Document)
        document.focus()
        document.point(next((n for n, one in enumerate(self._choices) if one.value == self._current), 0))

    def _lines(self, width: int, look: Look) -> list[DocLine]:
        if not self._choices:
            return [DocLine([(f" {self._empty}", "muted")])]
        longest = min(28, max(len(choice.name) for choice in self._choices))
        lines = []
        for one in self._choices:
            mark = "" if self._current is None else look.glyphs.ok if one.value == self._current else " "
            name = fit(f" {clean(one.name)}", longest + 2)
            lines.append(DocLine([(mark, "good"), (name, "text"), (f"  {clean(one.detail)}", "muted")], term=one.value))
        return lines

    @on(Document.Chosen)
    def _chosen(self, event: Document.Chosen) -> None:
        event.stop()
        self.dismiss(event.term)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "forget" or self._forget is not None

    def action_forget(self) -> None:
        """Take the line under the cursor off the list."""
        line = self.query_one(Document).current
        if self._forget is None or line is None or line.term is None or not self._forget(line.term):
            return
        self._choices = [choice for choice in self._choices if choice.value != line.term]
        self.query_one(Document).rewrite()

    def action_leave(self) -> None:
        """Leave all as it was."""
        self.dismiss(None)
