"""Sealing: hops that are done and of which nothing special is to be told take a short way into the store."""

from __future__ import annotations

import msgspec

from flowmon.model.flow import Hop, Sealed
from flowmon.model.words import DeliveryStatus
from flowmon.tracking.linking import handed_id

_RELAYED, _DELIVERED = DeliveryStatus.RELAYED, DeliveryStatus.DELIVERED
_encode = msgspec.msgpack.Encoder().encode
_ALONE, _UNLINKED = b"\x92\x91", b"\x90"
"""What stands around a hop in the body of a flow: an array of two, [hop] and no links (MessagePack)."""


def seal(hop: Hop) -> Sealed | None:
    """The short form of a hop; None when it must go the long way."""
    fates = hop.fates
    queue_id = hop.queue_id
    if (
        not fates or hop.left_at is None or queue_id is None or hop.refused is not None or hop.tries is not None
        or hop.copies is not None or hop.parent_id is not None or hop.state is not None or not hop.began
    ):
        return None
    recipients: list[str] = []
    relays: list[str] = []
    reply_ids: list[str] = []
    mailboxes: list[str] = []
    worst = ""
    relayed = delivered = False
    for recipient, fate in fates.items():
        if fate.count != 1 or fate.earlier is not None:
            return None
        if fate.status is _RELAYED:
            worst = worst if relayed else recipient
            relayed = True
        elif fate.status is _DELIVERED:
            delivered = True
            if fate.transport == "mailbox":
                mailboxes.append(recipient)
        else:
            return None
        recipients.append(recipient)
        if fate.original is not None:
            recipients.append(fate.original)
        if fate.relay is not None and fate.relay not in relays:
            relays.append(fate.relay)
        named = handed_id(fate)
        if named and named not in reply_ids:
            reply_ids.append(named)
    return Sealed(
        hop.serial, hop.host, queue_id, hop.message_id, hop.sender, recipients, relays, reply_ids, mailboxes,
        hop.verdicts is not None, relayed, delivered, worst or recipients[0], len(fates), hop.arrived_at, hop.last_at,
        hop.size, hop.subject, hop.client, _ALONE + _encode(hop) + _UNLINKED,
    )
