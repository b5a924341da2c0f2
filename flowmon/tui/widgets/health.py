"""The health of the collection: one line of numbers, and below it what needs an eye."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from flowmon.model.answers import Health
from flowmon.tui.format import number, plural, rate, share, size, span
from flowmon.tui.look import Look
from flowmon.tui.text import Line, clean, fit_line, width_of, wrap
from flowmon.tui.widgets.header import Pulse, state_of
from flowmon.tui.widgets.lines import GrowingLines

NOT_COLLECTING = "The collector has stopped: what is shown is not new. Start flowmon again, or `flowmon collect`."

_QUIET_SECONDS = 60.0
"""All is read, and no line came for so long: that is not a lag."""


def facts(health: Health) -> list[Line]:
    """The numbers of the health line, each a sign-free phrase; the most telling first."""
    lag = health.lag_seconds
    unparsed = health.unparsed_share
    phrases: list[Line] = []
    if lag is not None and lag > _QUIET_SECONDS and health.backlog_bytes == 0:
        phrases.append([("last line ", "muted"), (span(lag), "warn" if lag > 600 else "text"), (" ago", "muted")])
    elif lag is not None:
        phrases.append([("lag ", "muted"), (span(lag), "warn" if lag > 60 else "text")])
    if health.lines_per_second is not None:
        phrases.append([(rate(health.lines_per_second), "text"), (" lines/s", "muted")])
    phrases += [
        [(number(health.open_messages), "text"), (" waiting", "muted")],
        [(share(unparsed), "warn" if unparsed > 0.01 else "text"), (" unparsed", "muted")],
        [(plural(health.sources, "source"), "text")],
    ]
    if health.failed_sources:
        phrases.append([(f"{health.failed_sources} failed", "bold bad")])
    if health.stale_sources:
        phrases.append([(f"{health.stale_sources} silent", "warn")])
    return phrases


def progress(pulse: Pulse) -> list[Line]:
    """How far history is read, how much is left, and how long that takes."""
    if pulse.read is None:
        return []
    left: Line = [(size(pulse.health.backlog_bytes), "text"), (" left to read", "muted")]
    if pulse.left_seconds is None:
        return [left]
    return [left, [("about ", "muted"), (span(max(1.0, round(pulse.left_seconds))), "text"), (" to go", "muted")]]


class HealthLine(GrowingLines):
    """One line of numbers; under it, as much of the notices as there is room for."""

    most = 3

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._pulse: Pulse | None = None
        self._notices: Sequence[str] = ()
        self._paused = ""

    def show(self, pulse: Pulse | None, notices: Sequence[str], *, paused: str) -> None:
        """Take the state of things."""
        self._pulse, self._notices, self._paused = pulse, notices, paused
        self.repaint()

    def lines(self, width: int, height: int) -> list[Line | Strip]:
        look = self.look
        pulse = self._pulse
        line: Line = [(" ", ""), *state_of(pulse, self._paused, "", look)]
        if pulse is None:
            return [[*line, ("   the store is being opened", "muted")]]
        separator = ("  " + ("·" if not look.glyphs.ascii else "|") + "  ", "faint")
        for phrase in [*progress(pulse), *facts(pulse.health)]:
            if width_of(line) + width_of(phrase) + 5 > width:
                break
            line += [separator, *phrase]
        return [line, *self._notice_lines(width, height - 1, look)]

    def _notice_lines(self, width: int, room: int, look: Look) -> list[Line]:
        found: list[tuple[int, Line]] = []
        """Each with the place of its notice."""
        for place, notice in enumerate(self._notices[: room + 1]):
            for number_, piece in enumerate(wrap(clean(notice), max(20, width - 4))):
                mark = f" {look.glyphs.alert} " if number_ == 0 else "   "
                found.append((place, [(mark, "warn"), (piece, "text")]))
        lines = [line for _, line in found[:room]]
        if lines and len(found) > room:
            more = len(self._notices) - found[room - 1][0] - 1
            tail: Line = [(f"  n: {f'{more} more' if more else 'all of it'}", "key")]
            lines[-1] = [*fit_line(lines[-1], min(width_of(lines[-1]), width - width_of(tail))), *tail]
        return lines
