"""What of a message or a problem the DNS can tell something about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address

from flowmon.model.answers import Message, ProblemRow
from flowmon.tracking.replies import peer_names
from flowmon.tracking.scenario import domain_of

_NAME = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII
)


@dataclass(frozen=True)
class Subject:
    """Names and addresses to ask about; None for what is not known. Logs are written by strangers: what is no proper
    name or address is left out."""

    recipient_domain: str | None = None
    sender_domain: str | None = None
    next_hop: str | None = None
    """Name of the host that was tried."""
    next_address: str | None = None
    client: str | None = None
    """IP address of who sent it to us."""

    def __bool__(self) -> bool:
        return any((self.recipient_domain, self.sender_domain, self.next_hop, self.next_address, self.client))


def of_message(message: Message) -> Subject:
    """What to ask about a message: its worst recipient decides."""
    worst = message.recipients[0] if message.recipients else None
    for one in message.recipients:
        if one.status is message.status and one.problem is message.problem:
            worst = one
            break
    name, address = _peer(worst.relay if worst else None)
    return Subject(
        recipient_domain=_domain(worst.recipient if worst else None), sender_domain=_domain(message.envelope_sender),
        next_hop=name, next_address=address, client=_peer(message.client)[1],
    )


def of_problem(row: ProblemRow) -> Subject:
    """What to ask about a group of failures: its next hop, and the first of its recipients and senders."""
    name, address = _peer(row.next_hop)
    return Subject(
        recipient_domain=_domain(next(iter(row.sample_recipients), None)),
        sender_domain=_domain(next(iter(row.senders), None)), next_hop=name, next_address=address,
    )


def _domain(mailbox: str | None) -> str | None:
    return _proper(domain_of(mailbox))


def _proper(name: str | None) -> str | None:
    """A name that may be asked for: in ASCII (IDNs in their xn-- form), two labels or more."""
    if name is None:
        return None
    try:
        plain = name.rstrip(".").lower() if name.isascii() else name.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    return plain if _NAME.fullmatch(plain) else None


def _peer(logged: str | None) -> tuple[str | None, str | None]:
    """Name and IP address of a peer as a log names it."""
    name = address = None
    for part in peer_names(logged):
        try:
            address = str(ip_address(part))
        except ValueError:
            name = _proper(part) or name
    return name, address
