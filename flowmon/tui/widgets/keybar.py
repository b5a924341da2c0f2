"""The bottom line: the keys that do something here, made from the bindings, so that it is always true."""

from __future__ import annotations

from textual import events
from textual.strip import Strip

from flowmon.tui.text import Line, width_of
from flowmon.tui.widgets.lines import LineWidget

NAMES = {
    "enter": "Enter", "escape": "Esc", "backspace": "Bksp", "question_mark": "?", "slash": "/", "space": "Space",
    "right": "Right", "tab": "Tab",
}  # fmt: skip


def name_of(key: str) -> str:
    """A key as the keyboard has it."""
    if key in NAMES:
        return NAMES[key]
    return key.replace("ctrl+", "^").replace("shift+", "Shift-")


class KeyBar(LineWidget):
    """Keys and what they do, as many as fit; `?` and `q` always."""

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
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if not binding.show or not active.enabled or binding.action in seen:
                continue
            seen.add(binding.action)
            entries.append((binding.key.split(",")[0], binding.description, binding.key))
        for key, description, _ in entries:
            if key in ("question_mark", "q"):
                always += [(f"{name_of(key)} ", "key"), (f"{description}  ", "muted")]
        for key, description, _ in entries:
            if key in ("question_mark", "q"):
                continue
            piece: Line = [(f"{name_of(key)} ", "key"), (f"{description}  ", "muted")]
            if width_of(shown) + width_of(piece) + width_of(always) > width:
                break
            self._spots.append((width_of(shown), width_of(shown) + width_of(piece) - 2, key))
            shown += piece
        gap = max(0, width - width_of(shown) - width_of(always))
        return [[*shown, (" " * gap, ""), *always]]

    async def on_click(self, event: events.Click) -> None:
        for start, end, key in self._spots:
            if start <= event.x < end:
                self.app.simulate_key(key)
