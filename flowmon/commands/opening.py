"""Opening what a command asks: the collector's store, or a temporary one filled from the PATHs it was given."""

from __future__ import annotations

import gc
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from flowmon import config as configuration
from flowmon import paths
from flowmon.commands.output import clean_lines
from flowmon.config import Config
from flowmon.errors import SourceError, StoreError
from flowmon.store.filter import Filter, parse
from flowmon.store.reader import SqliteReader
from flowmon.store.schema import Asked

if TYPE_CHECKING:
    from flowmon.parsing.catalogue import Catalogue


def load_config(path: Path | None) -> Config:
    """The configuration, its diagnosis rules put in force; a faulty file of these is told and left out.

    Raises ConfigError.
    """
    config = configuration.load(path)
    for fault in own_diagnosis(config):
        tell(fault)
    return config


def own_diagnosis(config: Config) -> list[str]:
    """Put the user's diagnosis rules in force; what was wrong with those files that were left out."""
    files = [*config.diagnosis.files, *(file for file in paths.diagnosis_files() if file.exists())]
    if not files:
        return []
    from flowmon.tracking.own_rules import put_in_force

    return put_in_force(files)


def catalogue(config: Config) -> Catalogue:
    """All formats in force: built in, from the user's folders, and named in the configuration."""
    from flowmon.parsing.catalogue import builtin  # what only asks a store need not wait for the parsers

    return builtin(paths.data_folder("parsers"), paths.parser_folders(), [Path(p) for p in config.parsers.files])


def store_path(config: Config, given: Path | None = None) -> Path:
    """Where the collector's store is."""
    return given or (Path(config.store.path).expanduser() if config.store.path else paths.store_path())


def there(path: Path) -> bool:
    """Whether there is a store. Raises StoreError when its folder is not ours to look into."""
    try:
        return path.exists()
    except PermissionError:
        raise StoreError(
            f"{path}: permission denied: join the group of the collector that keeps it, or name the logs to read"
        ) from None


def tell(text: str) -> None:
    """Say something beside the output, on standard error."""
    print(f"flowmon: {clean_lines(text)}", file=sys.stderr)


class _Progress:
    """How much is read, on a terminal's standard error; erases itself."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._shown = 0.0
        self._on = sys.stderr.isatty()

    def __call__(self, done: int) -> None:
        if not self._on or time.monotonic() - self._shown < 0.2:
            return
        self._shown = time.monotonic()
        share = f"{min(done / self._total, 1):.0%} of " if self._total else ""
        print(f"\r\x1b[Kreading: {share}{done / 1e6:,.0f} MB", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._on and self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


@contextmanager
def reader(
    arguments: list[str], config: Config, *, store: Path | None = None, asked: Asked = Asked.LOOKUPS
) -> Iterator[SqliteReader]:
    """Answers from the PATHs, read into a store that goes with the command; without PATHs from the collector's store.

    Raises SourceError, StoreError.
    """
    if not arguments:
        path = store_path(config, store)
        if not there(path):
            raise StoreError(
                f"{path}: no store yet: start `flowmon collect` (or the screen, `flowmon`), or name the logs to read"
            )
        opened = SqliteReader(path)
        try:
            yield opened
        finally:
            opened.close()
        return
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that the folder goes
    with tempfile.TemporaryDirectory(prefix="flowmon-") as folder:
        path = Path(folder) / "store.db"
        _fill(path, arguments, config, asked)
        opened = SqliteReader(path, temporary=True)
        try:
            yield opened
        finally:
            opened.close()


def _fill(path: Path, arguments: list[str], config: Config, asked: Asked) -> None:
    """Read PATHs into a temporary store."""
    from flowmon.collecting.history import read_all
    from flowmon.sources import discover
    from flowmon.store.writer import Writer

    discovery = discover(arguments)
    if not discovery.streams:
        raise SourceError("; ".join(discovery.problems) or "nothing to read")
    for problem in discovery.problems:
        tell(problem)
    gc.disable()  # what a load makes is kept or freed by count; looking for cycles would cost a third of the time
    writer = Writer(path, temporary=True)
    try:
        formats = catalogue(config)
        for fault in formats.rejected:
            tell(fault)
        progress = _Progress(sum(max(s.size, 0) for s in discovery.streams))
        states = read_all(writer, formats, discovery, config, asked=asked, progress=progress)
        progress.clear()
        for told in formats.switched_off():
            tell(told)
        for state in states:
            trouble = state.error or (state.notice if state.offset else None)
            if trouble and trouble not in discovery.problems:
                tell(trouble)
        if states and all(state.format is None for state in states) and any(s.error or s.offset for s in states):
            raise SourceError("no log could be read: nothing to tell")
    finally:
        writer.close()
        gc.enable()


def nothing(reader: SqliteReader, text: str, filter: Filter | None, filtered: str) -> str:
    """What to tell of an empty answer: `text`, or `filtered` with the filter's text; and whether nothing was understood
    or the logs tell of no message at all, which is no good news."""
    if filter is not None:
        return f"{filtered} `{filter.text}`"
    sources = reader.sources()
    if sources and not any(source.lines for source in sources):
        return f"{text}: not one line to read in {', '.join(source.path for source in sources[:3])}"
    understood = sum(source.lines - source.unmatched - source.foreign for source in sources)
    if reader.by_status() or not sources:
        return text
    if not understood:
        return (
            f"{text}: not one line of these logs is understood as one of mail; `flowmon parsers coverage PATH` shows "
            f"what they hold"
        )
    lines = "1 line of them was" if understood == 1 else f"{understood} lines of them were"
    return (
        f"{text}: these logs tell of no message. {lines} understood, but what a filter, a "
        f"login or a session says is shown with the message of the mail server: read its log beside them"
    )


def read_filter(text: str | None) -> Filter | None:
    """A filter expression. Raises FilterError."""
    return parse(text) if text else None

