"""Between whom a message travels, and which way: scenario and direction, from our domains and the public providers."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files

from flowmon.model.words import Direction, Scenario
from flowmon.tracking.hosts import KnownHosts, is_own


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


def classify(
    sender: str | None, recipients: Iterable[str], known: KnownHosts
) -> tuple[Scenario | None, Direction | None]:
    """Scenario and direction of a message; (None, None) while our domains or its addresses are not known.

    The null sender is taken as ours when a server of ours made the report, which is so unless it came in from a
    stranger; the recipients decide then.
    """
    domains = frozenset([r.rpartition("@")[2].lower() for r in recipients if "@" in r])
    own = known.own()
    if not own or not domains:
        return None, None
    return _classify(domain_of(sender), domains, own, known.allies())


@lru_cache(maxsize=20_000)
def _classify(
    sender: str | None, recipients: frozenset[str], own: frozenset[str], partners: frozenset[str]
) -> tuple[Scenario, Direction]:
    far = frozenset(d for d in recipients if not is_own(d, own))
    from_us = sender is None or is_own(sender, own)
    if not far:
        if sender is None or from_us:
            return Scenario.INTRA, Direction.INTERNAL
        return _far(frozenset({sender}), partners), Direction.INBOUND
    if from_us:
        return _far(far, partners), Direction.OUTBOUND
    direction = Direction.TRANSIT if far == recipients else Direction.INBOUND
    return _far(far | {sender or ""}, partners), direction


def _far(domains: frozenset[str], partners: frozenset[str]) -> Scenario:
    """Internet when a public provider is among the far sides, unless it is a partner of ours."""
    return Scenario.INTERNET if any(is_public(d) and d not in partners for d in domains) else Scenario.INTER
