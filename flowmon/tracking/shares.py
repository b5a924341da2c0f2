"""Whose a try is that names no recipient."""

from __future__ import annotations

from flowmon.model.event import Attempt
from flowmon.model.flow import Hop
from flowmon.model.words import OPEN_STATUSES, DeliveryStatus

_D = DeliveryStatus


def meant(hop: Hop, event: Attempt) -> list[str]:
    """Recipients that a try is of which names none: what is open, and what the arrival named and no try has yet.

    Where the line tells a domain, how many or which copy, those that it means for certain; none if that is not known.
    """
    still = _open(hop)
    if event.domain is None and event.copy_number is None:
        return still if event.recipient_count in (None, len(still)) else []
    if event.domain is None:
        return still if len(still) < 2 else _of_copy(hop, event, still)
    there = [one for one in still if _domain(one) == event.domain.lower()]
    if event.deferred_count:
        waiting = [one for one in there if not _was_deferred(hop, one)]
        told = len(waiting) == event.recipient_count and len(there) - len(waiting) == event.deferred_count
        return waiting if told else []
    if event.recipient_count in (None, len(there)):
        return there
    one = _at(_named(hop), event.copy_number) if event.recipient_count == 1 else None  # a copy for each recipient
    return [one] if one in there else []


def settle(hop: Hop) -> None:
    """Forget who was named but not taken, once there were tries for as many as were taken."""
    named = hop.recipients.split() if hop.recipients else []
    tried = [one for one in named if one in hop.fates and hop.fates[one].status is not _D.REJECTED]
    if hop.recipient_count is not None and len(tried) == hop.recipient_count < len(named):
        hop.recipients = " ".join(one for one in named if one in hop.fates)


def _of_copy(hop: Hop, event: Attempt, still: list[str]) -> list[str]:
    """Recipients of a copy of which only the number is told: it may be one for each domain, or for each recipient."""
    named = _named(hop)
    domains = list(dict.fromkeys(map(_domain, named)))
    by_recipient, domain = _at(named, event.copy_number), _at(domains, event.copy_number)
    if domain is None:
        return [one for one in still if one == by_recipient]
    by_domain = [one for one in still if _domain(one) == domain]
    alone = sum(_domain(one) == domain for one in named) == 1 and _domain(by_recipient or "") == domain
    waits = event.status is _D.DEFERRED and len(domains) == 1  # another copy would tell it of the others by itself
    return by_domain if alone or waits or all(_was_deferred(hop, one) for one in by_domain) else []


def _open(hop: Hop) -> list[str]:
    tried = {name for fate in hop.fates.values() for name in (fate.recipient, fate.original)}
    named = hop.recipients.split() if hop.recipients else []
    return [f.recipient for f in hop.fates.values() if f.status in OPEN_STATUSES] + [r for r in named if r not in tried]


def _named(hop: Hop) -> list[str]:
    """The recipients in the order in which they came; none if the log named more or fewer than were taken."""
    named = hop.recipients.split() if hop.recipients else []
    return named if len(named) == hop.recipient_count else []


def _at(items: list[str], number: str | None) -> str | None:
    place = int(number) if number is not None and number.isdecimal() else 0
    return items[place - 1] if 0 < place <= len(items) else None


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _was_deferred(hop: Hop, recipient: str) -> bool:
    fate = hop.fates.get(recipient)
    return fate is not None and fate.status is _D.DEFERRED
