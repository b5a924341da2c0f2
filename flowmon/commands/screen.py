"""`flowmon`: the screen, on a running collector's store, else on one that is started for it and ends with it."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

from flowmon import paths
from flowmon.commands import opening
from flowmon.config import Config
from flowmon.errors import FlowmonError, SourceError, StoreError
from flowmon.store.lock import collector_runs, was_for_screen
from flowmon.store.reader import SqliteReader
from flowmon.store.schema import SCHEMA_VERSION

LOOK_SECONDS = 0.2
"""How often a screen looks whether another's collector still runs."""
START_SECONDS = 10.0
"""How long a collector may take to open its store."""


def run(
    arguments: list[str], filter_text: str | None, config_path: Path | None, store: Path | None, *,
    theme: str | None = None, mouse: bool = True, fps: float | None = None,
) -> int:
    """Show the screen until the user leaves. Gives the exit status."""
    config = opening.load_config(config_path)
    opening.read_filter(filter_text)  # a fault is told before the screen opens
    need_terminal(piped=_piped(arguments))
    path = store or _store_for(arguments, config)
    opening.there(path)
    notices: list[str] = []
    child: subprocess.Popen[bytes] | None = None
    with contextlib.ExitStack() as stack:
        if collector_runs(path):
            stack.enter_context(_successor(path, config_path, arguments))
            if arguments and not was_for_screen(path):
                notices.append("a collector already reads these logs: this screen looks at its store")
        elif arguments or _finds_logs(config, path, notices):
            child = stack.enter_context(collector(path, config_path, arguments, meanwhile=lambda: prepare(config)))
            if _piped(arguments):
                _keys_from_terminal()
            stack.enter_context(_successor(path, config_path, arguments, child))
        show(path, config, filter_text, notices, child=child, theme=theme, mouse=mouse, fps=fps)
    return 0


def _finds_logs(config: Config, path: Path, notices: list[str]) -> bool:
    """Whether there are logs to read where none is named; notes what is to be said of them.

    Raises SourceError where there are none, and no store either that tells of mail.
    """
    from flowmon.commands.collect import find

    try:
        discovery = find([], config)
    except SourceError as fault:
        if not path.exists():
            raise
        notices.append(f"no collector runs for {path}, and none was started: {fault}")
        return False
    notices += [*discovery.notes, *discovery.problems]
    discovery.close()
    return True


def _piped(arguments: list[str]) -> bool:
    """Whether one of the PATHs is standard input."""
    return any(a == "-" or a.endswith("=-") for a in arguments)


def need_terminal(*, piped: bool = False) -> None:
    """Raises FlowmonError when keys cannot come from a terminal, or the screen cannot go to one.

    `piped`: standard input brings a log; then keys come from the controlling terminal.
    """
    if "web_driver" in os.environ.get("TEXTUAL_DRIVER", ""):  # `flowmon serve`: the browser is the terminal
        return
    if (piped or sys.stdin.isatty()) and (sys.stdout.isatty() or sys.stderr.isatty()):
        return
    raise FlowmonError(
        "the screen needs a terminal: here use `flowmon queues`, `flowmon problems`, `flowmon messages` or "
        "`flowmon report`, or `flowmon collect` for a service"
    )


def _keys_from_terminal() -> None:
    """Standard input went to the collector: read keys from the controlling terminal."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError as fault:
        raise FlowmonError(f"no terminal to read keys from (/dev/tty: {fault.strerror})") from None
    os.dup2(terminal, 0)
    os.close(terminal)


def show(
    path: Path, config: Config, filter_text: str | None, notices: list[str], *, theme: str | None, mouse: bool,
    child: subprocess.Popen[bytes] | None = None, title: str = "", fps: float | None = None,
    captions: Sequence[tuple[float, str]] = (),
) -> None:
    """Open the screens on a store. `child`: its collector, where this screen started it."""
    from flowmon.tui import environment

    prepare(config)
    from flowmon.tui.app import run_app

    news = child.stdout.fileno() if child is not None and child.stdout is not None else None
    reader = SqliteReader(path)
    try:
        seconds = environment.refresh_seconds(os.environ, fps, config.screen.refresh_seconds)
        run_app(
            reader, theme=theme or config.screen.theme, refresh_seconds=seconds, news=news, title=title,
            notices=notices, mouse=mouse and config.screen.mouse, filter_text=filter_text, keys=config.screen.keys,
            rule_of=_rules(config), captions=captions,
        )
    finally:
        reader.close()


def _rules(config: Config) -> Callable[[str], str | None]:
    """Names the rule of a line. What it takes is imported with the first line: no screen waits for the parsers."""

    @cache
    def finder() -> Callable[[str], str | None]:
        from flowmon.commands.explaining import RuleFinder

        return RuleFinder(config)

    return lambda line: finder()(line)


def prepare(config: Config) -> None:
    """Import the screens: while a collector starts there is time for it.

    Textual reads the environment at its import, so what it is to do is set before.
    """
    from flowmon.tui import environment

    _colours(config.screen.colors)
    environment.prepare(os.environ)
    importlib.import_module("flowmon.tui.app")


def _colours(wanted: str) -> None:
    if wanted == "none":
        os.environ.setdefault("NO_COLOR", "1")
    elif wanted != "auto":
        os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "standard" if wanted == "16" else wanted)


def _store_for(arguments: list[str], config: Config) -> Path:
    """The usual store; for named PATHs one of their own, so that logs looked at once do not mix with this host's."""
    if not arguments:
        return opening.store_path(config)
    named = "\n".join(os.path.abspath(a.partition("=")[2] or a) if a != "-" else a for a in sorted(arguments))
    key = hashlib.blake2b(named.encode(), digest_size=8).hexdigest()
    path = paths.store_path().parent / "screens" / f"{key}.{SCHEMA_VERSION}.db"
    for other in path.parent.glob(f"{key}.*db"):  # of another version of flowmon: the logs fill it again
        if other != path and not collector_runs(other):
            for ending in ("", "-wal", "-shm", ".lock"):
                other.with_name(other.name + ending).unlink(missing_ok=True)
    return path


@contextlib.contextmanager
def collector(
    path: Path, config: Path | None, arguments: list[str], *, meanwhile: Callable[[], None] = lambda: None
) -> Iterator[subprocess.Popen[bytes]]:
    """A collector in a process of its own, which ends with this context. Raises StoreError when it does not start.

    Its standard output can be read when it has written something. `meanwhile` is done while it starts.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise StoreError(
            f"{path.parent}: the store's folder cannot be made: {fault.strerror}: set XDG_STATE_HOME, or name a store "
            "with --store"
        ) from None
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(
            [sys.executable, "-m", "flowmon.commands.collect", str(path), str(config or ""), *arguments],
            stdin=sys.stdin if _piped(arguments) else subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said,
            start_new_session=True,
        )
        try:
            until = time.monotonic() + START_SECONDS
            meanwhile()
            while not (path.exists() and collector_runs(path) and _readable(path)):
                if child.poll() is not None:
                    said.seek(0)
                    text = said.read().decode("utf-8", "replace").strip().splitlines()
                    raise StoreError(text[-1].removeprefix("flowmon: ") if text else "the collector ended at once")
                if time.monotonic() > until:
                    raise StoreError(f"{path}: the collector did not open the store within {START_SECONDS:.0f} seconds")
                time.sleep(0.02)
            yield child
        finally:
            if child.poll() is None:
                child.terminate()
                try:
                    child.wait(5)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
            if child.stdout is not None:
                child.stdout.close()


@contextlib.contextmanager
def _successor(
    path: Path, config: Path | None, arguments: list[str], first: subprocess.Popen[bytes] | None = None
) -> Iterator[None]:
    """Go on with another collector when a screen's collector ends: `first`, our own, or that of another screen."""
    over, starting = threading.Event(), threading.Lock()
    with contextlib.ExitStack() as stack:

        def watch() -> None:
            own, pause = first, LOOK_SECONDS
            while not over.wait(pause):
                if own is not None:  # nothing wakes while it runs
                    own.wait()
                    own = None
                elif not collector_runs(path) and was_for_screen(path):
                    # another screen may be quicker; or it cannot be started, as the screens say already
                    with starting, contextlib.suppress(StoreError):
                        if not over.is_set():
                            own = stack.enter_context(collector(path, config, arguments))
                    pause = min(2 * pause, START_SECONDS)  # one that ends again and again is not started all the time

        thread = threading.Thread(target=watch, name="flowmon-successor", daemon=True)
        if not _piped(arguments):
            thread.start()
        try:
            yield
        finally:
            over.set()
            with starting:  # what is being started now ends with the others
                pass


def _readable(path: Path) -> bool:
    """Whether the store has its tables already."""
    try:
        SqliteReader(path).close()
    except StoreError:
        return False
    return True
