"""Services in the cloud: which mail servers are theirs. Data in services.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from flowmon.tracking.hosts import is_own
from flowmon.tracking.replies import peer_names


@cache
def _domains() -> dict[str, frozenset[str]]:
    text = files("flowmon.tracking").joinpath("services.toml").read_text(encoding="utf-8")
    return {name: frozenset(service["domains"]) for name, service in tomllib.loads(text).items()}


def is_of(peer: str | None, system: str) -> bool:
    """Whether a logged peer has a name of the service that `system` (a format's name) is an export of.

    False says nothing: the peer may be known by its address only.
    """
    domains = next((found for name, found in _domains().items() if system.startswith(name)), None)
    return domains is not None and any(is_own(name, domains) for name in peer_names(peer))
