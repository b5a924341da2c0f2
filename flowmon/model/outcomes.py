"""The parts of a chart."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Outcomes(msgspec.Struct, frozen=True):
    """Messages by what became of them in a part of a period; each counts where its last news is.

    `deferred` counts tries that were put off, as they pass; with a filter, messages that were put off last.
    """

    at: datetime
    """When the part begins."""
    delivered: int = 0
    relayed: int = 0
    deferred: int = 0
    bounced: int = 0
    rejected: int = 0
