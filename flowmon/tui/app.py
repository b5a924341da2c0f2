"""The application: its screens, its keys, its themes."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from rich.console import RenderableType
from textual._compositor import ChopsUpdate
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.theme import Theme

from flowmon import paths
from flowmon.errors import FlowmonError
from flowmon.store.protocol import Reader
from flowmon.suggest import nearest
from flowmon.tui.beat import Beat, look_seconds
from flowmon.tui.environment import ascii_only, few_colours, hung_up
from flowmon.tui.evidence import RuleOf
from flowmon.tui.filters import FilterBook
from flowmon.tui.glyphs import ASCII, UNICODE
from flowmon.tui.screens.base import Page
from flowmon.tui.screens.dialogs import AskScreen, ChooseScreen
from flowmon.tui.screens.help import HelpScreen, NoticesScreen, TextScreen
from flowmon.tui.screens.message import MessagePage
from flowmon.tui.screens.messages import MessagesPage
from flowmon.tui.screens.overview import OverviewPage
from flowmon.tui.screens.problems import ProblemsPage
from flowmon.tui.screens.queues import QueuesPage
from flowmon.tui.screens.sources import SourcesPage
from flowmon.tui.shell import Shell
from flowmon.tui.themes import DEFAULT_THEME, SIXTEEN_COLOURS, load_themes, own_folder, stamps
from flowmon.tui.thrift import ThriftyUpdate
from flowmon.tui.widgets.document import Document
from flowmon.tui.widgets.filterbar import FilterBar, FilterInput
from flowmon.tui.widgets.header import PLACES
from flowmon.tui.widgets.lines import LineWidget
from flowmon.tui.widgets.table import LineTable

THEME_LOOK_SECONDS = 2.0
SWITCH_SECONDS = 0.001


class FlowmonApp(Shell):
    """flowmon's screens over a store's reader."""

    CSS_PATH = "flowmon.tcss"
    ENABLE_COMMAND_PALETTE = True
    SCREENS: ClassVar[dict[str, Callable[[], Screen[Any]]]] = {
        "overview": OverviewPage,
        "queues": QueuesPage,
        "messages": MessagesPage,
        "problems": ProblemsPage,
        "sources": SourcesPage,
    }
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]  # noqa: RUF012 - declared so by Textual
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key, f"go('{place}')", title, id=f"go.{place}", show=False, tooltip=f"Go to {title}")
            for key, place, title in PLACES
        ),
        Binding("space,p", "pause", "Pause", id="pause", tooltip="Keep what is shown; reading goes on"),
        Binding("n", "notices", "Notices", id="notices", show=False, tooltip="Show all notices"),
        Binding("T", "change_theme", "Theme", id="theme", show=False, tooltip="Choose other colours"),
        Binding("question_mark,f1", "help", "Help", id="help", tooltip="Show every key and sign"),
        Binding("q,ctrl+q", "quit", "Quit", id="quit", tooltip="Leave flowmon"),
    ]

    def __init__(
        self,
        reader: Reader,
        *,
        theme: str | None = None,
        refresh_seconds: float = 0.2,
        news: int | None = None,
        title: str = "",
        notices: Sequence[str] = (),
        mouse: bool = True,
        zone: tzinfo | None = None,
        theme_folders: Sequence[Path] = (),
        ascii: bool | None = None,
        filters: FilterBook | None = None,
        keys: Mapping[str, str] | None = None,
        rule_of: RuleOf | None = None,
        captions: Sequence[tuple[float, str]] = (),
    ) -> None:
        """`captions` are told one after the other, each so many seconds after the start. `news` is the pipe that tells
        when there are news: see Beat.

        `zone` None shows the machine's own times; `ascii` None asks the environment.

        Themes of `theme_folders` are added to ours; what is wrong with one is a notice.
        """
        plain = ascii_only(os.environ) if ascii is None else ascii
        few = few_colours(os.environ)
        super().__init__(reader, refresh_seconds=refresh_seconds, glyphs=ASCII if plain else UNICODE, zone=zone)
        self.beat = Beat(self._look_at_news, look_seconds(refresh_seconds), news)
        self.title = title
        self.mouse = mouse
        self.filters = filters or self.filters
        self.notices += self.filters.notices
        self._take_keys(keys or {})
        self.rule_of = rule_of or self.rule_of
        self._captions = captions
        self._theme_folders = [own_folder(), *theme_folders]
        self._theme_stamp = stamps(self._theme_folders)
        themes, faults = load_themes(self._theme_folders)
        for found in themes.values():
            self.register_theme(found)
        self.notices += [*notices, *faults]
        self._choose(theme or (SIXTEEN_COLOURS if few else DEFAULT_THEME))

    def _take_keys(self, keys: Mapping[str, str]) -> None:
        """Other keys for actions; a name that no action has is a notice."""
        known = {binding.id: binding for owner in KEY_OWNERS for binding in _bindings(owner) if binding.id}
        for name in [name for name in keys if name not in known]:
            near = nearest(name, [id_ for id_ in known if id_])
            guess = f"did you mean {near}?" if near else "`?` names them all."
            self.notices.append(f"[screen] keys: no action is called {name}: {guess}")
        self._remapped = {name: key.replace(" ", "") for name, key in keys.items() if name in known}
        self.set_keymap(self._remapped)

    def _choose(self, theme: str) -> None:
        if theme in self.available_themes:
            self.theme = theme
        else:
            known = ", ".join(sorted(self.available_themes))
            self.notices.append(f"There is no theme {theme}: using {DEFAULT_THEME}. Known are {known}.")
            if DEFAULT_THEME in self.available_themes:
                self.theme = DEFAULT_THEME
        self.renew_look()

    def on_mount(self) -> None:
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        for number in (signal.SIGTERM, signal.SIGHUP):  # so that what was begun for the screen ends with it
            asyncio.get_running_loop().add_signal_handler(number, self.exit)
        for seconds, text in self._captions:
            if seconds > 0:
                self.set_timer(seconds, partial(self._tell, text))
            else:
                self._tell(text)
        self.set_interval(THEME_LOOK_SECONDS, self._look_at_themes)
        self.beat.start()

    def on_unmount(self) -> None:
        self.beat.stop()

    def _look_at_news(self) -> None:
        """Have the screen on top look for news; leave where nobody can see it any more."""
        if not self.is_headless and sys.__stdin__ is not None and hung_up(sys.__stdin__.fileno()):
            self.exit()
            return
        page = self.screen_stack[-1] if self.screen_stack else None
        if isinstance(page, Page):
            page.call_next(page.look)

    def _tell(self, caption: str) -> None:
        """Put a caption in place of the one before."""
        self.caption = caption

    def _look_at_themes(self) -> None:
        """Take themes that were changed on disk; a fault in one is told, and the colours stay."""
        stamp = stamps(self._theme_folders)
        if stamp == self._theme_stamp:
            return
        self._theme_stamp = stamp
        themes, faults = load_themes(self._theme_folders)
        for found in themes.values():
            self.register_theme(found)
        for fault in faults:
            self.notify(fault, title="A theme has a fault", severity="error", markup=False)
        if self.theme in themes:
            self.refresh_css()
            self._theme_changed(themes[self.theme])

    def _theme_changed(self, theme: Theme) -> None:
        self.renew_look()
        for screen in self.screen_stack:
            for widget in screen.query(LineWidget):
                if isinstance(widget, Document):
                    widget.rewrite()
                widget.invalidate()

    def get_default_screen(self) -> Screen[None]:
        """The Overview is there from the first paint on."""
        return self.get_screen("overview", OverviewPage)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, ThriftyUpdate.of(renderable) if type(renderable) is ChopsUpdate else renderable)

    # The ways

    @property
    def place(self) -> str:
        pages = [screen for screen in self.screen_stack if isinstance(screen, Page) and screen.PLACE]
        return pages[-1].PLACE if pages else "overview"

    def _show(self, place: str) -> None:
        """The Overview lies at the bottom; any other place over it, and messages over that."""
        keep = 1 if place == "overview" else 2
        while len(self.screen_stack) > keep:
            self.pop_screen()
        if self.place == place:
            return
        if len(self.screen_stack) == 1:
            self.push_screen(place)
        elif self.screen_stack[-1] is self.screen_stack[1] and isinstance(self.screen, Page) and self.screen.PLACE:
            self.switch_screen(place)
        else:
            self.pop_screen()
            self.push_screen(place)

    def open_message(self, message: int) -> None:
        below = self.screen
        neighbour = below.neighbour if isinstance(below, MessagesPage) else None
        self.push_screen(MessagePage(message, neighbour))

    def open_notices(self, notices: Sequence[str]) -> None:
        self.push_screen(NoticesScreen(notices))

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No way leads out from under a question or a help text."""
        if action in ("go", "pause", "notices", "help"):
            return isinstance(self.screen, Page)
        return True

    def action_go(self, place: str) -> None:
        """Go to a screen."""
        self.go(place)

    def action_pause(self) -> None:
        """Keep what is shown, or let it go on."""
        self.paused = not self.paused

    def action_notices(self) -> None:
        """Show all notices."""
        if isinstance(self.screen, Page):
            self.open_notices(self.screen.all_notices())

    def action_help(self) -> None:
        """Show every key and sign."""
        page = self.screen
        name = page.PLACE.capitalize() if isinstance(page, Page) and page.PLACE else "Message"
        own = [(f"On {name}", _bindings(type(page), Page))]
        keys = [
            *((title, found) for title, found in own if found),
            ("Everywhere", [*_bindings(Page), *_bindings(FlowmonApp)]),
            ("In a table", _bindings(LineTable)),
            ("In a text", _bindings(Document)),
            ("Writing the filter", [*_bindings(FilterInput), *_bindings(FilterBar)]),
        ]
        self.push_screen(HelpScreen(keys, self._remapped))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: every action that has a key, and the themes."""
        told = set()
        if isinstance(screen, Page):
            for active in screen.active_bindings.values():
                binding = active.binding
                if active.enabled and binding.tooltip and binding.tooltip not in told:  # several keys may do the same
                    told.add(binding.tooltip)
                    yield SystemCommand(
                        binding.description, binding.tooltip, lambda binding=binding: self.simulate_key(binding.key)
                    )


KEY_OWNERS = (
    FlowmonApp, Page, OverviewPage, QueuesPage, MessagesPage, ProblemsPage, SourcesPage, MessagePage, LineTable,
    Document, FilterInput, FilterBar, AskScreen, ChooseScreen, TextScreen,
)
"""Whose bindings have keys that the configuration may change."""


def _bindings(owner: type, base: type | None = None) -> list[Binding]:
    """The bindings that a class itself declares."""
    own = owner.__dict__.get("BINDINGS", ())
    return [binding for binding in own if isinstance(binding, Binding)] if owner is not base else []


def run_app(
    reader: Reader,
    *,
    theme: str | None = None,
    refresh_seconds: float = 0.2,
    news: int | None = None,
    title: str = "",
    notices: Sequence[str] = (),
    mouse: bool = True,
    filter_text: str | None = None,
    keys: Mapping[str, str] | None = None,
    rule_of: RuleOf | None = None,
    captions: Sequence[tuple[float, str]] = (),
) -> None:
    """Show the screens until the user leaves. Raises FlowmonError where the terminal cannot show them."""
    if os.environ.get("TERM") == "dumb":
        raise FlowmonError(
            "this terminal (TERM=dumb) cannot show screens: use `flowmon queues`, `flowmon problems` or "
            "`flowmon messages`, or set TERM to what the terminal is"
        )
    app = FlowmonApp(
        reader, theme=theme, refresh_seconds=refresh_seconds, news=news, title=title, notices=notices, mouse=mouse,
        theme_folders=paths.theme_folders(), keys=keys, rule_of=rule_of, captions=captions,
        filters=FilterBook(paths.filters_file(), paths.filter_history_file()),
    )  # fmt: skip
    if filter_text:
        app.set_filter(filter_text)
    # a key press must not wait for a thread that holds the interpreter, nor for a search through what was imported
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    app.run(mouse=mouse)
