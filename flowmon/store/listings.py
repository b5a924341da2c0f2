"""The queues that MTAs list themselves, beside those that the logs tell: where they differ the MTA is right."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from flowmon.model.listed import Listed, Listing
from flowmon.store.filter import Filter
from flowmon.store.filter_failure import unbracketed
from flowmon.store.filter_match import glob
from flowmon.store.filter_nodes import And, Node, Not, Or, Term
from flowmon.store.filter_sql import STATUS_GROUPS
from flowmon.tracking.diagnosis import diagnose
from flowmon.tracking.scenario import domain_of

GRACE_SECONDS = 10.0
"""Mail that came so shortly before the listing, or whose log line may still be on its way, is no difference."""
SETTLED_SECONDS = 3.0
"""So long after a listing the log's lines of that moment are read."""
_PEER = re.compile(r"\b(?:host|to|with) ([\w.-]+\.[\w-]+)\[|\bH=([\w.-]+) \[")
"""The next hop, in the reasons of Postfix and Exim."""

QueueEntry = tuple[str, str, str, float, float | None, str | None, str | None, str | None, object, str | None]
"""A row of `queue`: host, next hop, status, arrival, next try, error, problem, reason, message, queue ID."""


_BASE52 = "[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]"
IDS = {
    "postfix": re.compile(rf"[0-9A-F]{{6,14}}|{_BASE52}{{10}}z{_BASE52}+"),
    "exim": re.compile(r"\w{6}-\w{6,11}-\w{2,4}"),
    "sendmail": re.compile(r"[0-9A-Za-x]{8}\d{4,}"),
    "opensmtpd": re.compile(r"[0-9a-f]{8}"),
}
"""What the queue IDs of each MTA look like: one host may have several MTAs, and not all are asked."""


class Listings:
    """What was listed last: by host and queue ID, and when each host was asked."""

    def __init__(self, listings: Sequence[Listing]) -> None:
        self.listings = listings
        good = [one for one in listings if one.error is None]
        self.read_at = {one.host: min(other.read_at for other in good if other.host == one.host) for one in good}
        self.messages = {(one.host, message.queue_id): message for one in good for message in one.messages}
        bad = {(one.host, one.kind) for one in listings if one.error is not None}
        self._whole = {(one.host, one.kind) for one in good} - bad

    def would_list(self, host: str, queue_id: str) -> bool:
        """Whether a message with this ID must stand in what was listed, if it waits: its MTA has answered."""
        return any(of == host and IDS[kind].fullmatch(queue_id) for of, kind in self._whole)

    def faults(self) -> list[str]:
        """What keeps queues from being read, for people."""
        bad = (one for one in self.listings if one.error)
        return [f"The queue of {one.host} ({one.mta}) cannot be read: {one.error}" for one in bad]


NOTHING = Listings([])


def kept(heads: bytes | None, rows: Sequence[tuple[str, str, bytes]]) -> Listings:
    """The listings of a store: row `listings` of meta, and its table `listed`."""
    if not heads:
        return NOTHING
    decode = msgspec.msgpack.Decoder(Listed).decode
    found = []
    for one in msgspec.msgpack.decode(heads, type=list[Listing]):
        mine = [decode(body) for host, mta, body in rows if (host, mta) == (one.host, one.mta)]
        found.append(msgspec.structs.replace(one, messages=mine))
    return Listings(found)


def merged(
    rows: Sequence[QueueEntry], listings: Listings, wall: float, wanted: Callable[[str, Listed], bool],
    told: Callable[[str, str], float | None], known: AbstractSet[tuple[str, str]], *, reading: bool,
) -> tuple[list[QueueEntry], set[int], list[tuple[QueueEntry, Listed]]]:
    """The rows of the logs' queues corrected by what MTAs listed.

    Gives all rows, the places of those that only the log tells of, and those that only an MTA tells of (with what it
    says). `told`: the time of the last log line about a host's queue ID, None where none tells of it: mail that left
    since the listing is no difference. `known`: host and queue ID of all that waits by the logs, whatever is asked for.
    `reading`: history is still read, so that a message which the log tells of need
    not wait any more; no difference is told then. `wall`: this machine's clock, as listings have it.
    """
    if not listings.read_at:
        return [*rows], set(), []
    found: list[QueueEntry] = []
    only_log: set[int] = set()
    seen: set[tuple[str, str]] = set()
    for row in rows:
        listed = listings.messages.get((row[0], row[9] or ""))
        read_at = listings.read_at.get(row[0])
        if listed is not None:
            seen.add((row[0], listed.queue_id))
            row = _corrected(row, listed)
        elif read_at is not None and row[9] and not reading and listings.would_list(row[0], row[9]) and (
            row[3] < read_at - GRACE_SECONDS and read_at < wall - SETTLED_SECONDS
        ):
            only_log.add(len(found))
        found.append(row)
    only_mta = []
    for (host, queue_id), listed in listings.messages.items():
        recent = listed.arrived_at > listings.read_at[host] - GRACE_SECONDS
        if (host, queue_id) in seen or (host, queue_id) in known or recent or not wanted(host, listed):
            continue
        last = told(host, queue_id)
        if last is None or last < listings.read_at[host] - GRACE_SECONDS:
            only_mta.append((_entry(host, listed), listed))
    return [*found, *(row for row, _ in only_mta)], only_log, only_mta


def _corrected(row: QueueEntry, listed: Listed) -> QueueEntry:
    status = "held" if listed.held else "deferred" if row[2] == "held" and listed.deferred else row[2]
    status = "queued" if status == "held" and not listed.held else status
    retry = listed.next_retry_at if not listed.held else None
    return (*row[:2], status, row[3], retry or row[4], *row[5:])


def _entry(host: str, listed: Listed) -> QueueEntry:
    """A row for a message that no log line tells of."""
    peer = _PEER.search(listed.reason or "")
    next_hop = (peer[1] or peer[2]).lower() if peer else domain_of(listed.recipients[0]) if listed.recipients else None
    why = diagnose(listed.reason, permanent=False) if listed.reason else None
    status = "held" if listed.held else "deferred" if listed.deferred else "queued"
    return (
        host, next_hop or "unknown", status, listed.arrived_at, listed.next_retry_at, listed.reason,
        why.problem if why else None, why.reason if why else None, ("listed", host, listed.queue_id), listed.queue_id,
    )


# --- the filter, for messages that stand in no table ----------------------------------------------------------------


def fits(filter: Filter | None) -> Callable[[str, Listed], bool]:
    """Whether a listed message is one that a filter asks for. What a listing cannot tell does not match."""
    if filter is None:
        return lambda host, listed: True
    node = filter.node
    return lambda host, listed: _holds(node, host, listed) is True


def _holds(node: Node, host: str, listed: Listed) -> bool | None:
    """None: the listing cannot tell."""
    if isinstance(node, Term):
        known = _TERMS.get(node.key)
        return None if known is None else known(node.value, host, listed)
    if isinstance(node, Not):
        held = _holds(node.inner, host, listed)
        return None if held is None else not held
    parts = [_holds(part, host, listed) for part in node.parts]
    if isinstance(node, And):
        return False if False in parts else None if None in parts else True
    assert isinstance(node, Or)
    return True if True in parts else None if None in parts else False


def _address(value: str, addresses: Sequence[str]) -> bool:
    if value == "<>":
        return "" in addresses
    for address in (one.lower() for one in addresses):
        domain = domain_of(address) or ""
        if value.startswith("@"):
            if fnmatchcase(domain, glob(value[1:])):
                return True
        elif any(fnmatchcase(part, glob(value)) for part in (address, address.partition("@")[0], domain)):
            return True
    return False


def _status(value: str, host: str, listed: Listed) -> bool:
    status = _entry(host, listed)[2]
    return any(status in STATUS_GROUPS.get(word, {word}) for word in value.split(","))


_TERMS: dict[str, Callable[[str, str, Listed], Any]] = {
    "from": lambda value, host, listed: _address(value, [listed.envelope_sender]),
    "to": lambda value, host, listed: _address(value, listed.recipients),
    "host": lambda value, host, listed: fnmatchcase(host, glob(value)),
    "next": lambda value, host, listed: fnmatchcase(
        _entry(host, listed)[1], glob(unbracketed(value))),
    "queue": lambda value, host, listed: fnmatchcase(f"{host}/{_entry(host, listed)[1]}".lower(), glob(value)),
    "id": lambda value, host, listed: fnmatchcase(listed.queue_id, glob(value)),
    "status": _status,
    "reason": lambda value, host, listed: any(
        fnmatchcase(_entry(host, listed)[7] or "none", glob(word)) for word in value.split(",")),
    "": lambda value, host, listed: value.lower() in " ".join(
        [listed.envelope_sender, *listed.recipients, listed.queue_id, listed.reason or ""]).lower(),
}
