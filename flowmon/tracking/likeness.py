"""In what hops are alike: clients, Message-IDs, recipients, and the words of a refusal on both sides."""

from __future__ import annotations

import re

from flowmon.model.flow import Fate, Hop
from flowmon.model.words import DeliveryStatus
from flowmon.tracking.replies import peer_names
from flowmon.tracking.services import is_service

_NUMBER = re.compile(r"\d+")
_PIPED = "delivered via "
"""What Postfix says of mail that a program took; what the program is for, a mailbox or a filter, it does not know."""
_GIVEN_BACK_SECONDS = 60.0
"""How long after the program ended `pickup` may find what it gave back."""
_TOLD_TWICE_SECONDS = 20.0
"""How long after an agent refused the protocol log may tell so."""
_CLOCK_SECONDS = 0.1
"""How far two logs of one server may have the order of two moments wrong."""


def same_client(one: Hop, other: Hop) -> bool:
    """Whether both were brought from one address."""
    mine, theirs = peer_names(one.client), peer_names(other.client)
    return bool(mine) and bool(theirs) and mine[-1] == theirs[-1]


def same_message_id(one: Hop, other: Hop) -> bool | None:
    """None when one of them has none."""
    if one.message_id is None or other.message_id is None:
        return None
    return one.message_id == other.message_id


def turned_away(hop: Hop) -> bool:
    """Whether a server of ours took nothing of what it was brought: a refused session, or mail refused after its data,
    which had a queue ID by then."""
    return hop.refused is not None or (
        hop.state is DeliveryStatus.REJECTED and all(f.status is DeliveryStatus.REJECTED for f in hop.fates.values())
    )


def took(hop: Hop, recipient: str) -> bool:
    """Whether a hop is known to be about a recipient, or about what came of that address."""
    return recipient in hop.fates or any(f.original == recipient for f in hop.fates.values()) or (
        hop.recipients is not None and recipient in hop.recipients.split()
    )


def may_have(hop: Hop, recipient: str) -> bool:
    """Whether a hop may be about this recipient: it is not known to be about others only."""
    if is_service(hop.system):  # each of its records names its recipient, as the service's directory writes it
        named = [*hop.fates, *(hop.recipients or "").split()]
        return recipient.lower() in map(str.lower, named)
    if not hop.fates:
        return True
    return took(hop, recipient) or took(hop, recipient.lower())


def temporary(text: str | None) -> bool:
    """Whether a refusal was only for the time being."""
    return text is not None and text[:1] == "4"


def quotes(text: str | None, said: str | None) -> bool:
    """Whether what a sender logged of a try quotes the reply that the refusing host logged.

    Numbers but the code may differ: of equal tries, which tell how long to wait, the last one's text is kept.
    """
    if not said or not text:
        return False
    return said[:3] in text and _essence(said)[:150] in _essence(text)


def _essence(text: str) -> str:
    return _NUMBER.sub("0", " ".join(text.split()).lower())


def in_one_session(taken: Hop, refused: Hop) -> bool:
    """Whether mail came in the very transaction in which other recipients were refused, told by another log."""
    return (
        refused.refused == "RCPT" and taken.session is not None and taken.session == refused.session
        and taken.network_message_id is not None and (taken.sender or "").lower() == (refused.sender or "").lower()
    )


def given_back(child: Hop, parent: Hop) -> list[Fate]:
    """Recipients that a program took mail for (Postfix's pipe) and then gave it back with `sendmail`.

    The same message, from the same sender, for the same recipients, on the same host, while the program ran or just
    after; not by the user who sent the first one, and not to that program again: that is a message sent twice.
    """
    if child.host != parent.host or child.system != parent.system or child.origin != "pickup" or child.parent_id:
        return []
    if not same_message_id(child, parent) or child.sender is None or child.sender != parent.sender:
        return []
    if (child.arrived_at, child.serial) <= (parent.arrived_at, parent.serial) or child.client == parent.client:
        return []
    return [
        fate for fate in parent.fates.values() if fate.status is DeliveryStatus.DELIVERED and not fate.next
        and fate.diagnostic is not None and fate.diagnostic.startswith(_PIPED) and took(child, fate.recipient)
        and child.arrived_at <= fate.at + _GIVEN_BACK_SECONDS
        and all(again.relay != fate.relay for again in child.fates.values())
    ]


def told_twice(child: Hop, parent: Hop) -> bool:
    """Whether two logs of one server tell of one refusal: the one whose program comes first in the alphabet counts.

    Exchange's agent log knows the agent's reason, but not which of a session's messages it refused (`ID/time`); its
    protocol log knows that (`ID/2`), and tells what the client was told, after the agent and perhaps a tarpit.
    """
    if child.session is None or parent.session is None or child.host != parent.host or child.sender != parent.sender:
        return False
    if parent.refused in (None, "LMTP") or not parent.system < child.system:
        return False
    if child.session.partition("/")[0] != parent.session.partition("/")[0]:
        return False
    late = [child.fates[name].at - fate.at for name, fate in parent.fates.items() if name in child.fates]
    if not parent.fates or not child.fates:
        late = [child.arrived_at - parent.arrived_at]
    return any(-_CLOCK_SECONDS <= seconds <= _TOLD_TWICE_SECONDS for seconds in late)
