"""The bottom line: the keys that do something here, made from the bindings, so that it is always true."""

from __future__ import annotations

from textual import events
from textual.strip import Strip
from textual.widgets import Input

from flowmon.tui.text import Line, width_of
from flowmon.tui.widgets.lines import LineWidget

NAMES = {
    "enter": "Enter", "escape": "Esc", "backspace": "Bksp", "question_mark": "?", "slash": "/", "space": "Space",
    "right": "Right", "left": "Left", "up": "Up", "down": "Down", "tab": "Tab", "pageup": "PgUp", "pagedown": "PgDn",
    "home": "Home", "end": "End", "left_square_bracket": "[", "right_square_bracket": "]", "full_stop": ".",
    "delete": "Del",
}  # fmt: skip

ALWAYS = ("help", "quit")
"""Actions whose keys stand at the right end, however narrow the screen."""


def name_of(key: str) -> str:
    """A key as the keyboard has it."""
    if key in NAMES:
        return NAMES[key]
    if key[:1] == "f" and key[1:].isdecimal():
        return key.upper()
    return key.replace("ctrl+", "^").replace("shift+", "Shift-")


class KeyBar(LineWidget):
    """Keys and what they do, as many as fit; `?`, `q` and the way out always."""

    back = "bar"

    def __init__(self) -> None:
        super().__init__()
        self._spots: list[tuple[int, int, str]] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.repaint())

    def lines(self, width: int, height: int) -> list[Line | Strip]:
        always: Line = []
        shown: Line = [(" ", "")]
        self._spots = []
        seen: set[str] = set()
        entries: list[tuple[str, str, str]] = []
        last: list[tuple[str, str, str]] = []
        screen = self.app.screen  # a dialog above this one takes the keys
        writing = isinstance(screen.focused, Input)
        for active in screen.active_bindings.values():
            binding = active.binding
            if writing and active.node is not screen.focused and binding.key not in ("escape", "f1"):
                continue  # the line to write in takes the letters
            if not binding.show or not active.enabled or binding.action in seen:
                continue
            seen.add(binding.action)
            into = last if binding.action in ALWAYS else entries
            place = min(1, len(into)) if binding.key == "escape" else len(into)  # the way out stays
            into.insert(place, ("q" if binding.action == "quit" else binding.key, binding.description, binding.key))
        fixed: list[tuple[int, int, str]] = []
        for key, description, press in last:
            fixed.append((width_of(always), width_of(always) + len(name_of(key)) + len(description) + 1, press))
            always += [(f"{name_of(key)} ", "key"), (f"{description}  ", "muted")]
        kept = sum(len(name_of(key)) + len(told) + 3 for key, told, _ in entries if key == "escape")
        for key, description, _ in entries:
            piece: Line = [(f"{name_of(key)} ", "key"), (f"{description}  ", "muted")]
            if key == "escape":
                kept = 0
            if width_of(shown) + width_of(piece) + kept + width_of(always) > width:
                if kept:
                    continue
                break
            self._spots.append((width_of(shown), width_of(shown) + width_of(piece) - 2, key))
            shown += piece
        gap = max(0, width - width_of(shown) - width_of(always))
        right = width_of(shown) + gap
        self._spots += [(start + right, end + right, key) for start, end, key in fixed]
        return [[*shown, (" " * gap, ""), *always]]

    async def on_click(self, event: events.Click) -> None:
        for start, end, key in self._spots:
            if start <= event.x < end:
                self.app.simulate_key(key)
