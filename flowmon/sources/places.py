"""Find a place in a log again among the files there are now."""

from __future__ import annotations

from flowmon.errors import SourceError
from flowmon.sources.family import Member, Moved
from flowmon.sources.identity import Position
from flowmon.sources.opened import OpenedLog, open_log


def open_member(member: Member) -> OpenedLog:
    """Open a listed file. Raises SourceError as `open_log`; Moved if another file has its name by now."""
    try:
        log = open_log(member.path)
    except SourceError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise Moved from error
        raise
    if (log.device, log.inode) != (member.device, member.inode):
        log.close()
        raise Moved
    return log


def resume(member: Member, position: Position) -> OpenedLog | None:
    """Open a file behind `position`, if it holds all that was read up to there."""
    if not member.packed and member.size < position.offset:
        return None
    try:
        log = open_member(member)
    except SourceError:  # said by the read that wants this file for its own sake
        return None
    if log.go_to(position):
        return log
    log.close()
    return None


def find(members: list[Member], position: Position) -> OpenedLog | None:
    """The file of `position`: itself, however it is called now, or a copy; plain files before compressed ones."""

    def nearness(member: Member) -> tuple[bool, bool]:
        return ((member.device, member.inode) != (position.file.device, position.file.inode), member.packed)

    newest_first = members[::-1]
    newest_first.sort(key=nearness)
    for member in newest_first:
        if (log := resume(member, position)) is not None:
            return log
    return None


def index_of_copy(members: list[Member], position: Position) -> int | None:
    """Which file holds all that was read up to `position`; None if none does."""
    for index, member in enumerate(members):
        if (copy := resume(member, position)) is not None:
            copy.close()
            return index
    return None


def unread(members: list[Member], modified_ns: int) -> list[Member]:
    """The files that may hold something written after `modified_ns`, oldest first.

    Compressors keep times to the second only.
    """
    second = modified_ns // 1_000_000_000 * 1_000_000_000
    for index, member in enumerate(members):
        if member.modified_ns >= (second if member.packed else modified_ns):
            return members[index:]
    return []
