"""What the tracker folds and the store keeps: hops with the fates of their recipients, joined to flows.

These are the working records: mutable, small, encoded as arrays (a field may only be added at the end). What screens
and the JSON show is made from them by `flowmon.tracking.summary`.
"""

from __future__ import annotations

import msgspec

from flowmon.model.words import Certainty, DeliveryStatus, LinkBasis


class Try(msgspec.Struct, array_like=True, gc=False):
    """Equal tries of one recipient, folded."""

    status: DeliveryStatus | None
    relay: str | None
    diagnostic: str | None
    enhanced_status: str | None
    first_at: float
    last_at: float
    count: int
    position: int = 0
    """Of the line, for a refusal: of several in one session, which tells of which."""


class Fate(msgspec.Struct, array_like=True, gc=False):
    """What became of one recipient at one hop."""

    recipient: str
    status: DeliveryStatus
    at: float
    """Time of the last try."""
    original: str | None = None
    relay: str | None = None
    diagnostic: str | None = None
    enhanced_status: str | None = None
    delays: str | None = None
    transport: str | None = None
    reply_id: str | None = None
    """The next hop's own id for it; "" when the reply names none, None while not looked at."""
    next: int = 0
    """Serial of the hop that took it from here; 0 for none known."""
    since: float = 0.0
    """First of the last equal tries."""
    count: int = 1
    """How many equal tries in a row the last one closes."""
    earlier: list[Try] | None = None
    """Tries before those, oldest first."""
    position: int = 0
    """Of the line, for a refusal."""


class Said(msgspec.Struct, array_like=True, gc=False):
    """What a filter said."""

    at: float
    host: str
    filter: str
    action: str | None
    score: float | None
    detail: str | None
    reason: str | None


class Heard(msgspec.Struct, array_like=True, gc=False):
    """What a filter said of mail that the tracker does not hold, and what it names it by."""

    said: Said
    queue_id: str | None
    message_id: str | None
    sender: str | None = None
    recipient: str | None = None


class Hop(msgspec.Struct, array_like=True, gc=False):
    """One message in one queue of one host; or one refused session."""

    serial: int
    """Unique in a store."""
    host: str
    system: str
    queue_id: str | None
    arrived_at: float
    last_at: float
    left_at: float | None = None
    client: str | None = None
    login: str | None = None
    sender: str | None = None
    size: int | None = None
    message_id: str | None = None
    subject: str | None = None
    origin: str | None = None
    recipient_count: int | None = None
    recipients: str | None = None
    """Known at arrival, before any try: separated by blanks."""
    parent_id: str | None = None
    """Queue ID on this host of the message it reports about or was made from."""
    network_message_id: str | None = None
    fates: dict[str, Fate] = {}
    state: DeliveryStatus | None = None
    """What became of the whole hop, where a line says so without naming recipients."""
    state_text: str | None = None
    refused: str | None = None
    """The SMTP command at which the session was refused; None where the hop was accepted."""
    session: str | None = None
    verdicts: list[Said] | None = None
    reports: list[str] | None = None
    """Queue IDs, on this host, of reports made about it, or their Message-IDs."""
    copies: list[str] | None = None
    """Queue IDs, on this host, under which it goes on."""
    evidence: list[int] = []
    """Positions of its lines."""
    queued: bool = False
    """The queue manager had it: a server took responsibility."""
    aborted: bool = False
    """The client went away before the message was accepted."""
    tries: list[Try] | None = None
    """Failed tries that name no recipient (a next MX was tried in the same run)."""
    began: bool = False
    """The log tells of its arrival; else the log begins in the middle."""
    probe: bool = False
    """An address probe: a server asked whether an address is good, and sent nothing."""
    holds: int = 0
    """How often it was held."""
    about: str | None = None
    """Message-ID that this report is about, where its log names that."""
    protocol: str | None = None
    """With what the client handed it in, where the log tells: a program (Outlook, ActiveSync), or SMTP."""
    queued_at: float | None = None
    """When the queue manager had it first: what came before was the client's time."""
    of: int = 0
    """Serial of the refused session that this is a part of; 0 for what is whole."""


def is_nothing(hop: Hop) -> bool:
    """Whether a hop is no message: an address probe, or the mere end of one that the log does not hold."""
    return hop.probe or (
        hop.left_at is not None and not hop.began and not hop.queued and not hop.fates and hop.message_id is None
        and hop.state is None and hop.refused is None and hop.tries is None and not hop.aborted
    )


class Link(msgspec.Struct, array_like=True, gc=False):
    """Hop `child` follows hop `parent`."""

    child: int
    parent: int
    basis: LinkBasis
    certainty: Certainty


class Spoken(msgspec.Struct, array_like=True, gc=False):
    """A line of a session that brought or sent a message."""

    at: float
    """Epoch seconds."""
    position: int
    session: str | None


class Trouble(msgspec.Struct, array_like=True, frozen=True):
    """How the way from a host to a next hop was the last time that a log told of it, no message named."""

    host: str
    next_hop: str
    at: float
    """Epoch seconds."""
    text: str | None
    """What hinders it; None: the way is free."""


class Flow(msgspec.Struct, array_like=True, gc=False):
    """One message: its hops in order of arrival, and what joins them."""

    id: int
    hops: list[Hop]
    links: list[Link] = []

