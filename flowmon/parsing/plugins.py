"""Formats that a parser file cannot tell: Python functions of other packages, by the entry point `flowmon.parsers`.

The entry point's name is the name of the format; its object is called once for each log and gives the function that
reads the log's lines: see `Begin` and `ReadLine`. A parser file is checked by its samples, a function is trusted as
any installed package is; what it raises is told, and the line counts as not understood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import tzinfo
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from math import isfinite
from typing import Any

import msgspec

from flowmon.model.event import Event
from flowmon.parsing.dispatch import Fold
from flowmon.parsing.reader import Counters, placed

GROUP = "flowmon.parsers"

ReadLine = Callable[[str], Iterable[Event] | None]
"""Reads one line (without its end, at most 16,384 characters) and gives its events; none for a line that is known and
means nothing for a message, and None for a line that it does not know. Of an event it need not know `system` and
`position`: they are filled in, and the host gets its one name."""

Begin = Callable[[str, tzinfo | None], ReadLine]
"""Begins a log: of the host from which the log is, and with the zone of times that name none (None: this machine's).
Its attribute `ends` says that the log tells when a server is done with a message."""

_TOLD = 3
"""So many faults of a function are told among the lines that were not understood; the rest is counted."""


def load_plugins(found: Iterable[EntryPoint] | None = None) -> tuple[dict[str, Begin], list[str]]:
    """What is installed, by name, and why something of it cannot be used."""
    begins: dict[str, Begin] = {}
    faults = []
    for point in entry_points(group=GROUP) if found is None else found:
        try:
            begin = point.load()
        except Exception as fault:  # code of strangers: whatever it raises is told, the others go on
            faults.append(f"{GROUP}: {point.name} = {point.value}: {fault!r}: mend or remove the package")
            continue
        if not callable(begin):
            faults.append(f"{GROUP}: {point.name} = {point.value}: is no function: docs/parsers.md says what is asked")
            continue
        begins[point.name] = begin
    return begins, faults


class PluginReader:
    """Reads a log by a function of another package."""

    def __init__(self, name: str, begin: Begin, hosts: Any, host: str, zone: tzinfo | None) -> None:
        self.counters = Counters()
        self._name = name
        self._hosts = hosts
        self._begin = partial(begin, hosts.name(host), zone)
        self._read: ReadLine | None = None
        self._faults = 0

    def feed(self, data: bytes, base: int, fold: Fold) -> None:
        """Read a chunk of whole lines; `base` is the position of its first byte."""
        counters = self.counters
        for line, here in zip(*placed(data, base, counters), strict=False):
            counters.lines += 1
            line = line.rstrip("\r")
            if not line:
                continue
            try:
                if self._read is None:
                    self._read = self._begin()
                found = self._read(line)
                events = [self._filled(event, here) for event in found or ()]
            except Exception as fault:  # code of strangers: whatever it raises is told, the screen goes on
                self._faults += 1
                counters.miss(f"{self._name}: {fault!r}: {line}" if self._faults <= _TOLD else line)
                continue
            if found is None:
                counters.miss(line)
            for event in events:
                counters.last_at = event.at
                fold(event)

    def _filled(self, event: Event, here: int) -> Event:
        if not isinstance(event, Event) or not isfinite(event.at):
            raise TypeError(f"{event!r} is no event with a time")
        return msgspec.structs.replace(event, host=self._hosts.name(event.host), system=self._name, position=here)


__all__ = ["GROUP", "Begin", "PluginReader", "ReadLine", "load_plugins"]
