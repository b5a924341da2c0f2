"""How things look now: palette, signs and time zone, and the application class that widgets know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from rich.segment import Segment
from textual.app import App
from textual.strip import Strip

from flowmon.tui.glyphs import Glyphs
from flowmon.tui.palette import Palette
from flowmon.tui.text import Line, clean, fit_line, to_ascii


@dataclass(frozen=True)
class Look:
    """What every painted line needs."""

    palette: Palette
    glyphs: Glyphs
    now: datetime
    """The clock of ages: the reader's, not the machine's."""
    zone: tzinfo | None = None
    """Times are shown in this zone; None is the machine's own."""

    def paint(self, line: Line, width: int, back: str = "") -> Strip:
        """A line in exactly `width` cells, as Textual wants it.

        All that is shown comes through here: text that a terminal would obey is made harmless, whoever wrote it.
        """
        return joined(self.segments(line, width, back), width)

    def segments(self, line: Line, width: int, back: str = "") -> list[Segment]:
        """The same as pieces, for who puts several together."""
        style = self.palette.style
        ascii_only = self.glyphs.ascii
        return [
            Segment(to_ascii(text) if ascii_only else text, style(tone, back))
            for text, tone in fit_line([(clean(text), tone) for text, tone in line], width)
            if text
        ]


def joined(segments: Iterable[Segment], width: int) -> Strip:
    """A strip of as few pieces as can be: each costs some forty bytes on the line.

    A blank has no colour of its own: it joins the piece before it where the ground is the same.
    """
    made: list[Segment] = []
    for segment in segments:
        before = made[-1] if made else None
        if before is not None and (
            before.style is segment.style or before.style == segment.style or _blank_after(segment, before)
        ):
            made[-1] = Segment(before.text + segment.text, before.style)
        else:
            made.append(segment)
    return Strip(made, width)


def _blank_after(blank: Segment, before: Segment) -> bool:
    one, other = blank.style, before.style
    if one is None or other is None or blank.text.strip(" "):
        return False
    return one.bgcolor == other.bgcolor and not (one.reverse or other.reverse or other.underline)


class LookApp(App[None]):
    """The application as widgets know it: it has a look."""

    look: Look
