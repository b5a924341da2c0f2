"""The files that hold one log: the live file, its rotated past, or the dated files of Exchange."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Collection
from typing import NamedTuple

from flowmon.sources.packing import ENDINGS

_EXCHANGE = re.compile(r"([A-Za-z_]+)(\d{8}(?:\d{2}){0,2})-(\d+)\.log", re.IGNORECASE)
_NUMBERED = re.compile(r"(.+)\.(\d{1,3})")
_DATE = r"\d{4}-?(?:0[1-9]|1[0-2])(?:-?[0-3]\d)?(?:[-_T]?\d{2,6})?"
_DATED = re.compile(rf"(.+)[-._]({_DATE}|\d{{10}})")
_DATED_INSIDE = re.compile(rf"(.+?)[-._]({_DATE})(\.[A-Za-z]+)")
_ADDRESS = re.compile(r"\d+(?:\.\d+){3}")
_SETTLED_SECONDS = 2.0
"""A folder changed less long ago than this may have changed again without its time showing it."""
_LISTING_SECONDS = 5.0
"""A listing older than this is made anew: folder times may be stale on a network disk."""

NUMBERED, DATED, LIVE = 0, 1, 2


class Place(NamedTuple):
    """What a file name says of the file's place in a log."""

    family: str
    """Name of the live file; for Exchange the prefix, as MSGTRK*.LOG."""
    kind: int
    rank: tuple[int | str, ...]
    """Ascending with age within a kind: older sorts first."""
    packed: bool
    bare: str
    """The name without the ending of a compressor."""


class Member(NamedTuple):
    """One file of a family as it was listed."""

    path: str
    device: int
    inode: int
    size: int
    modified_ns: int
    packed: bool


def place(name: str) -> Place:
    """Read a file name. A name that tells nothing of rotation is a live file."""
    bare, packed = name, False
    for ending in ENDINGS:
        if name.endswith(ending):
            bare, packed = name.removesuffix(ending), True
            break
    if _ADDRESS.fullmatch(bare):
        return Place(bare, LIVE, (), packed, bare)
    if match := _EXCHANGE.fullmatch(bare):
        return Place(f"{match[1]}*{bare[-4:]}", DATED, (match[2], int(match[3])), packed, bare)
    if match := _NUMBERED.fullmatch(bare):
        return Place(match[1], NUMBERED, (-int(match[2]),), packed, bare)
    if bare.endswith(".old"):
        return Place(bare.removesuffix(".old"), NUMBERED, (-1, 1), packed, bare)
    if match := _DATED.fullmatch(bare):
        return Place(match[1], DATED, (re.sub(r"\D", "", match[2]),), packed, bare)
    if match := _DATED_INSIDE.fullmatch(bare):
        return Place(match[1] + match[3], DATED, (re.sub(r"\D", "", match[2]),), packed, bare)
    return Place(bare, LIVE, (), packed, bare)


class Moved(Exception):
    """Files were renamed between being listed and being opened: list them again."""


class Family:
    """The files of one log in one folder, listed oldest first."""

    def __init__(self, folder: str, name: str, only: Collection[str] | None = None) -> None:
        """`only`: the names to look at, when files of the past were asked for by name."""
        self.folder = folder
        self.name = name
        self._only = None if only is None else frozenset(only)
        self._listing: list[Member] = []
        self._folder_ns = -1
        self._listed_at = 0.0

    def members(self) -> list[Member]:
        """The files there are now. Listed again only when the folder changed; sizes may be a little old.

        Raises OSError if the folder cannot be listed, Moved if it does not come to rest.
        """
        folder_ns = os.stat(self.folder).st_mtime_ns
        now = time.time()
        settled = self._listed_at - folder_ns / 1e9 > _SETTLED_SECONDS
        if folder_ns == self._folder_ns and settled and 0 <= now - self._listed_at < _LISTING_SECONDS:
            return self._listing
        listing = self._list()
        for _ in range(10):  # a file that is renamed while the folder is read may be missed: two equal readings
            again = self._list()
            if [member[:3] for member in again] == [member[:3] for member in listing]:
                break
            listing = again
        else:
            raise Moved
        if listing != self._listing:  # else it stays the same one, with what was found out of it
            self._listing = listing
        self._folder_ns, self._listed_at = folder_ns, now
        return self._listing

    def _list(self) -> list[Member]:
        found: dict[str, tuple[Place, Member]] = {}
        with os.scandir(self.folder) as entries:
            for entry in entries:
                where = place(entry.name)
                if where.family != self.name or (self._only is not None and entry.name not in self._only):
                    continue
                try:
                    facts = entry.stat()
                except FileNotFoundError:  # renamed or removed since; the next listing tells
                    continue
                if not stat.S_ISREG(facts.st_mode) and where.kind != LIVE:
                    continue
                self._keep(
                    found,
                    where,
                    Member(entry.path, facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, where.packed),
                )
        return _in_order(list(found.values()))

    @staticmethod
    def _keep(found: dict[str, tuple[Place, Member]], where: Place, member: Member) -> None:
        """Of a file and its compressed copy (being made just now) keep the file itself."""
        other = found.get(where.bare)
        if other is None or (other[1].packed and not member.packed):
            found[where.bare] = (where, member)


def _in_order(found: list[tuple[Place, Member]]) -> list[Member]:
    """Oldest first. Where numbers and dates are mixed, the kind that was last written comes later."""
    newest = {kind: max((m.modified_ns for p, m in found if p.kind == kind), default=0) for kind in (NUMBERED, DATED)}
    newest[LIVE] = 1 << 63
    # Of two kinds written at one time the numbered is the newer: 1 sorts last before the live file.
    found.sort(key=lambda item: (newest[item[0].kind], -item[0].kind, item[0].rank))
    seen: set[tuple[int, int]] = set()
    ordered = []
    for _, member in reversed(found):
        if (member.device, member.inode) not in seen:
            seen.add((member.device, member.inode))
            ordered.append(member)
    ordered.reverse()
    return ordered
