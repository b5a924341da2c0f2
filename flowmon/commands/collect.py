"""`flowmon collect`: the collector alone, until it is told to end."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from flowmon.collecting import BULK_COMMIT_SECONDS, COMMIT_SECONDS, Collector
from flowmon.commands import opening
from flowmon.config import Config
from flowmon.errors import SourceError, StoreError, StoreReadError
from flowmon.mta.asker import Asker, Mta, of_this_host
from flowmon.sources import Discovery, discover, discover_local
from flowmon.sources.watcher import Watcher
from flowmon.store.writer import Writer
from flowmon.tracking.names import HostNames

_STDOUT = 1
POLL_SECONDS = 1.0
"""The slow safety poll: how long a change may go unreported."""
RESCAN_SECONDS = 5.0
PRUNE_SECONDS = 600.0
RETRY_SECONDS = 5.0
"""After a failed commit (disk full): how long until the next try."""


def find(arguments: list[str], config: Config) -> Discovery:
    """The logs to read: the PATHs, else those of the configuration, else this host's. Raises SourceError for none."""
    named = arguments or [f"{p.host}={p.path}" if p.host else str(p.path) for p in config.paths]
    discovery = discover(named, past_of_files=not arguments) if named else discover_local()
    if not discovery.streams:
        where = "" if named else "; name a log: `flowmon PATH`, or run flowmon on the host that has the logs"
        raise SourceError(("; ".join(discovery.problems) or "no mail log was found") + where)
    return discovery


def run(
    arguments: list[str], config_path: Path | None, store: Path | None, *, once: bool = False,
    stop: threading.Event | None = None, written: Callable[[], None] = lambda: None,
) -> int:
    """Collect until SIGTERM, SIGINT or SIGHUP, or until a screen sets `stop`; `once`: what there is.

    `written` is called when a reader of the store may find something new.
    """
    config = opening.load_config(config_path)
    discovery = find(arguments, config)
    for text in (*discovery.notes, *discovery.problems):
        opening.tell(text)
    writer = Writer(opening.store_path(config, store), for_screen=stop is not None)
    stop = stop or threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    try:
        collector = Collector(writer, opening.catalogue(config), discovery, config, live=not once)
        mtas = to_ask(arguments, config, collector.folding.names) if not once else []
        writer.keep_listings({(mta.host, mta.name) for mta in mtas})
        asker = Asker(mtas, config.queue.seconds)
        try:
            Live(collector, stop, asker, written).run(once=once)
        finally:
            asker.stop()
    finally:
        writer.close()
    return 0


def to_ask(arguments: list[str], config: Config, names: HostNames) -> list[Mta]:
    """The MTAs to ask for their queues: those of the configuration; else, when this host's logs are read, its own."""
    if not config.queue.read:
        return []
    if config.mta:
        hosts = [(mta, names.name(mta.host) if mta.host else names.this_host) for mta in config.mta]
        zones = {names.name(name): host.timezone for name, host in config.hosts.items()}
        return [Mta(host, mta.kind, mta.config, mta.through, zones.get(host)) for mta, host in hosts]
    return [] if arguments or config.paths else of_this_host(names.this_host)


class Live:
    """Drives a collector: reads what is new, commits soon, waits for more."""

    def __init__(
        self, collector: Collector, stop: threading.Event, asker: Asker, written: Callable[[], None] = lambda: None
    ) -> None:
        self._collector = collector
        self._written = written
        self._stop = stop
        self._asker = asker
        self._trouble: str | None = None
        self._next_try = 0.0
        self._next_prune = time.monotonic() + 60.0
        self._next_scan = time.monotonic() + RESCAN_SECONDS

    def run(self, *, once: bool = False) -> None:
        """Until `stop` is set; with `once`, until all sources are read to their end."""
        collector = self._collector
        discovery = collector.folding.discovery
        gc.disable()  # what folding makes is freed by count; cycles are looked for while nothing comes
        collector.folding.recognise()
        watcher = Watcher(discovery.streams, discovery.folders)
        if watcher.notice:
            collector.folding.notices.append(watcher.notice)
        try:
            while not self._stop.is_set():
                self._drain()
                if once:
                    break
                watcher.wait(POLL_SECONDS if not collector.folding.dirty else COMMIT_SECONDS)
                self._rescan(watcher)
                self._housekeeping()
            self._commit(force=True)
            if once and self._trouble is not None:
                raise StoreError(
                    "stopped before the end of the logs; run it again when that is mended: it goes on there"
                )
        finally:
            watcher.close()
            gc.enable()

    def _drain(self) -> None:
        """Read all that is new, committing on the way while there is much."""
        collector = self._collector
        collector.folding.look_again()
        began = time.monotonic()
        while not self._stop.is_set() and self._trouble is None and collector.step():
            every = COMMIT_SECONDS if time.monotonic() - began < 1.0 else BULK_COMMIT_SECONDS
            if collector.due(every):
                self._commit()
        if not collector.folding.dirty or collector.due(COMMIT_SECONDS):  # else with the next lines, or after the wait
            self._commit()

    def _list(self) -> None:
        """Keep what MTAs told of their queues since the last time; what cannot be written comes again with the next."""
        for listing in self._asker.take() if self._trouble is None else ():
            try:
                self._collector.keeper.writer.take_listing(listing)
            except StoreError as fault:
                self._cannot_write(fault)
            else:
                self._written()

    def _commit(self, *, force: bool = False) -> None:
        collector = self._collector
        self._list()
        if not (collector.folding.dirty or collector.waits() or self._trouble) and not force:
            return
        if self._trouble is not None and time.monotonic() < self._next_try and not force:
            return
        try:
            collector.commit()
        except StoreReadError:
            raise
        except StoreError as fault:
            self._cannot_write(fault)
            return
        if self._trouble is not None:
            opening.tell("the store can be written again: going on")
            collector.keeper.writer.say(None)
            self._trouble = None
        self._written()

    def _cannot_write(self, fault: StoreError) -> None:
        """Say it once, to the screens too, and try again after a while."""
        if str(fault) != self._trouble:
            opening.tell(str(fault))
        self._trouble = str(fault)
        self._collector.keeper.writer.say(self._trouble)
        self._next_try = time.monotonic() + RETRY_SECONDS
        self._written()

    def _rescan(self, watcher: Watcher) -> None:
        if time.monotonic() < self._next_scan:
            return
        self._next_scan = time.monotonic() + RESCAN_SECONDS
        folding = self._collector.folding
        if folding.rescan():
            watcher.update(folding.discovery.streams, folding.discovery.folders)

    def _housekeeping(self) -> None:
        """Retention, and the cycles that counting does not free."""
        if time.monotonic() < self._next_prune or self._trouble is not None:
            return
        self._next_prune = time.monotonic() + PRUNE_SECONDS
        gc.collect()
        keeper, keep = self._collector.keeper, self._collector.folding.config.store
        now = min(keeper.now, time.time())  # a clock that runs ahead must not make all mail old
        try:
            keeper.writer.retain(before=now - keep.keep_days * 86_400, megabytes=keep.keep_megabytes)
            self._written()
        except StoreReadError:
            raise
        except StoreError as fault:
            self._cannot_write(fault)


def _end_with(parent: int, stop: threading.Event) -> None:
    """Set `stop` once the screen that started this process is gone, however it ended (a line that dropped)."""
    while os.getppid() == parent:
        time.sleep(0.5)
    stop.set()


def _tell_screen() -> None:
    """Tell the screen that started this process, by its standard output, that there may be something new."""
    with contextlib.suppress(BlockingIOError, BrokenPipeError):  # it has not looked yet, or is gone
        os.write(_STDOUT, b".")


def main() -> None:  # the collector of a screen: `python -m flowmon.commands.collect STORE CONFIG PATH…`
    """Entry of the process that a screen starts."""
    store, config, *arguments = sys.argv[1:]
    from flowmon.errors import FlowmonError

    stop = threading.Event()
    threading.Thread(target=_end_with, args=(os.getppid(), stop), daemon=True).start()
    os.set_blocking(_STDOUT, False)
    try:
        sys.exit(run(arguments, Path(config) if config else None, Path(store), stop=stop, written=_tell_screen))
    except FlowmonError as fault:
        opening.tell(str(fault))
        sys.exit(2)


if __name__ == "__main__":
    main()
