"""The words of mail flow: every enumeration that screens, commands and JSON share.

Each value is its own text in the JSON (`DeliveryStatus.BOUNCED == "bounced"`).
"""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """Which part of its way a message is in."""

    SENDING = "sending"
    """From the client to the first server: submission, pickup."""
    ROUTING = "routing"
    """Choosing and reaching next hops: DNS, MX, relays, gateways."""
    DELIVERY = "delivery"
    """Into the mailbox, or accepted by a server whose log we do not have."""


class Role(StrEnum):
    """What a host is for, inferred from its log or set in the configuration."""

    CLIENT = "client"
    SERVER = "server"
    """Holds mailboxes."""
    RELAY = "relay"
    """Only forwards."""
    GATEWAY = "gateway"
    """Filters or scans, or stands between us and the world."""


class Scenario(StrEnum):
    """Between whom a message travels."""

    INTRA = "intra-organisation"
    INTER = "inter-organisation"
    INTERNET = "internet"


class Direction(StrEnum):
    """Which way a message goes, seen from our organisation."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"
    TRANSIT = "transit"


class DeliveryStatus(StrEnum):
    """What became of one recipient."""

    QUEUED = "queued"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    """A mailbox has it."""
    RELAYED = "relayed"
    """Handed to a host whose log we do not have."""
    EXPANDED = "expanded"
    """Replaced by other recipients: an alias, a list, a group."""
    BOUNCED = "bounced"
    """Accepted, then returned."""
    EXPIRED = "expired"
    """Given up after the queue's lifetime."""
    REJECTED = "rejected"
    """The client got the 4xx or 5xx; no server took responsibility."""
    DISCARDED = "discarded"
    QUARANTINED = "quarantined"
    HELD = "held"
    REMOVED = "removed"
    """Deleted by an operator."""


STATUS_BY_SEVERITY = (
    DeliveryStatus.BOUNCED,
    DeliveryStatus.EXPIRED,
    DeliveryStatus.REJECTED,
    DeliveryStatus.QUARANTINED,
    DeliveryStatus.HELD,
    DeliveryStatus.DEFERRED,
    DeliveryStatus.QUEUED,
    DeliveryStatus.DISCARDED,
    DeliveryStatus.REMOVED,
    DeliveryStatus.RELAYED,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.EXPANDED,
)
"""Worst first: the status of a message is that of its worst recipient."""

OPEN_STATUSES = frozenset({DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED, DeliveryStatus.HELD})
"""A server still has the message and may yet do something with it."""


class Problem(StrEnum):
    """The class of a failure, by its cause."""

    DELIVERY = "delivery"
    ROUTING = "routing"
    AUTHENTICATION = "authentication"
    POLICY = "policy"
    SPAM = "spam"


class LinkBasis(StrEnum):
    """What joins a hop to the one before it."""

    QUEUE_ID = "queue-id"
    """The same queue ID on one host, or a line that names both queue IDs."""
    REPLY_ID = "reply-id"
    """The reply of the next hop names its queue ID."""
    NETWORK_MESSAGE_ID = "network-message-id"
    """Exchange's own identity of a message, kept across copies."""
    MESSAGE_ID = "message-id"
    """Message-ID together with time, addresses and next hop."""
    SESSION = "session"
    """An SMTP or LMTP session: client, sender, recipient and reply agree."""


class Certainty(StrEnum):
    """How sure a link is."""

    CERTAIN = "certain"
    STRONG = "strong"
    PROBABLE = "probable"
    WEAK = "weak"
