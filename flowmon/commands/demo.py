"""`flowmon demo`: the screen on a recorded run of several hosts, replayed live as it happened.

The recording is shipped with the package: one compressed file per log. Lines appear in files below a temporary folder
at the pace at which they were written, with the time of now in place of the time of then.
"""

from __future__ import annotations

import contextlib
import gzip
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from flowmon import paths
from flowmon.commands import opening
from flowmon.commands.screen import collector, need_terminal, prepare, show
from flowmon.errors import SourceError

_ISO = re.compile(rb"(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)")
_RFC3164 = re.compile(rb"([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d:\d\d)")
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
HEAD_START_SECONDS = 50.0
"""How much of the run stands in the logs already when the screen opens."""
TICK_SECONDS = 0.1


class Line:
    """A recorded line: when it was written, and where."""

    __slots__ = ("at", "data", "path")

    def __init__(self, at: datetime, path: Path, data: bytes) -> None:
        self.at, self.path, self.data = at, path, data


def recording(folder: Path) -> list[Line]:
    """The lines of a recording, in order of time. Raises SourceError when there is none."""
    lines: list[Line] = []
    for packed in sorted(folder.rglob("*.gz")):
        path = packed.relative_to(folder).with_suffix("")
        at: datetime | None = None
        for data in gzip.decompress(packed.read_bytes()).splitlines(keepends=True):
            at = _time(data, lines[0].at if lines else None) or at
            if at is not None:
                lines.append(Line(at, path, data))
    if not lines:
        raise SourceError(f"{folder}: no recording: the package is incomplete, install it again")
    return sorted(lines, key=lambda line: line.at)


def _time(data: bytes, near: datetime | None) -> datetime | None:
    """The time a line carries (UTC); a stamp without year takes that of the recording."""
    iso = _ISO.search(data, 0, 40)
    if iso is not None:
        return datetime.fromisoformat(f"{iso[1].decode()}T{iso[3].decode()}+00:00")
    short = _RFC3164.search(data, 0, 40)
    if short is None or short[1] not in _MONTHS:
        return None
    year = near.year if near is not None else datetime.now(UTC).year
    month = _MONTHS.index(short[1]) + 1
    return datetime.fromisoformat(f"{year}-{month:02d}-{int(short[2]):02d}T{short[3].decode()}+00:00")


def moved(data: bytes, by: timedelta) -> bytes:
    """A line with its stamp moved in time (whole seconds). Stamps with a zone stay in UTC; others become local time."""
    iso = _ISO.search(data, 0, 40)
    if iso is not None:
        at = datetime.fromisoformat(f"{iso[1].decode()}T{iso[3].decode()}+00:00") + by
        zoned = data[iso.end() : iso.end() + 14].find(b"+00:00") >= 0
        at = at if zoned else at.astimezone()
        return data[: iso.start()] + at.strftime(f"%Y-%m-%d{iso[2].decode()}%H:%M:%S").encode() + data[iso.end() :]
    short = _RFC3164.search(data, 0, 40)
    then = _time(data, None)
    if short is None or then is None:
        return data
    at = (then + by).astimezone()
    stamp = _MONTHS[at.month - 1] + f" {at.day:2d} {at:%H:%M:%S}".encode()
    return data[: short.start()] + stamp + data[short.end() :]


class Replay(threading.Thread):
    """Writes a recording below `target`, at the pace of the record."""

    def __init__(self, lines: list[Line], target: Path, speed: float) -> None:
        super().__init__(name="flowmon-demo", daemon=True)
        self._lines = lines
        self._target = target
        self._speed = speed
        self._begin = lines[0].at
        self._head = HEAD_START_SECONDS
        self._ended = threading.Event()
        now = datetime.now(UTC).replace(microsecond=0)
        self._by = now - timedelta(seconds=self._head) - self._begin
        self._next = self._write(0, self._begin + timedelta(seconds=self._head))

    def _write(self, start: int, until: datetime) -> int:
        """Write the lines before `until`; gives the place of the first one left."""
        files: dict[Path, list[bytes]] = {}
        place = start
        while place < len(self._lines) and self._lines[place].at <= until:
            line = self._lines[place]
            shift = self._by if self._speed == 1 else self._by - (line.at - self._begin) * (1 - 1 / self._speed)
            files.setdefault(line.path, []).append(moved(line.data, timedelta(seconds=round(shift.total_seconds()))))
            place += 1
        for path, data in files.items():
            target = self._target / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("ab") as out:
                out.write(b"".join(data))
        return place

    def run(self) -> None:
        started = time.monotonic()
        while self._next < len(self._lines) and not self._ended.wait(TICK_SECONDS):
            passed = self._head + (time.monotonic() - started) * self._speed
            self._next = self._write(self._next, self._begin + timedelta(seconds=passed))

    def end(self) -> None:
        """Stop writing."""
        self._ended.set()
        self.join(5)


def _recording() -> Path:
    return paths.data_folder("demo")


@contextlib.contextmanager
def replayed(speed: float) -> Iterator[Path]:
    """A folder in which the recording is being replayed; the folder goes with the context."""
    lines = recording(_recording())
    with tempfile.TemporaryDirectory(prefix="flowmon-demo-") as folder:
        replay = Replay(lines, Path(folder) / "logs", speed)
        replay.start()
        try:
            yield Path(folder)
        finally:
            replay.end()


class Caption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of the story, and when: seconds from its first line."""

    at: float
    text: str


class _Captions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    caption: list[Caption]


def captions(folder: Path) -> list[Caption]:
    """The captions of a recording, in order of time."""
    read = msgspec.toml.decode((folder / "captions.toml").read_bytes(), type=_Captions)
    return sorted(read.caption, key=lambda caption: caption.at)


def run(*, theme: str | None = None, speed: float = 1.0, mouse: bool = True, fps: float | None = None) -> int:
    """Replay the recording and show the screen on it. Gives the exit status."""
    config = opening.load_config(None)
    need_terminal()
    with replayed(max(speed, 0.1)) as folder:
        store = folder / "demo.db"
        with collector(store, None, [str(folder / "logs")], meanwhile=lambda: prepare(config)) as child:
            told = [((one.at - HEAD_START_SECONDS) / max(speed, 0.1), one.text) for one in captions(_recording())]
            show(store, config, None, [], child=child, captions=told,
                 theme=theme, mouse=mouse, title="demo", fps=fps)
    return 0
