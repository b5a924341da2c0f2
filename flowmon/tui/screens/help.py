"""Help: every key, made from the bindings, and what the signs mean; and the list of notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from flowmon.model.words import DeliveryStatus
from flowmon.tui.glyphs import STATUS_MEANINGS, STATUS_TONES
from flowmon.tui.look import Look
from flowmon.tui.text import Line, clean, fit, wrap
from flowmon.tui.widgets.document import DocLine, Document, section
from flowmon.tui.widgets.keybar import name_of

FILTER_HELP = (
    ("from:@example.com", "sender, whole or by domain; from:<> is the null sender"),
    ("to: host: next:", "recipient, host that saw it, next hop; * and ? are wildcards"),
    ("queue:mx1/mx.net", "what waits on a host for a next hop; queue:mx1/* for any"),
    ("status:deferred", "what became of it; status:open is all that still waits"),
    ("problem: reason:", "class of the failure, and the finer reason"),
    ("client: subject: id:", "who handed it in, part of the subject, any ID of it"),
    ("scenario: direction:", "between whom it travels, and which way"),
    ("age>1h size>10M", "how long it waits, how large it is"),
    ("time:10:00-11:00", "when it was seen"),
    ("-reason:greylist", "not that"),
    ("a or (b c)", "either; terms side by side must all hold"),
)

TOP_HELP = (
    ("live", "lines come; ages count from this clock"),
    ("quiet", "all is read and no line came lately; ages count from the newest line"),
    ("paused", "no news is shown; reading goes on"),
    ("not collecting", "nobody reads the logs: what is shown is not new"),
    ("lag", "how far the newest line that was read is behind this clock"),
    ("unparsed", "lines of mail programs that no rule understands; Sources shows them"),
    ("silent", "logs without a new line for ten minutes"),
)

NAME = 18
"""Cells of the name of an action."""
WITH_NAMES = 92
"""From this width on, help names the actions, as the configuration of keys wants them."""

Keys = Sequence[tuple[str, Sequence[Binding]]]
"""Bindings by where they work."""


class TextScreen(ModalScreen[None]):
    """A text over the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "Close", id="text.close"),
    ]

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Document(self.text, cursor=False)

    def on_mount(self) -> None:
        document = self.query_one(Document)
        document.focus()
        box = self.query_one(Vertical)
        box.border_title = self._title
        box.border_subtitle = "Esc closes, arrows scroll"
        self.set_class(bool(self.app.current_theme.ansi), "-plain")

    def text(self, width: int, look: Look) -> list[DocLine]:
        """The lines."""
        raise NotImplementedError


class HelpScreen(TextScreen):
    """Every key and every sign."""

    def __init__(self, keys: Keys, remapped: Mapping[str, str]) -> None:
        """`remapped`: keys of the configuration, by the name of the action."""
        super().__init__("Help")
        self._keys = keys
        self._remapped = remapped

    def text(self, width: int, look: Look) -> list[DocLine]:
        lines: list[DocLine] = []
        for title, bindings in self._keys:
            lines.append(section(title, width, look))
            for binding in bindings:
                keys = self._remapped.get(binding.id or "", binding.key)
                names = ", ".join(name_of(key) for key in keys.split(","))
                told = binding.tooltip or binding.description
                if width >= WITH_NAMES:
                    line: Line = [(f"  {names:<21}", "key"), (fit(told, width - 24 - NAME), "text")]
                    lines.append(DocLine([*line, (f" {binding.id or ''}", "faint")]))
                else:
                    lines += _pair(names, told, "key", width)
            lines.append(DocLine([]))
        lines.append(section("The state, in the top lines", width, look))
        for word, meaning in TOP_HELP:
            lines += _pair(word, meaning, "text", width)
        lines += [DocLine([]), section("What the signs mean", width, look)]
        for status in DeliveryStatus:
            sign: Line = [(f"  {look.glyphs.status[status]} {status.value:<19}", STATUS_TONES[status])]
            lines.append(DocLine([*sign, (STATUS_MEANINGS[status], "text")]))
        lines += _pair("~", "an estimate, such as the time of the next try", "text", width)
        lines += _pair("–", "not known (never a zero)", "text", width)
        lines += [DocLine([]), section("The filter", width, look)]
        for example, meaning in FILTER_HELP:
            lines += _pair(example, meaning, "accent", width)
        return lines


class NoticesScreen(TextScreen):
    """All notices in full."""

    def __init__(self, notices: Sequence[str]) -> None:
        super().__init__("Notices")
        self._notices = notices

    def text(self, width: int, look: Look) -> list[DocLine]:
        lines: list[DocLine] = []
        for notice in self._notices:
            for place, piece in enumerate(wrap(clean(notice), width - 4)):
                mark = f" {look.glyphs.alert} " if place == 0 else "   "
                lines.append(DocLine([(mark, "warn"), (piece, "text")]))
        return lines or [DocLine([(" Nothing needs your eye.", "good")])]


def _pair(left: str, right: str, tone: str, width: int) -> list[DocLine]:
    pieces = wrap(right, max(20, width - 24))
    return [DocLine([(f"  {'' if place else left:<21}", tone), (piece, "text")]) for place, piece in enumerate(pieces)]
