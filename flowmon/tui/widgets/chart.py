"""Throughput by outcome: one lane for each, so that no outcome is told by colour alone."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from flowmon.model.answers import MinuteRow
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
"""Cells right of the bars: the highest minute of the lane."""
MOST_MINUTES = 240


def columns_for(width: int) -> int:
    """Minutes that a chart of this width shows: one a cell."""
    return max(10, min(MOST_MINUTES, width - LABEL - PEAK))


class ThroughputChart(LineWidget):
    """Lanes of bars over the last minutes, each on its own scale."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._minutes: Sequence[MinuteRow] = ()

    def show(self, minutes: Sequence[MinuteRow]) -> None:
        """Take new minutes, oldest first."""
        self._minutes = minutes
        self.repaint()

    def lines(self, width: int, height: int) -> list[Line | Strip]:
        look = self.look
        minutes = self._minutes[-columns_for(width) :]
        note: Line = [("  recipients per minute", "muted")]
        if width >= 100:
            note.append((f", last {len(minutes)} min, each row on its own scale", "muted"))
        made: list[Line | Strip] = [heading("Throughput", note, width, look)]
        with_axis = height >= 2 + len(OUTCOMES)
        tallest = max(1, height - 1 - len(OUTCOMES) - with_axis + 1)
        for outcome in OUTCOMES:
            rows = tallest if outcome is DeliveryStatus.DELIVERED else 1
            made += self._lane(outcome, [getattr(minute, outcome.value) for minute in minutes], rows, look)
        if with_axis:
            made.append(self._axis(minutes, look))
        return made

    def _lane(self, outcome: DeliveryStatus, values: list[int], rows: int, look: Look) -> list[Line | Strip]:
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
                marks += bars[max(0, min(steps, filled - row * steps))]
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

    def _axis(self, minutes: Sequence[MinuteRow], look: Look) -> Line:
        marks = [" "] * (len(minutes) + 6)
        free = 0
        for place, minute in enumerate(minutes):
            at = minute.at.astimezone(look.zone)
            if at.minute % 15 == 0 and place >= free and place + 5 <= len(minutes) + 4:
                marks[place : place + 6] = f"{look.glyphs.pipe}{at:%H:%M}"
                free = place + 8
        return [(" " * LABEL, ""), ("".join(marks), "faint")]
