"""From PATH arguments to the logs they mean."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from flowmon.errors import SourceError
from flowmon.sources.family import place
from flowmon.sources.faults import explain
from flowmon.sources.file_names import storable
from flowmon.sources.naming import begins_like_log, host_below, is_log_name
from flowmon.sources.opened import open_log
from flowmon.sources.pipe import StdinStream
from flowmon.sources.stream import LogStream

_HOST_PATH = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)")

Stream = LogStream | StdinStream


class Wish(NamedTuple):
    """One PATH argument, taken apart."""

    path: str
    """Absolute, or `-`."""
    host: str | None


class Discovery:
    """The logs that were found, and what to tell about the search."""

    def __init__(self, wishes: Iterable[Wish] = (), *, past_of_files: bool = False) -> None:
        """
        Args:
            wishes: what to look for.
            past_of_files: read the rotated past of a file named by itself too, not only of those in folders.
        """
        self.streams: list[Stream] = []
        self.problems: list[str] = []
        """Each: path, what is wrong, remedy."""
        self.notes: list[str] = []
        """What was found."""
        self.folders: set[str] = set()
        """Folders in which new logs may appear: to be watched beside those of the streams."""
        self._wishes = list(wishes)
        self._past_of_files = past_of_files
        self._keys: set[str] = set()
        self._seen: set[tuple[int, int]] = set()
        self._refused: set[tuple[int, int]] = set()
        self._search()

    def rescan(self) -> list[LogStream]:
        """Look again for logs in the folders; the new ones are added to `streams` and returned.

        `problems` and `notes` are then those of this search.
        """
        before = len(self.streams)
        self.problems, self.notes = [], []
        self._search(again=True)
        return [stream for stream in self.streams[before:] if isinstance(stream, LogStream)]

    def close(self) -> None:
        """Close all streams."""
        for stream in self.streams:
            stream.close()

    def _search(self, *, again: bool = False) -> None:
        # What is said more exactly comes first, and a log found twice is the first's: HOST= before a bare path,
        # a file before a folder.
        for hosted in (True, False):
            files: dict[tuple[str, str | None], list[str]] = {}
            folders = []
            for wish in self._wishes:
                if (wish.host is not None) == hosted:
                    if wish.path != "-" and os.path.isdir(wish.path):
                        folders.append(wish)
                    elif not again:
                        self._sort_in(wish, files)
            for (key, host), names in files.items():
                self._add_files(key, host, names)
            for wish in folders:
                self._add_folder(wish)
        self.problems = [storable(text) for text in self.problems]
        self.notes = [storable(text) for text in self.notes]

    def _sort_in(self, wish: Wish, files: dict[tuple[str, str | None], list[str]]) -> None:
        """Open a pipe; gather a file beside the others of its log; say what is neither."""
        if wish.path == "-":
            self.streams.append(StdinStream(host=wish.host))
            return
        try:
            mode = os.stat(wish.path).st_mode
        except OSError as error:
            self.problems.append(explain(wish.path, error))
            return
        if stat.S_ISREG(mode):
            folder, name = os.path.split(os.path.realpath(wish.path))
            files.setdefault((os.path.join(folder, place(name).family), wish.host), []).append(name)
        else:
            self._add_pipe(wish)

    def _add_pipe(self, wish: Wish) -> None:
        try:
            fd = os.open(wish.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            self.problems.append(explain(wish.path, error))
            return
        self.streams.append(StdinStream(fd, key=wish.path, host=wish.host))

    def _add_files(self, key: str, host: str | None, names: list[str]) -> None:
        """Add files named one by one: those of one log are one stream, and only those."""
        folder = os.path.dirname(key)
        usable = []
        for name in sorted(set(names), key=lambda name: (place(name)[1:3], name)):
            path = os.path.join(folder, name)
            fault = _fault(path)
            if fault is not None:
                self.problems.append(fault)
            if (fault is None or "permission denied" in fault) and self._is_new(path):
                usable.append(name)
        if not usable:
            return
        live = os.path.basename(key)
        if live not in usable:
            self._append(LogStream(os.path.join(folder, usable[-1]), host, only=usable))
        else:
            self._append(LogStream(key, host, begin=None if self._past_of_files else usable[0]))

    def _add_folder(self, wish: Wish) -> None:
        families: dict[str, list[str]] = {}
        for path in self._walk(wish.path):
            folder, name = os.path.split(os.path.realpath(path) if os.path.islink(path) else path)
            family = os.path.join(folder, place(name).family)
            families.setdefault(family, []).append(path)
        direct = any(os.path.dirname(path) == wish.path for paths in families.values() for path in paths)
        found = 0
        left_out = [note for note in self.notes if note.startswith(f"left out: {wish.path}")]
        for key in sorted(families):
            paths = families[key]
            found += 1
            host = wish.host or (None if direct else host_below(wish.path, paths[0]))
            new = [path for path in paths if self._is_new(path)]  # all of them: each is to be remembered
            if key not in self._keys and new:
                self._append(LogStream(key, host))
        if not found and not any(problem.startswith(wish.path) for problem in self.problems):
            self.problems.append(
                f"{wish.path}: no mail log below this folder: name a file, or a folder that holds logs"
                + "".join(f"; {text}" for text in left_out)
            )

    def _append(self, stream: LogStream) -> None:
        self._keys.add(stream.key)
        self.streams.append(stream)
        self.notes.append(f"found {stream.key}" + (f" (host {stream.host})" if stream.host else ""))

    def _is_new(self, path: str) -> bool:
        """Remember a file; False if it was seen under this or another name."""
        try:
            facts = os.stat(path)
        except FileNotFoundError:  # rotated just now: its family is read all the same
            return True
        identity = (facts.st_dev, facts.st_ino)
        if identity in self._seen:
            return False
        self._seen.add(identity)
        return True

    def _walk(self, top: str) -> Iterator[str]:
        """The logs below a folder. Links to folders are followed, each folder is read once."""
        visited: set[tuple[int, int]] = set()

        def tell(error: OSError) -> None:
            self.problems.append(explain(str(error.filename), error))

        for folder, folders, names in os.walk(top, onerror=tell, followlinks=True):
            facts = os.stat(folder)
            if (facts.st_dev, facts.st_ino) in visited:
                folders.clear()
                continue
            visited.add((facts.st_dev, facts.st_ino))
            self.folders.add(folder)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = os.path.join(folder, name)
                if self._is_log(path, name):
                    yield path

    def _is_log(self, path: str, name: str) -> bool:
        """Whether a file met in a folder is a log. One that may not be read is taken, and told of."""
        named = is_log_name(name)
        if named is False:
            return False
        try:
            facts = os.stat(path)
        except OSError:  # a link to nowhere, or gone since
            return False
        identity = (facts.st_dev, facts.st_ino)
        if not stat.S_ISREG(facts.st_mode) or identity in self._refused:
            return False
        if identity in self._seen:
            return True
        try:
            taken = begins_like_log(path) or bool(named)
        except SourceError as error:
            if "permission denied" in str(error):
                self.problems.append(str(error))
                return True
            if named:  # of other files in the folder none expects that they are read
                # a file without an ending may be one of the system's binary ones, as wtmp and lastlog are
                quiet = "binary data" in str(error) and not os.path.splitext(place(name).family)[1]
                (self.notes if quiet else self.problems).append(f"left out: {error}")
            taken = False
        if not taken:
            self._refused.add(identity)
        return taken


def _fault(path: str) -> str | None:
    try:
        open_log(path).close()
    except SourceError as error:
        return str(error)
    return None


def parse_path(argument: str) -> Wish:
    """Take a PATH argument apart: PATH, `-`, or HOST=PATH (a path that exists as it stands is never HOST=PATH)."""
    match = _HOST_PATH.fullmatch(argument)
    if match is None or os.path.exists(argument):
        host, path = None, argument
    else:
        host, path = match[1], match[2]
    return Wish(path if path == "-" else os.path.abspath(os.path.expanduser(path)), host)


def discover(paths: list[str], *, past_of_files: bool = False) -> Discovery:
    """The logs that PATH arguments mean: files, folders (the logs below them with their rotated past), `-`, HOST=PATH.

    Never raises: what cannot be read is told in `problems`.
    """
    return Discovery([parse_path(path) for path in paths], past_of_files=past_of_files)
