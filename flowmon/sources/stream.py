"""One log with its rotated and compressed past, read as one stream of complete lines."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection
from types import TracebackType
from typing import Self

from flowmon.errors import SourceError
from flowmon.sources.family import Family, Member, Moved, place
from flowmon.sources.faults import cut_line, deleted, explain, gap
from flowmon.sources.identity import Chunk, Position
from flowmon.sources.lines import next_lines
from flowmon.sources.opened import OpenedLog, PlainLog, Replaced
from flowmon.sources.places import find, index_of_copy, open_member, resume, unread

CHUNK_BYTES = 262144
_ATTEMPTS = 20
_LATE_SECONDS = 60.0
"""How long a rotated file is still looked at after the next one was begun: Exim's processes each hold their own
descriptor and may write to the old file for a while."""


class LogStream:
    """A log in order, from its oldest file to the live one, through every kind of rotation.

    Nothing is opened before the first `read` or `seek`. Not safe for use by two threads at once.
    """

    def __init__(
        self, path: str, host: str | None = None, *, begin: str | None = None, only: Collection[str] | None = None
    ) -> None:
        """
        Args:
            path: the live file, which need not exist yet; for Exchange the folder and PREFIX*.LOG.
            host: the name of the host that wrote it, where the place of the file tells.
            begin: name of the oldest file to read; without it, all that there are.
            only: the names to read, when files of the past were asked for and the live one was not.
        """
        self.key = os.path.abspath(path)
        self.host = host
        self.error: str | None = None
        """Why nothing can be read now, with a remedy."""
        self._notices: list[str] = []
        self.clipped = 0
        """Lines that were too long and lost their end."""
        folder, name = os.path.split(self.key)
        family = place(name).family
        if only is None and family != name:
            only = {name}
        self._family = Family(folder, family, only)
        self._begin = begin
        self._wanted: Position | None = None
        self._current: OpenedLog | None = None
        self._late: tuple[OpenedLog, float] | None = None
        self._placed: tuple[list[Member], Position, int | None] | None = None
        """Which file of a listing is a copy of one that is gone: to tell, all are opened, not again at each read."""
        self._vain: tuple[list[Member], Position] | None = None
        """A listing in which a place was not found, nor anything written after it."""

    @property
    def notice(self) -> str | None:
        """What the reader should know: where reading went on after a place was lost, a file that was left out."""
        return "; ".join(self._notices) or None

    def _say(self, text: str) -> None:
        if text not in self._notices:
            self._notices = [*self._notices[-2:], text]

    # ---- where reading stands

    def seek(self, position: Position | None) -> None:
        """Go on exactly behind `position`, wherever its file is now; None: from the oldest file."""
        self.close()
        self._notices = []
        self._wanted = position
        with contextlib.suppress(Moved):  # the next read tries again
            self._start()

    def position(self) -> Position | None:
        """Behind the last line given; None while nothing was read."""
        if self._current is not None and self._current.head:
            return self._current.position()
        return self._wanted

    @property
    def path(self) -> str:
        """The file being read now."""
        return self.key if self._current is None else self._current.path

    @property
    def folders(self) -> set[str]:
        """The folders to watch for changes of this log."""
        return {self._family.folder}

    @property
    def size(self) -> int:
        """Bytes on disk of all its files (compressed ones as they lie there)."""
        try:
            return sum(member.size for member in self._from_begin(_sized(self._members())))
        except Moved:
            return 0

    @property
    def lag_bytes(self) -> int:
        """Bytes on disk that were not read yet (compressed ones as they lie there)."""
        log = self._current
        if log is None:
            return self.size
        try:
            members = self._members()
            index = self._index(members, log)
        except Moved:  # being rotated: a moment later it can be told
            return log.remaining()
        return log.remaining() + sum(member.size for member in _sized(members)[index + 1 :])

    def _members(self) -> list[Member]:
        """Raises Moved."""
        try:
            return self._family.members()
        except OSError as error:
            self.error = explain(self._family.folder, error)
            return []

    def _from_begin(self, members: list[Member]) -> list[Member]:
        if self._begin is None:
            return members
        for index, member in enumerate(members):
            if os.path.basename(member.path) == self._begin:
                return members[index:]
        return [] if self._begin == self._family.name else members

    # ---- reading

    def read(self, limit: int = CHUNK_BYTES, *, final: bool = False) -> Chunk | None:
        """The next complete lines, about `limit` bytes at most; None if there is nothing new now. Never waits.

        Args:
            final: also give a last line that has no line end, because nothing more is expected.
        """
        for _ in range(_ATTEMPTS):
            try:
                return self._read(limit, final=final)
            except Moved:
                continue
        return None  # being rotated all the time: the next call sees more

    def _read(self, limit: int, *, final: bool) -> Chunk | None:
        if (chunk := self._read_late(limit)) is not None:
            return chunk
        while True:
            log = self._current or self._start()
            if log is None:
                return None
            try:
                chunk = self._lines(log, limit)
                if chunk is not None:
                    return chunk
                if (following := self._following(log)) is None:
                    if log.deleted() and not os.path.lexists(self.key):  # else a rotation, whose new file is empty yet
                        self.error = deleted(log.path)
                    return self._lines(log, limit, final=True) if final else None
                # The next file has lines: what the old one got before them is there now.
                chunk = self._lines(log, limit)
                if chunk is not None:
                    following.close()
                    return chunk
                chunk = None if following.continues else self._lines(log, limit, final=True)
                self._go_over(log, following)
            except Replaced:
                self._find_again(log)
                continue
            except OSError as error:
                self.error = explain(log.path, error)
                return None
            if chunk is not None:
                return chunk

    def _lines(self, log: OpenedLog, limit: int, *, final: bool = False) -> Chunk | None:
        clipped, nuls = log.clipped, log.nuls
        offset, data = next_lines(log, limit, final=final)
        self.clipped += log.clipped - clipped
        if log.clipped > clipped:
            self._say(cut_line(log.path))
        if log.nuls > nuls:
            self._say(gap(log.path))
        if log.damage is not None:
            self._say(log.damage)
        if not data:
            return None
        self.error = None
        return Chunk(log.path, log.identity(), offset, data)

    def _read_late(self, limit: int) -> Chunk | None:
        """Lines that came to the old file after the new one was begun."""
        if self._late is None:
            return None
        log, until = self._late
        try:
            chunk = self._lines(log, limit)
        except Replaced:
            chunk, until = None, 0.0
        if chunk is None and time.monotonic() > until:
            log.close()
            self._late = None
        return chunk

    # ---- from file to file

    def _start(self) -> OpenedLog | None:
        """Open the first file to read, or find the wanted place again."""
        members = self._members()
        if not members:
            return None
        wanted = self._wanted
        if wanted is None:
            members = self._from_begin(members)
        else:
            if self._vain is not None and self._vain[0] is members and self._vain[1] == wanted:
                return None
            self._current = self._find(members, wanted)
            if self._current is not None:
                self.error = None
                return self._current
            after = unread(members, wanted.modified_ns)
            self._vain = None if after else (members, wanted)
            members = after
        self._current = self._open_first(members)
        if wanted is not None and self._current is not None:
            self._say(
                f"{self.key}: the place where reading stopped is gone (rotated away or emptied meanwhile);"
                f" reading goes on at the start of {self._current.path}"
            )
        return self._current

    def _open_first(self, members: list[Member], behind: Position | None = None) -> OpenedLog | None:
        """The first file with data. One that cannot be read is left out with a notice; the last one is an error.

        Args:
            behind: the place in the file before: a copy of that file goes on there.
        """
        self.error = None
        left_out = []
        for member in members:
            try:
                log = open_member(member)
            except SourceError as error:
                left_out.append(str(error))
                continue
            if not log.head:
                log.close()
                continue
            if behind is not None and behind.file.fits(log.head) and (copy := resume(member, behind)) is not None:
                log.close()
                log = copy
                log.continues = True
            if left_out:
                self._say("left out: " + "; ".join(left_out))
            return log
        if left_out:
            self.error = left_out[-1]
        return None

    def _following(self, log: OpenedLog) -> OpenedLog | None:
        """The next file that has data, opened; None while `log` is the newest."""
        members = self._members()
        index = self._index(members, log)
        after = members[index + 1 :]
        return self._open_first(after, log.position() if log.head else None) if after else None

    def _index(self, members: list[Member], log: OpenedLog) -> int:
        """Which of the files `log` is now, or the last one before those not read yet."""
        for index, member in enumerate(members):
            if (member.device, member.inode) == (log.device, log.inode):
                log.path = member.path
                return index
        position = log.position()
        if self._placed is None or self._placed[0] is not members or self._placed[1] != position:
            self._placed = (members, position, index_of_copy(members, position) if log.head else None)
        copy = self._placed[2]
        return len(members) - len(unread(members, position.modified_ns)) - 1 if copy is None else copy

    def _go_over(self, log: OpenedLog, following: OpenedLog) -> None:
        if self._late is not None:
            self._late[0].close()
            self._late = None
        if isinstance(log, PlainLog) and not following.continues:
            self._late = (log, time.monotonic() + _LATE_SECONDS)
        else:
            log.close()
        self._current = following

    def _find(self, members: list[Member], position: Position) -> OpenedLog | None:
        """As `find`. Raises Moved if the files changed meanwhile, so that the place may only have been overlooked."""
        log = find(members, position)
        if log is None and [member[:3] for member in self._members()] != [member[:3] for member in members]:
            raise Moved
        return log

    def _find_again(self, log: OpenedLog) -> None:
        """The open file was truncated: go on in the copy that was made of it, else at its start."""
        position = log.position()
        copy = self._find(self._members(), position)
        if copy is not None:
            log.close()
            self._current = copy
            return
        self._wanted = position
        self._say(f"{log.path}: emptied in place, no copy found beside it: lines written just before may be missing")
        if isinstance(log, PlainLog):
            log.restart()

    def close(self) -> None:
        """Give the descriptors back; `position` stays, and a later `read` goes on there."""
        self._wanted = self.position()
        if self._current is not None:
            self._current.close()
            self._current = None
        if self._late is not None:
            self._late[0].close()
            self._late = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _sized(members: list[Member]) -> list[Member]:
    """The files, with the size of the last as of now."""
    if members:
        try:
            return [*members[:-1], members[-1]._replace(size=os.stat(members[-1].path).st_size)]
        except FileNotFoundError:  # being rotated: the next listing has it under its new name
            pass
    return members
