"""The base of all our widgets: it owns its lines and repaints only those that changed.

Over SSH a byte is time. A widget here is never laid out again for new data: `repaint` builds the lines anew, compares
them with what is on the screen, and asks for just the rows that differ.
"""

from __future__ import annotations

from itertools import repeat, zip_longest
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events, getters
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from flowmon.tui.look import Look, LookApp
from flowmon.tui.text import Line, width_of


class LineWidget(Widget):
    """A widget of whole lines."""

    app = getters.app(LookApp)
    back = ""
    """Name of the background that its lines have; "" leaves it to the style sheet."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._painted: list[Strip] = []

    @property
    def look(self) -> Look:
        """The application's look at this moment."""
        return self.app.look

    def lines(self, width: int, height: int) -> list[Line | Strip]:
        """What to show, from the top; fewer lines than `height` leave the rest empty."""
        raise NotImplementedError

    def repaint(self) -> None:
        """Show what changed since the last time, and nothing else."""
        before, after = self._painted, self._build()
        self._painted = after
        if len(before) != len(after):
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, after, strict=True)):
            if old is not new and old != new:
                self.refresh(*(Region(start, y, end - start, 1) for start, end in changed(old, new)))

    def render_line(self, y: int) -> Strip:
        if len(self._painted) != self.size.height:
            self._painted = self._build()
        return self._painted[y] if y < len(self._painted) else Strip.blank(self.size.width)

    def invalidate(self) -> None:
        """Paint everything anew: the theme or the size changed."""
        self._painted = []
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        self.invalidate()

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        self.repaint()

    def _build(self) -> list[Strip]:
        width, height = self.size
        if not width or not height:
            return []
        look = self.look
        made = [
            line if isinstance(line, Strip) else look.paint(line, width, self.back)
            for line in self.lines(width, height)[:height]
        ]
        blank = Strip([Segment(" " * width, look.palette.style("text", self.back))], width)
        return made + [blank] * (height - len(made))


class GrowingLines(LineWidget):
    """As high as what it shows: a text of any length wraps."""

    most: ClassVar[int] = 8
    """Lines at most."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.lines(width, self.most)[: self.most])

    def repaint(self) -> None:
        width, height = self.size
        if width and self.get_content_height(self.size, self.size, width) != height:
            self.refresh(layout=True)
        super().repaint()


BRIDGE = 10
"""Cells that stand unchanged between two changes: so few are cheaper written again than jumped over."""


def changed(old: Strip, new: Strip) -> list[tuple[int, int]]:
    """Ranges of cells that differ between two lines."""
    ranges: list[tuple[int, int]] = []
    for x, (was, now) in enumerate(zip_longest(_cells(old), _cells(new))):
        if was == now:
            continue
        if ranges and x - ranges[-1][1] <= BRIDGE:
            ranges[-1] = (ranges[-1][0], x + 1)
        else:
            ranges.append((x, x + 1))
    return ranges


def _cells(strip: Strip) -> list[tuple[str, Style | None]]:
    """One sign and style for each cell; the second cell of a wide sign holds an empty one."""
    cells: list[tuple[str, Style | None]] = []
    for text, style, _ in strip:
        if text.isascii():
            cells += zip(text, repeat(style), strict=False)
            continue
        for character in text:
            size = cell_len(character)
            if size == 0 and cells:
                cells[-1] = (cells[-1][0] + character, cells[-1][1])
            cells += [(character, style), ("", style)][:size]
    return cells


def heading(title: str, detail: Line, width: int, look: Look, *, focused: bool = False) -> Line:
    """The line above a panel: its title, what it says of itself, and a rule to the right edge."""
    glyphs = look.glyphs
    mark = (glyphs.focus, "key") if focused else (glyphs.rule, "rule")
    line: Line = [mark, (" ", ""), (title, "heading" if focused else "title"), *detail, (" ", "")]
    used = width_of(line)
    return [*line, (glyphs.rule * max(0, width - used), "rule")]


def scrollbar(height: int, total: int, first: int, look: Look) -> list[tuple[str, str]]:
    """One sign and tone for each row of a scroll bar; blanks where everything is visible."""
    if total <= height or height <= 0:
        return [(" ", "rule")] * height
    size = max(1, round(height * height / total))
    start = round((height - size) * min(1.0, first / (total - height)))
    return [
        (look.glyphs.thumb, "muted") if start <= y < start + size else (look.glyphs.pipe, "rule")
        for y in range(height)
    ]
