"""What stands where a panel has nothing to show: why it is empty, and what to do."""

from __future__ import annotations

from flowmon.tui.format import plural
from flowmon.tui.text import Line
from flowmon.tui.widgets.header import Pulse


def nothing(pulse: Pulse | None, filter_text: str, what: str, advice: str) -> list[Line]:
    """`what` is not there, and `advice` for the case that all is well; how the collector does comes before both."""
    if pulse is not None and not pulse.health.sources:
        return [
            [("No log is being read.", "warn")],
            [("Name one: ", "muted"), ("flowmon /var/log/mail.log", "text")],
        ]
    if filter_text:
        return [
            [("Nothing matches ", "text"), (filter_text, "accent")],
            [("Backspace", "key"), (" removes the last term, ", "muted"), ("/", "key"), (" edits it.", "muted")],
        ]
    if pulse is not None and pulse.read is not None:
        return [[(f"Reading history: {pulse.read * 100:.0f} % ", "warn"), ("— wait a moment.", "muted")]]
    failed = pulse.health.failed_sources if pulse is not None else 0
    if failed:
        return [
            [(what, "text"), (f" But {plural(failed, 'log')} cannot be read or understood.", "warn")],
            [("5", "key"), (" Sources tells why, and what to do.", "muted")],
        ]
    if pulse is not None and pulse.health.lag_seconds is None:
        return [
            [("No line has told of mail yet.", "text")],
            [("5", "key"), (" Sources tells which logs are read, and how far.", "muted")],
        ]
    return [[(what, "text")], [(advice, "muted")]]
