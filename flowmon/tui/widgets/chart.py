"""Throughput by outcome: one lane for each, so that no outcome is told by colour alone."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from flowmon.model.outcomes import Outcomes
from flowmon.model.words import DeliveryStatus
from flowmon.tui.format import number
from flowmon.tui.glyphs import STATUS_TONES
from flowmon.tui.look import Look
from flowmon.tui.text import Line
from flowmon.tui.widgets.lines import LineWidget, heading

OUTCOMES = (
    DeliveryStatus.DELIVERED,
    DeliveryStatus.RELAYED,
    DeliveryStatus.DEFERRED,
    DeliveryStatus.BOUNCED,
    DeliveryStatus.REJECTED,
)
LABEL = 21
"""Cells left of the bars: sign, word, sum."""
PEAK = 11
"""Cells right of the bars: the highest part of the lane."""
MOST_PARTS = 240
WIDEST = 8
"""Cells of a bar at most: a short log is drawn in wide bars."""


def columns_for(width: int) -> int:
    """Parts that a chart of this width has room for: one a cell."""
    return max(10, min(MOST_PARTS, width - LABEL - PEAK))


class ThroughputChart(LineWidget):
    """Lanes of bars over a period, each on its own scale."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._parts: Sequence[Outcomes] = ()

    def show(self, parts: Sequence[Outcomes]) -> None:
        """Take new parts of the period, oldest first."""
        self._parts = parts
        self.repaint()

    def lines(self, width: int, height: int) -> list[Line | Strip]:
        look = self.look
        parts = self._parts[-columns_for(width) :]
        made: list[Line | Strip] = [heading("Throughput", self._note(parts, width, look), width, look)]
        with_axis = height >= 2 + len(OUTCOMES)
        tallest = max(1, height - 1 - len(OUTCOMES) - with_axis + 1)
        wide = max(1, min(WIDEST, columns_for(width) // max(1, len(parts))))
        for outcome in OUTCOMES:
            rows = tallest if outcome is DeliveryStatus.DELIVERED else 1
            made += self._lane(outcome, [getattr(part, outcome.value) for part in parts], rows, wide, look)
        if with_axis:
            made.append(self._axis(parts, wide, look))
        return made

    def _note(self, parts: Sequence[Outcomes], width: int, look: Look) -> Line:
        """Of which time the chart is, and what a bar is."""
        if len(parts) < 2:
            return [("  messages by what became of them", "muted")]
        step = parts[1].at - parts[0].at
        start, end = parts[0].at.astimezone(look.zone), (parts[-1].at + step).astimezone(look.zone)
        days = start.date() != end.date()
        minutes = round(step.total_seconds() / 60)
        bar = f"{minutes} min" if minutes < 60 else f"{minutes // 60} h" if minutes < 1440 else f"{minutes // 1440} d"
        told = f"  {start:%b %d %H:%M} – {end:%b %d %H:%M}" if days else f"  {start:%H:%M} – {end:%H:%M}"
        note: Line = [(f"{told}, a bar is {bar}", "muted")]
        if width >= 110:
            note.append((", deferred counts tries, each row has its own scale", "muted"))
        return note

    def _lane(self, outcome: DeliveryStatus, values: list[int], rows: int, wide: int, look: Look) -> list[Line | Strip]:
        tone = STATUS_TONES[outcome]
        peak = max(values, default=0)
        total = sum(values)
        bars = look.glyphs.bars
        steps = len(bars) - 1
        lane: list[Line | Strip] = []
        for row in range(rows - 1, -1, -1):
            marks = ""
            for value in values:
                filled = 0 if value <= 0 or peak <= 0 else max(1, round(value / peak * rows * steps))
                marks += bars[max(0, min(steps, filled - row * steps))] * wide
            label: Line = [(" " * LABEL, "")]
            if row == 0:
                label = [
                    (f" {look.glyphs.status[outcome]} ", tone if total else "faint"),
                    (f"{outcome.value:<10}", "text" if total else "muted"),
                    (f"{number(total):>6}  ", "text" if total else "faint"),
                ]
            tail = f"  peak {number(peak)}" if row == rows - 1 and peak else ""
            lane.append([*label, (marks, tone), (tail, "muted")])
        return lane

    def _axis(self, parts: Sequence[Outcomes], wide: int, look: Look) -> Line:
        """Times below the bars: where a clock would have a mark, as many as have room."""
        marks = [" "] * (len(parts) * wide + 6)
        step = round((parts[1].at - parts[0].at).total_seconds() / 60) if len(parts) > 1 else 1
        every = next((n for n in (1, 2, 5, 15, 60, 180, 360, 720) if n >= step and n / step * wide >= 10), 1440)
        free = 0
        for place, part in enumerate(parts):
            at = part.at.astimezone(look.zone)
            x = place * wide
            if (at.hour * 60 + at.minute) % every == 0 and x >= free and x + 6 <= len(marks):
                text = f"{at:%b%d}" if every >= 1440 else f"{at:%H:%M}"
                marks[x : x + 6] = f"{look.glyphs.pipe}{text:<5}"
                free = x + 8
        return [(" " * LABEL, ""), ("".join(marks), "faint")]
