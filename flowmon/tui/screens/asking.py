"""The questions that every screen may ask: which filter, of which time, into which file."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from flowmon.errors import FilterError
from flowmon.store.filter import parse
from flowmon.tui.screens.dialogs import AskScreen, Choice, ChooseScreen
from flowmon.tui.shell import Shell

WINDOWS = (
    ("", "all", "whatever the time"),
    ("last-15m", "15 minutes", "the last"),
    ("last-1h", "1 hour", "the last"),
    ("last-6h", "6 hours", "the last"),
    ("last-1d", "1 day", "the last"),
    ("today", "today", "since midnight"),
    ("yesterday", "yesterday", "from midnight to midnight"),
)
_OTHER = "?"


def save_filter(app: Shell) -> None:
    """Keep the filter that stands by a name."""
    text = app.filter_text
    if not text:
        app.notify("There is no filter to save: write one with / first", severity="warning")
        return

    def take(name: str | None) -> None:
        if name is None:
            return
        fault = app.filters.save(name, text)
        if fault:
            app.notify(f"It is kept until you leave flowmon, but not on disk: {fault}", severity="error", markup=False)
        else:
            app.notify(f"{name}: {text}", title="Filter saved: f brings it back", markup=False)

    known = next((name for name, saved in app.filters.saved.items() if saved == text), "")
    note = f"a name for: {text}"
    app.push_screen(AskScreen("Save the filter", known, note=note, check=lambda n: None if n else "a name is missing"),
                    take)


def choose_filter(app: Shell) -> None:
    """Take a saved filter, or one that was used before."""
    book = app.filters
    choices = [Choice(text, name, text) for name, text in sorted(book.saved.items())]
    known = set(book.saved.values())
    choices += [Choice(text, text, "used before") for text in reversed(book.history) if text not in known]

    def take(text: str | None) -> None:
        if text is not None:
            app.set_filter(text)

    def forget(text: str) -> bool:
        names = [name for name, saved in book.saved.items() if saved == text]
        for name in names:
            book.forget(name)
        if text in book.history:
            book.history.remove(text)
        return True

    app.push_screen(ChooseScreen("Filters", choices, empty="None yet: s saves the filter that stands", forget=forget),
                    take)


def choose_window(app: Shell) -> None:
    """Show one time on all screens: a term of the one filter, which takes the place of any other time."""

    def write(text: str | None) -> None:
        if text:
            app.set_window(text)

    def check(text: str) -> str | None:
        try:
            parse(f'time:"{text}"')
        except FilterError as fault:
            return str(fault).partition(": ")[2]
        return None if text else "a time is missing"

    def take(value: str | None) -> None:
        if value == _OTHER:
            note = "10:00-11:00, 2026-11-24, 2026-11-24T10:00..2026-11-24T11:00, last-90m, >09:30"
            app.push_screen(AskScreen("Show which time?", own, note=note, check=check), write)
        elif value is not None:
            app.set_window(value)

    now = " ".join(app.filter.times) if app.filter is not None else ""
    own = now if now not in [value for value, _, _ in WINDOWS] else ""
    choices = [Choice(value, name, detail) for value, name, detail in WINDOWS]
    choices.append(Choice(_OTHER, "from – to …", own or "a time of your own"))
    app.push_screen(ChooseScreen("Time window of all screens", choices, empty="", current=_OTHER if own else now), take)


def write_file(app: Shell, name: str, write: Callable[[Path], int]) -> None:
    """Write what a screen shows into a file, all of it; a file that is there already is never overwritten."""
    suggestion = Path.cwd() / f"flowmon-{name}-{time.strftime('%Y%m%d-%H%M%S')}.{'txt' if name == 'message' else 'csv'}"

    def check(text: str) -> str | None:
        path = Path(text).expanduser()
        if not text:
            return "a path is missing"
        if path.exists():
            return f"choose another name: there is already {path}"
        return None if path.parent.is_dir() else f"there is no such folder: {path.parent}"

    def take(text: str | None) -> None:
        if text is None:
            return
        path = Path(text).expanduser()

        def work() -> None:
            try:
                count = write(path)
            except Exception as fault:  # a full disk, or whatever the store raises: said, and the screen goes on
                app.call_from_thread(app.notify, f"{path}: {fault}", title="Not written", severity="error",
                                     markup=False)
            else:
                app.call_from_thread(app.notify, f"{path}", title=f"Written: {count} lines", markup=False)

        app.run_worker(work, thread=True, group="write")

    app.push_screen(AskScreen("Write to file", str(suggestion), note="a new file; what is filtered, all of it",
                              check=check), take)
