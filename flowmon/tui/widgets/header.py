"""The top line: where one is, where one can go, and whether what is shown is live."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.strip import Strip

from flowmon.model.answers import Health
from flowmon.tui.look import Look
from flowmon.tui.text import Line, clean, fit, width_of
from flowmon.tui.widgets.lines import LineWidget

PLACES = (
    ("1", "overview", "Overview"),
    ("2", "queues", "Queues"),
    ("3", "messages", "Messages"),
    ("4", "problems", "Problems"),
    ("5", "sources", "Sources"),
)
"""Key, name and title of the screens one goes to by number."""


QUIET_SECONDS = 3600.0
"""A log without a line for so long is of the past: it is followed, but nothing lives in it."""


@dataclass(frozen=True)
class Pulse:
    """How the collector is."""

    health: Health
    read: float | None = None
    """Share of the history that is read; None when it is all read."""
    left_seconds: float | None = None
    """How long the rest will take, as it goes now; None where that is not known."""

    @property
    def is_live(self) -> bool:
        """False where the newest line is of the past: ages are told as of then."""
        lag = self.health.lag_seconds
        return lag is not None and lag <= QUIET_SECONDS


def state_of(pulse: Pulse | None, paused: str, fault: str, look: Look) -> Line:
    """One sign and a word: live, quiet, paused, reading history, not collecting, query failed."""
    glyphs = look.glyphs
    if fault:
        return [(f"{glyphs.alert} query failed", "bold bad")]
    if paused:
        return [(f"{glyphs.paused} {paused}", "bold warn")]
    if pulse is None:
        return [(f"{glyphs.busy} reading", "muted")]
    if not pulse.health.collecting:
        return [(f"{glyphs.dead} not collecting", "bold bad")]
    if pulse.read is not None:
        return [(f"{glyphs.busy} history {pulse.read * 100:.0f} %", "warn")]
    lag = pulse.health.lag_seconds
    if lag is None or lag > QUIET_SECONDS:
        return [(f"{glyphs.quiet} quiet", "muted")]
    return [(f"{glyphs.live} live", "good")]


class Header(LineWidget):
    """The top line of every screen."""

    back = "bar"

    @dataclass
    class Clicked(Message):
        """A screen's name was clicked."""

        place: str

    def __init__(self, title: str, place: str) -> None:
        super().__init__()
        self._title = clean(title)
        self._place = place
        self._pulse: Pulse | None = None
        self._paused = ""
        self._fault = ""
        self._spots: list[tuple[int, int, str]] = []

    def show(self, pulse: Pulse | None, *, paused: str, fault: str) -> None:
        """Take the state of things; `paused` says since when, "" where it is not."""
        self._pulse, self._paused, self._fault = pulse, paused, fault
        self.repaint()

    def lines(self, width: int, height: int) -> list[Line | Strip]:
        look = self.look
        local = look.now.astimezone(look.zone)
        state = state_of(self._pulse, self._paused, self._fault, look)
        past = self._pulse is not None and not self._pulse.is_live
        lag = self._pulse.health.lag_seconds if self._pulse is not None else None
        other_day = lag is not None and lag > 86_400
        day = f"{local:%b %d} " if past and (width >= 100 or other_day) else ""
        right: Line = [*state, (f"  {'as of ' if past and width >= 90 else ''}{day}{local:%H:%M} ", "text")]
        left: Line = [(" flowmon ", "heading")]
        tabs: Line = []
        gap = "  " if width >= 90 else " "
        spots: list[tuple[int, int, str]] = []
        for key, place, title in PLACES:
            here = place == self._place
            start = width_of(tabs)
            tabs += [(f" {key} ", "reverse key" if here else "key"), (f"{title} ", "reverse bold" if here else "muted")]
            spots.append((start, width_of(tabs), place))
            tabs.append((gap[1:], ""))
        room = width - width_of(left) - width_of(tabs) - width_of(right)
        if room < 0:
            left, room = [(" ", "")], room + 8
        if room < 0:
            right = [*right[:-1], (" ", "")]
        if self._title and room >= 10:
            name = fit(self._title, min(len(self._title), room - 4))
            left += [(f"{look.glyphs.pipe} {name}  ", "muted")]
        shift = width_of(left)
        self._spots = [(start + shift, end + shift, place) for start, end, place in spots]
        line = [*left, *tabs]
        return [[*line, (" " * max(0, width - width_of(line) - width_of(right)), ""), *right]]

    def on_click(self, event: events.Click) -> None:
        for start, end, place in self._spots:
            if start <= event.x < end:
                self.post_message(self.Clicked(place))
