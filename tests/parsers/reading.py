"""Reading lines as the program does, for tests of the formats."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from flowmon.model.event import Event
from flowmon.parsing.catalogue import Catalogue, LineReader, builtin
from flowmon.paths import data_folder

SHARED = Path(os.environ.get("FLOWMON_SHARED", Path(__file__).parents[3] / "shared"))
"""What lies beside the checkout: the lab's recorded run, real logs."""
REFERENCE = 1_796_000_000.0


class ShortNames:
    """Gives a host its short name."""

    def name(self, raw: str) -> str:
        return raw.partition(".")[0].lower()


def catalogue() -> Catalogue:
    """The formats that come with flowmon."""
    found = builtin(data_folder("parsers"))
    assert not found.rejected
    return found


def read(data: bytes | Iterable[str], formats: Catalogue | None = None) -> tuple[str, LineReader, list[Event]]:
    """Name of the format, its reader, and the events of a log."""
    if not isinstance(data, bytes):
        data = "".join(line + "\n" for line in data).encode()
    found = (formats or catalogue()).reader(data, hosts=ShortNames(), host="here", zone=None, reference=REFERENCE)
    assert found is not None, "no format fits"
    events: list[Event] = []
    found[1].feed(data, 0, events.append)
    return found[0], found[1], events
