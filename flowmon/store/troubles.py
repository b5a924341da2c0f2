"""What hinders the way from a host to a next hop, for all mail: where no try of a message tells why its queue waits."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from flowmon.model.flow import Trouble

Troubles = Mapping[tuple[str, str], Trouble]
"""By host and next hop."""

RETRY_SECONDS = 900.0
"""A queue that waits is tried again within so long (Exchange: every 10 minutes by default): mail that came meanwhile
meets what hindered the last try."""


def kept(body: bytes | None) -> list[Trouble]:
    """The troubles of a store's row `troubles`."""
    return msgspec.msgpack.decode(body, type=list[Trouble]) if body else []


def by_way(body: bytes | None) -> Troubles:
    """The same, to be looked up."""
    return {(one.host, one.next_hop): one for one in kept(body)}


def hindrance(troubles: Troubles, host: str, next_hop: str | None, since: float) -> Trouble | None:
    """What hinders mail that a host has for a next hop `since` then (epoch seconds); None where nothing is known to."""
    found = troubles.get((host, (next_hop or "").lower()))
    if found is None or found.text is None or found.at < since - RETRY_SECONDS:
        return None
    return found
