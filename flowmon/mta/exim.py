"""Exim: `exim -bp` (Exim specification, "The Exim command line"), and its hints of what is tried when.

The id of a message begins with its time in base 62; the listing itself tells only an age. `exim_dumpdb` shows when an
address or a host is tried next, and which messages wait for which host; both need the rights of Exim's own account.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, tzinfo

from flowmon.model.listed import Listed
from flowmon.mta.commands import NoSuchProgram, Run, optional

_MESSAGE = re.compile(
    r"\s*(?P<age>\d+[mhdw])\s+(?P<size>[\d.]+[KM]?)\s+(?P<id>\w{6}-\w{6,11}-\w{2,4})\s+<(?P<sender>.*?)>"
    r"(?P<frozen> \*\*\* frozen \*\*\*)?"
)
_RECIPIENT = re.compile(r"\s{6,}(?P<done>D?) +(?P<address>\S.*)")
_SIZES = {"": 1, "K": 1024, "M": 1024**2}
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_HINT = re.compile(r"\s+(?P<kind>[RT]):(?P<name>\S+) (?P<error>-?\d+) -?\d+ (?P<text>.*)")
_TIME = r"\d\d-\w{3}-\d{4} \d\d:\d\d:\d\d"
_TIMES = re.compile(rf"{_TIME}  {_TIME}  ({_TIME})")


def listed(run: Run, config: str | None = None, zone: tzinfo | None = None) -> list[Listed]:
    """What waits; `zone` is that of Exim's clock, None this machine's. Raises MtaError."""
    where = ("-C", config) if config else ()
    program = "exim4"
    try:
        text = run(program, *where, "-bp")
    except NoSuchProgram:
        program = "exim"
        text = run(program, *where, "-bp")
    spool = optional(run, program, *where, "-bP", "spool_directory").partition("=")[2].strip()
    hints = Hints()
    if spool:
        hints.retry(optional(run, "exim_dumpdb", spool, "retry"), zone)
        hints.wait(optional(run, "exim_dumpdb", spool, "wait-remote_smtp"))
    return list(read(text, hints))


class Hints:
    """When addresses and hosts are tried next, and why; which messages wait for a host."""

    def __init__(self) -> None:
        self._addresses: dict[str, tuple[float, str]] = {}
        self._hosts: dict[str, tuple[float, str]] = {}
        self._waits: dict[str, str] = {}

    def retry(self, text: str, zone: tzinfo | None = None) -> None:
        """Take the `retry` database as exim_dumpdb shows it: a line for what, and one for first, last and next try."""
        hint: re.Match[str] | None = None
        for line in text.splitlines():
            times = _TIMES.match(line)
            if times is None:
                hint = _HINT.match(line)
                continue
            if hint is None:
                continue
            at = datetime.strptime(times[1], "%d-%b-%Y %H:%M:%S").replace(tzinfo=zone).timestamp()
            if hint["kind"] == "R":
                address = hint["name"].partition(":<")[0]
                self._addresses[address.lower()] = (at, hint["text"])
            else:
                self._hosts.setdefault(hint["name"].partition(":")[0].lower(), (at, hint["text"]))

    def wait(self, text: str) -> None:
        """Take a transport's `wait-` database: a host, and the messages that wait for it."""
        for line in text.splitlines():
            host, *ids = line.split() or [""]
            self._waits.update(dict.fromkeys(ids, host.lower()))

    def next_try(self, queue_id: str, recipients: list[str]) -> tuple[float, str] | None:
        """The first of the next tries of a message, with why the last failed; None where no hint tells."""
        found = [self._addresses[one.lower()] for one in recipients if one.lower() in self._addresses]
        host = self._hosts.get(self._waits.get(queue_id, ""))
        return min([*found, *([host] if host else [])], default=None)


def arrival(queue_id: str) -> float:
    """When a message came: the first six signs of its id are seconds since the epoch, in base 62."""
    seconds = 0
    for sign in queue_id[:6]:
        seconds = seconds * 62 + _DIGITS.index(sign)
    return float(seconds)


def read(text: str, hints: Hints) -> Iterator[Listed]:
    """The messages of a listing."""
    message: re.Match[str] | None = None
    waiting: list[str] = []
    tried = False
    for line in [*text.splitlines(), ""]:
        if message is None:
            message = _MESSAGE.fullmatch(line)
            waiting, tried = [], False
            continue
        recipient = _RECIPIENT.fullmatch(line)
        if recipient is not None:
            tried = tried or bool(recipient["done"])
            if not recipient["done"]:
                waiting.append(recipient["address"])
        elif not line.strip():
            yield _listed(message, waiting, hints, tried=tried)
            message = None


def _listed(message: re.Match[str], waiting: list[str], hints: Hints, *, tried: bool) -> Listed:
    queue_id, size = message["id"], message["size"]
    unit = size[-1] if size[-1] in "KM" else ""
    hint = hints.next_try(queue_id, waiting)
    frozen = message["frozen"] is not None
    return Listed(
        queue_id=queue_id, envelope_sender=message["sender"], recipients=waiting, arrived_at=arrival(queue_id),
        held=frozen, deferred=tried or hint is not None, next_retry_at=hint[0] if hint and not frozen else None,
        reason=hint[1] if hint else None, size=round(float(size.removesuffix(unit)) * _SIZES[unit]),
    )
