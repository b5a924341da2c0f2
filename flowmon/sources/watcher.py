"""Wake up when a log may have changed."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from flowmon.sources.discovery import Stream
from flowmon.sources.pipe import StdinStream

POLL_SECONDS = 0.25
"""How often to look where changes are not reported."""
_PIPE_SECONDS = 0.05
"""How long a wait for a pipe may overlook a change of a file."""
_SILENT_DISKS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre"})
"""File systems that other hosts write to without this one being told."""


class Watcher:
    """Waits for changes in the folders of streams; the folders are watched by one thread of its own."""

    def __init__(self, streams: Iterable[Stream], folders: Iterable[str] = ()) -> None:
        """
        Args:
            streams: what is read; their folders are watched.
            folders: more to watch, where new logs may appear (`Discovery.folders`).
        """
        self.notice: str | None = None
        """Why changes are looked for every 0.25 s instead of being reported."""
        self._changed = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._folders: set[str] = set()
        self._pipes: list[StdinStream] = []
        self.update(streams, folders)

    def update(self, streams: Iterable[Stream], folders: Iterable[str] = ()) -> None:
        """Watch these instead, as after a rescan. The next `wait` returns at once if that meant watching anew."""
        streams = list(streams)
        self._pipes = [stream for stream in streams if isinstance(stream, StdinStream)]
        wanted = set(folders).union(*(stream.folders for stream in streams))
        wanted = {folder for folder in wanted if os.path.isdir(folder)}
        if wanted == self._folders and (self._thread is not None or not wanted):
            return
        self._halt()
        self._folders = wanted
        self.notice = _silent(wanted)
        if not wanted:
            return
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._watch, args=(sorted(wanted), self._stop), name="flowmon-watch", daemon=True
        )
        self._thread.start()
        self._changed.set()

    def wait(self, timeout: float = 1.0) -> None:
        """Return when something may have changed, or after `timeout` seconds: the safety poll."""
        if self.notice is not None:
            timeout = min(timeout, POLL_SECONDS)
        pipes = [stream for stream in self._pipes if not stream.ended]
        if pipes:
            self._wait_with_pipes(pipes, timeout)
        else:
            self._changed.wait(timeout)
        self._changed.clear()

    def _wait_with_pipes(self, pipes: list[StdinStream], timeout: float) -> None:
        until = time.monotonic() + timeout
        while not self._changed.is_set():
            left = until - time.monotonic()
            if left <= 0 or select.select(pipes, [], [], min(left, _PIPE_SECONDS))[0]:
                return

    def _watch(self, folders: list[str], stop: threading.Event) -> None:
        # Imported here: it brings an event loop library with it, which one-shot commands never need.
        from watchfiles import watch
        from watchfiles._rust_notify import WatchfilesRustInternalError

        try:
            changes = watch(
                *folders,
                watch_filter=None,
                debounce=75,
                step=50,  # it looks so often, changes or none: with 10 an idle collector costs four times as much
                stop_event=stop,
                rust_timeout=1000,
                raise_interrupt=False,
                force_polling=False,  # its polling sees whole seconds only; ours is the timeout of `wait`
                recursive=False,
            )
            for _ in changes:
                self._changed.set()
        except (OSError, RuntimeError, WatchfilesRustInternalError) as error:
            if not stop.is_set():
                self.notice = (
                    f"changes of {', '.join(folders)} are not reported ({error}): looking every {POLL_SECONDS} s;"
                    " if the limit of watches is reached, raise fs.inotify.max_user_watches or max_user_instances"
                )
                self._changed.set()

    def _halt(self) -> None:
        if self._thread is not None:
            self._stop.set()
            self._thread.join(timeout=5)
            self._thread = None

    def close(self) -> None:
        """Stop watching. A `wait` in another thread returns."""
        self._halt()
        self._folders = set()
        self._changed.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _silent(folders: set[str], mounts: str = "/proc/self/mounts") -> str | None:
    """Say which folder lies on a disk whose changes are not all reported; None if there is none."""
    try:
        with open(mounts, encoding="utf-8", errors="surrogateescape") as lines:
            kinds = {fields[1]: fields[2] for fields in map(str.split, lines) if len(fields) > 2}
    except FileNotFoundError:  # not Linux
        return None
    for folder in sorted(folders):
        place = os.path.realpath(folder)
        while place not in kinds and place != "/":
            place = os.path.dirname(place)
        kind = kinds.get(place, "")
        if kind in _SILENT_DISKS or kind.startswith("fuse.sshfs"):
            return f"{folder} lies on {kind}, where changes are not reported: looking every {POLL_SECONDS} s"
    return None
