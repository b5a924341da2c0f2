"""Sendmail: `mailq -v` (Sendmail Installation and Operation Guide, "The queue").

A line with id, size, priority, time and sender; below it why the message waits, and its recipients, each with its own
reason. The time has no year, and when it is tried next is not told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, tzinfo

from flowmon.model.listed import Listed
from flowmon.mta.commands import MtaError, Run

_MESSAGE = re.compile(
    r"(?P<id>\w{8,20})(?P<mark>[-*X?!]?)\s+(?P<size>\d+)(?:\s+(?P<priority>\d+))?\+?\s+"
    r"(?:[A-Z][a-z]{2} )?(?P<at>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d) <?(?P<sender>[^>]*)>?"
)
_REASON = re.compile(r"\s+\((?P<text>.*)\)")
_RECIPIENT = re.compile(r"\s+<?(?P<address>[^\s<>()]+@[^\s<>()]+|[^\s<>()]+)>?")
_HELD = "QUARANTINE"


def listed(run: Run, config: str | None = None, zone: tzinfo | None = None) -> list[Listed]:
    """What waits. Raises MtaError."""
    text = run("mailq", *(("-C", config) if config else ()), "-v")
    if "Queue status" not in text and "is empty" not in text and "requests" not in text:
        raise MtaError("`mailq -v` is not Sendmail's: name the MTA of this host in the configuration, [[mta]] kind")
    return list(read(text, datetime.now(zone)))


def read(text: str, now: datetime) -> Iterator[Listed]:
    """The messages of a listing made `now`, by Sendmail's own clock."""
    head: re.Match[str] | None = None
    waiting: list[str] = []
    reason: str | None = None
    for line in text.splitlines():
        found = _MESSAGE.fullmatch(line.rstrip())
        if found is not None or not line[:1].isspace():
            if head is not None:
                yield _listed(head, waiting, reason, now)
            head, waiting, reason = found, [], None
        elif head is not None:
            why = _REASON.fullmatch(line)
            if why is not None:
                reason = reason or why["text"]
            elif not line.strip().startswith("Total requests") and (to := _RECIPIENT.fullmatch(line)) is not None:
                waiting.append(to["address"])
    if head is not None:
        yield _listed(head, waiting, reason, now)


def _listed(head: re.Match[str], waiting: list[str], reason: str | None, now: datetime) -> Listed:
    held = (reason or "").startswith(_HELD) or head["mark"] == "?"
    return Listed(
        queue_id=head["id"], envelope_sender=head["sender"], recipients=waiting, arrived_at=_at(head["at"], now),
        held=held, deferred=reason is not None and not held,
        reason=(reason or "").removeprefix("Deferred: ") or None, size=int(head["size"]),
    )


def _at(text: str, now: datetime) -> float:
    """A time without year: the last one that is not in the future."""
    for year in (now.year, now.year - 1):
        try:
            at = datetime.strptime(f"{year} {text}", "%Y %b %d %H:%M").replace(tzinfo=now.tzinfo)
        except ValueError:  # 29 February of another year
            continue
        if at.timestamp() <= now.timestamp() + 86_400:
            return at.timestamp()
    return now.timestamp()
