"""Between whom a message travels, and which way: scenario and direction, from our domains and the public providers."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from flowmon.model.words import Direction, Scenario
from flowmon.tracking.hosts import KnownHosts


@cache
def providers() -> frozenset[str]:
    """Domains of public mailbox providers."""
    text = files("flowmon.tracking").joinpath("providers.toml").read_text(encoding="utf-8")
    return frozenset(tomllib.loads(text)["domains"])


def domain_of(address: str | None) -> str | None:
    """The domain of an address in lower case; None without one."""
    if not address or "@" not in address:
        return None
    return address.rpartition("@")[2].lower()


def is_public(domain: str) -> bool:
    """Whether a domain, or one above it, is a public mailbox provider's."""
    while domain:
        if domain in providers():
            return True
        domain = domain.partition(".")[2]
    return False


def classify(sender: str | None, recipients: Iterable[str], known: KnownHosts) -> tuple[Scenario | None, Direction | None]:
    """Scenario and direction of a message; (None, None) while our domains or its addresses are not known.

    The null sender is taken as ours when a server of ours made the report, which is so unless it came in from a
    stranger; the recipients decide then.
    """
    domains = [d for d in (domain_of(r) for r in recipients) if d is not None]
    if not (known.configured or known.domains) or not domains:
        return None, None
    here = [bool(known.ours(f"x@{d}")) for d in domains]
    from_us = known.ours(sender) if sender else None
    far = [d for d, ours in zip(domains, here, strict=True) if not ours]
    if from_us or (from_us is None and far):
        if not far:
            return Scenario.INTRA, Direction.INTERNAL
        return _far(far, known), Direction.OUTBOUND
    if all(here):
        sender_domain = domain_of(sender)
        if sender_domain is None:
            return Scenario.INTRA, Direction.INTERNAL
        return _far([sender_domain], known), Direction.INBOUND
    sender_domain = domain_of(sender)
    return _far([sender_domain or "", *far], known), Direction.TRANSIT if not any(here) else Direction.INBOUND


def _far(domains: Iterable[str], known: KnownHosts) -> Scenario:
    """Internet when a public provider is among the far sides, unless it is a partner of ours."""
    return Scenario.INTERNET if any(is_public(d) and d not in known.partners for d in domains) else Scenario.INTER
