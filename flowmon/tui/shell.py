"""The application as screens know it: the reader, the one filter, pause, and the ways between screens."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from textual.reactive import var

from flowmon.errors import FilterError, StoreError
from flowmon.model.answers import MessageRow
from flowmon.store.filter import Filter, parse
from flowmon.store.protocol import Reader
from flowmon.tui.beat import Beat
from flowmon.tui.evidence import RuleOf
from flowmon.tui.filters import FilterBook
from flowmon.tui.glyphs import Glyphs
from flowmon.tui.look import Look, LookApp
from flowmon.tui.palette import Palette
from flowmon.tui.progress import Progress
from flowmon.tui.terms import term
from flowmon.tui.widgets.filterbar import Fault

_PLACE = re.compile(r"filter, column (\d+): (.*)", re.DOTALL)
"""How a FilterError names its place."""


@dataclass(frozen=True)
class Visit:
    """A screen and the filter it had: where Escape returns to."""

    place: str
    filter_text: str


class Shell(LookApp):
    """What all screens share."""

    filter_text: var[str] = var("")
    """The filter of all screens, in its canonical form."""
    caption: var[str] = var("")
    """What a demo tells of itself."""
    paused: var[bool] = var(False)
    """What is shown stays; what is read goes on."""

    beat: Beat

    def __init__(self, reader: Reader, *, refresh_seconds: float, glyphs: Glyphs, zone: tzinfo | None) -> None:
        self.reader = reader
        self.refresh_seconds = refresh_seconds
        self.notices: list[str] = []
        self.filter: Filter | None = None
        self._glyphs = glyphs
        self._zone = zone
        self._visits: list[Visit] = []
        self._drilled = ""
        self.filters = FilterBook()
        self.paused_at: datetime | None = None
        self.progress = Progress()
        self.rule_of: RuleOf = lambda line: None
        super().__init__()
        self._now = reader.now()
        self.renew_look()

    def name_of(self, row: MessageRow) -> tuple[str | None, str]:
        """What names a message best, and what that is called."""
        with contextlib.suppress(StoreError):  # then its recipient is what is known
            message_id = self.reader.message_id(row.id)
            if message_id is not None:
                return message_id, "the message-id"
        return row.recipient, "the recipient"

    def renew_look(self) -> None:
        """Take the colours of the theme that is now."""
        self._palette = Palette(self.current_theme, self.get_css_variables())
        self._set_look()

    def watch_paused(self, paused: bool) -> None:
        self.paused_at = self.reader.now() if paused else None

    @property
    def paused_words(self) -> str:
        """That what is shown is not new, and since when; "" where it is."""
        return f"paused at {self.paused_at.astimezone(self._zone):%H:%M}" if self.paused_at is not None else ""

    def tell_time(self) -> None:
        """Take the reader's clock anew; in a pause it stands where that began."""
        self._now = self.paused_at or self.reader.now()
        self._set_look()

    def _set_look(self) -> None:
        self.look = Look(self._palette, self._glyphs, self._now, self._zone)

    # The filter

    @property
    def terms(self) -> tuple[str, ...]:
        """The parts of the filter that must all hold."""
        return self.filter.terms if self.filter is not None else ()

    def check(self, text: str) -> Fault | None:
        """Why a filter text is not understood; None where it is."""
        try:
            parse(text)
        except FilterError as error:
            found = _PLACE.match(str(error))
            return Fault(found[2], int(found[1]) - 1) if found else Fault(str(error), None)
        return None

    def set_filter(self, text: str) -> bool:
        """Filter all screens by a text; False, with a notice, where it is not understood."""
        try:
            self._take_filter(parse(text))
        except FilterError as error:
            self._refuse(error)
            return False
        return True

    def set_window(self, time: str) -> None:
        """Show one time, "" for all: in place of any other that stands in the filter."""
        self._take_filter(self.filter.without_time() if self.filter is not None else None)
        if time:
            self.add_terms(term("time", time))

    def remove_term(self, text: str) -> None:
        """Take one term away."""
        if self.filter is not None:
            self._take_filter(self.filter.without(text))

    def add_terms(self, *terms: str | None, place: str | None = None) -> bool:
        """Narrow the filter by terms; False, with a notice, where one is not understood. `place`: go there with it."""
        narrowed = self.filter
        try:
            for term in terms:
                if term:
                    narrowed = narrowed.and_(term) if narrowed is not None else parse(term)
        except FilterError as error:
            self._refuse(error)
            return False
        if place is not None:
            self._show(place)  # first: the screen that is left keeps its rows, and its cursor among them
        self._take_filter(narrowed)
        return True

    def drop_term(self) -> None:
        """Take the last term away."""
        if self.filter is not None:
            self._take_filter(self.filter.without(self.filter.terms[-1]))

    def _take_filter(self, filter: Filter | None) -> None:
        self.filter = filter
        self.filter_text = filter.text if filter is not None else ""

    def _refuse(self, error: FilterError) -> None:
        self.notify(str(error), title="The filter is not understood", severity="error", markup=False)

    # The ways

    def go(self, place: str) -> None:
        """Go to a screen by its number: the way back begins anew.

        What a drill added to the filter stays where one drilled to; a filter that was changed since is a person's own.
        """
        if self._visits and self.filter_text == self._drilled and self.place != place:
            self.set_filter(self._visits[0].filter_text)
        if self.place != place:
            self._visits.clear()
        self._show(place)

    def drill(self, place: str, *terms: str | None) -> None:
        """Go into something: to a screen, narrowed by terms. Escape comes back."""
        before = Visit(self.place, self.filter_text)
        if self.add_terms(*terms, place=place):
            self._visits.append(before)
            self._drilled = self.filter_text

    @property
    def can_come_back(self) -> bool:
        """True where Escape leads somewhere."""
        return bool(self._visits)

    def come_back(self) -> None:
        """Return to where one came from, with the filter as it was there."""
        if self._visits:
            visit = self._visits.pop()
            self.set_filter(visit.filter_text)
            self._show(visit.place)

    @property
    def place(self) -> str:
        """Name of the screen that is shown, below any message."""
        raise NotImplementedError

    def _show(self, place: str) -> None:
        raise NotImplementedError

    def open_message(self, message: int) -> None:
        """Show everything of one message."""
        raise NotImplementedError

    def open_notices(self, notices: Sequence[str]) -> None:
        """Show all notices."""
        raise NotImplementedError

    def copy(self, text: str | None, what: str) -> None:
        """Put a text on the clipboard of the administrator's terminal."""
        if not text:
            self.notify("There is nothing to copy here", severity="warning")
            return
        self.copy_to_clipboard(text)
        self.clear_notifications()  # what was copied before
        self.notify(f"{text[:200]}", title=f"Copied {what}", markup=False)
