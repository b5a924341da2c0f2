"""Which recipient of a message a filter is about: lists show that one, and not the worst of all."""

from __future__ import annotations

from fnmatch import fnmatchcase

from flowmon.model.answers import Message, Recipient
from flowmon.model.words import OPEN_STATUSES
from flowmon.store.filter import Filter
from flowmon.store.filter_failure import unbracketed
from flowmon.store.filter_match import glob
from flowmon.store.filter_nodes import Term, alternatives
from flowmon.store.filter_sql import STATUS_GROUPS
from flowmon.store.rows import UNKNOWN_NEXT_HOP
from flowmon.tracking.replies import peer_names
from flowmon.tracking.scenario import domain_of

About = list[tuple[Term, ...]]
"""What must hold of a recipient, of each the terms of which one must."""


def about_recipients(filter: Filter | None) -> About:
    """What a filter says of a recipient; [] where it says nothing of one."""
    found = [alternatives(part) for part in filter.parts] if filter else []
    return [terms for terms in found if terms and all(term.key in _HOLDS for term in terms)]


def waiting(message: Message) -> Recipient | None:
    """The worst recipient that still waits; None where none does."""
    return next((one for one in message.recipients if one.status in OPEN_STATUSES), None)


def first_matching(message: Message, about: About) -> Recipient | None:
    """The worst recipient for which most of it holds; None where none is known."""
    def held(one: Recipient) -> int:
        return sum(any(_HOLDS[term.key](one, term.value) for term in terms) for terms in about)

    return max(message.recipients, key=held, default=None)


def _fits(text: str | None, value: str) -> bool:
    return text is not None and fnmatchcase(text, glob(value))


def _to(one: Recipient, value: str) -> bool:
    addresses = [address.lower() for address in (one.recipient, one.original_recipient) if address]
    if value.startswith("@"):
        return any(_fits(domain_of(address), value[1:]) for address in addresses)
    whole = any(_fits(address, value) for address in addresses)
    return whole or ("@" not in value and any(
        _fits(part, value) for address in addresses for part in (address.partition("@")[0], domain_of(address))
    ))


def _status(one: Recipient, value: str) -> bool:
    return any(one.status in STATUS_GROUPS.get(word, {word}) for word in value.split(","))


def _word(of: str | None, value: str) -> bool:
    return any(
        (of is None) if word == "none" else (of is not None) if word == "any" else _fits(of, word)
        for word in value.split(",")
    )


def _next(one: Recipient, value: str) -> bool:
    return any(_fits(name, unbracketed(value)) for name in (*peer_names(one.relay), domain_of(one.recipient)))


def _queue(one: Recipient, value: str) -> bool:
    names = (*peer_names(one.relay), domain_of(one.recipient), UNKNOWN_NEXT_HOP)
    return one.status in OPEN_STATUSES and any(_fits(f"{one.host}/{name}".lower(), value) for name in names)


_HOLDS = {
    "to": _to, "queue": _queue, "status": _status, "problem": lambda one, value: _word(one.problem, value),
    "reason": lambda one, value: _word(one.reason, value), "next": _next,
}
