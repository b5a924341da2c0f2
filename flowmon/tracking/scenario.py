"""Between whom a message travels, and which way: scenario and direction, from our domains and the public providers."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Set
from functools import cache
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


_ROUTES_KEPT = 20_000


def classify(
    sender: str | None, recipients: Collection[str], known: KnownHosts
) -> tuple[Scenario | None, Direction | None]:
    """Scenario and direction of a message; (None, None) while our domains or its addresses are not known.

    The null sender is taken as ours when a server of ours made the report, which is so unless it came in from a
    stranger; the recipients decide then.
    """
    if len(recipients) == 1:
        (only,) = recipients
        far: str | frozenset[str] = only[only.rfind("@") + 1 :].lower() if "@" in only else ""
    else:
        far = frozenset([r[r.rfind("@") + 1 :].lower() for r in recipients if "@" in r])
    near = sender[sender.rfind("@") + 1 :].lower() if sender is not None and "@" in sender else None
    found = known.scenarios.get((near, far))
    if found is None:
        if not far or not known.own():
            return None, None
        if len(known.scenarios) >= _ROUTES_KEPT:
            known.scenarios.clear()
        found = _classify(near, frozenset([far]) if isinstance(far, str) else far, known.own(), known.partners)
        known.scenarios[near, far] = found
    return found


def _classify(
    sender: str | None, recipients: frozenset[str], own: Set[str], partners: Set[str]
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


def _far(domains: frozenset[str], partners: Set[str]) -> Scenario:
    """Internet when a public provider is among the far sides, unless it is a partner of ours."""
    return Scenario.INTERNET if any(is_public(d) and d not in partners for d in domains) else Scenario.INTER
