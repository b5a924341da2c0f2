"""What a demo tells of itself, below the filter of every screen."""

from __future__ import annotations

from textual.strip import Strip

from flowmon.tui.text import Line, wrap
from flowmon.tui.widgets.lines import LineWidget

MOST_LINES = 2


class CaptionLine(LineWidget):
    """One or two lines; none where nothing is told."""

    back = "chip"

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self.display = False

    def show(self, text: str) -> None:
        """Tell something else; "" for nothing."""
        self._text = text
        self.display = bool(text)
        self.styles.height = len(self._pieces(self.app.size.width)) or 1
        self.repaint()

    def _pieces(self, width: int) -> list[str]:
        return wrap(self._text, max(20, width - 4))[:MOST_LINES]

    def lines(self, width: int, height: int) -> list[Line | Strip]:
        return [
            [(f" {self.look.glyphs.by if place == 0 else ' '} ", "key"), (piece, "text")]
            for place, piece in enumerate(self._pieces(width))
        ]
