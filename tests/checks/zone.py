"""A name server on the loopback address, which answers from a table: real packets, no network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import cast

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Zone = Mapping[str, Mapping[str, Sequence[str]] | None]
"""Names to records by type; None: the server fails for this name (SERVFAIL)."""


class _Server(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone, asked: list[tuple[str, str]]) -> None:
        self._zone = zone
        self._asked = asked
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # its class does not say so before Python 3.12

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), question.rdtype.name
        self._asked.append((name, kind))
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        records = self._zone.get(name, {})
        if records is None:
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif name not in self._zone:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif kind in records:
            reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *records[kind]))
        if self._transport is not None:
            self._transport.sendto(reply.to_wire(), peer)


@asynccontextmanager
async def resolver(zone: Zone) -> AsyncIterator[tuple[dns.asyncresolver.Resolver, list[tuple[str, str]]]]:
    """A resolver that asks such a server alone; and what was asked, in order."""
    asked: list[tuple[str, str]] = []
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Server(zone, asked), local_addr=("127.0.0.1", 0))
    try:
        found = dns.asyncresolver.Resolver(configure=False)
        found.nameservers = ["127.0.0.1"]
        found.port = transport.get_extra_info("sockname")[1]
        found.lifetime = found.timeout = 0.5
        yield found, asked
    finally:
        transport.close()
