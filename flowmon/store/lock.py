"""The lock of a store: one collector writes it, and says beside its pid what keeps it from writing."""

from __future__ import annotations

import fcntl
import os
import time
from math import inf
from pathlib import Path
from typing import IO

from flowmon.errors import StoreError

_BYTES = 2048
_SCREEN = " for a screen"
_LOOK_SECONDS = 0.5


class CollectorLock:
    """Held by the collector of a store. Raises StoreError when another holds it, or its folder cannot be written.

    `for_screen`: a screen started this collector, and another screen may go on with one of its own.
    """

    def __init__(self, store: Path, *, for_screen: bool) -> None:
        self._owner = f"{os.getpid()}{_SCREEN if for_screen else ''}"
        path = _path(store)
        try:
            store.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = path.open("r+" if path.exists() else "w+", encoding="ascii")
        except OSError as fault:
            raise StoreError(
                f"{store}: the store's folder cannot be written: {fault.strerror}; "
                "choose another with --store or [store] path"
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = self._file.readline().strip().removesuffix(_SCREEN) or "another process"
            self._file.close()
            raise StoreError(
                f"{store}: a collector (pid {owner}) already writes this store; look at it with `flowmon`"
            ) from None
        self.say(None)

    def say(self, trouble: str | None) -> None:
        """Tell readers what keeps the collector from writing; None when nothing does.

        It stands beside the pid in the lock file, which has its size from the beginning: a full disk cannot refuse it.
        """
        text = f"{self._owner}\n{trouble or ''}"
        self._file.seek(0)
        self._file.truncate(_BYTES)
        self._file.write(text.encode("ascii", "replace").decode()[: _BYTES - 1].ljust(_BYTES - 1) + "\n")
        self._file.flush()

    def release(self) -> None:
        """Let another collector have the store."""
        self._file.close()


def collector_says(store: Path) -> str | None:
    """What keeps a collector from writing its store; None when nothing does."""
    return _told(store)[1].strip() or None


def was_for_screen(store: Path) -> bool:
    """Whether the collector that writes a store, or wrote it last, was started by a screen and not as a service."""
    return _told(store)[0].endswith(_SCREEN)


def collector_runs(store: Path) -> bool:
    """Whether a collector holds the store now."""
    try:
        with _path(store).open("r", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


class CollectorState:
    """Whether a store's collector runs and can write, as a number from 0 to 3 that differs when that does.

    It is looked at twice a second, however often it is asked: a screen that waits for news costs little.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._number = 0
        self._next_look = -inf

    def number(self) -> int:
        """The number, at most half a second old."""
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + _LOOK_SECONDS
            self._number = collector_runs(self._store) * 2 + (collector_says(self._store) is not None)
        return self._number


def _path(store: Path) -> Path:
    return store.with_name(store.name + ".lock")


def _told(store: Path) -> tuple[str, str]:
    """Who wrote the lock file last, and what kept it from writing."""
    try:
        text = _path(store).read_text(encoding="ascii", errors="replace")
    except OSError:
        return "", ""
    owner, _, trouble = text.partition("\n")
    return owner, trouble
