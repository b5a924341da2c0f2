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


@cache
def _of(system: str) -> frozenset[str] | None:
    """The domains of the service that a format is an export of; None for what is no export."""
    return next((found for name, found in _domains().items() if system.startswith(name)), None)


def is_service(system: str) -> bool:
    """Whether a format is the export of a service: its ids are none that replies name, its hosts are one."""
    return _of(system) is not None


def is_of(peer: str | None, system: str) -> bool:
    """Whether a logged peer has a name of the service that `system` (a format's name) is an export of.

    False says nothing: the peer may be known by its address only.
    """
    domains = _of(system)
    return domains is not None and any(is_own(name, domains) for name in peer_names(peer))
