"""Which rule reads a line: for `flowmon parsers explain` and for the raw lines of a message."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import NamedTuple

from flowmon.commands import opening
from flowmon.config import Config
from flowmon.model.event import Event
from flowmon.parsing.catalogue import Catalogue
from flowmon.parsing.check import read_one
from flowmon.parsing.format import Format
from flowmon.parsing.rules import LINE_CAP
from flowmon.parsing.wrapped import enclosed, unwrap


class Reading(NamedTuple):
    """What a format makes of a line."""

    format: Format
    events: list[Event]
    rule: str


def reading(formats: Catalogue, line: str) -> Reading | None:
    """The reading of one line by itself, out of its envelope; None where no rule takes it.

    A format whose lines can be told by themselves comes before one of which this line shows nothing, and a rule that
    makes something of the line says more than one that sets it aside.
    """
    found = ((f, *read_one(f, line, reference=time.time())) for f in reversed(formats.formats.values()))
    taken = [Reading(format, events, rules[0]) for format, events, rules, _ in found if rules]
    best = max(taken, key=lambda one: (sure(one.format, line), bool(one.events)), default=None)
    if best is None and (wrapped := unwrap(line)) is not None:
        text = enclosed(wrapped).text.partition("\n")[0]
        if text != line:
            return reading(formats, text)
    return best


def sure(format: Format, line: str) -> bool:
    """Whether a log of this line alone is taken for the format's: its signature is there, where it has one."""
    if format.framing != "header" or format.signature is None:
        return True
    by_syslog = format.header is not None and bool(format.spec.programs) and format.header.match(line) is None
    return by_syslog or format.signature.search(line[:LINE_CAP]) is not None


class RuleFinder:
    """Names the rule of a line; the parsers are loaded with the first line."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._formats: Catalogue | None = None
        self._known = lru_cache(maxsize=2_000)(self._rule)

    def __call__(self, line: str) -> str | None:
        return self._known(line)

    def _rule(self, line: str) -> str | None:
        if self._formats is None:
            self._formats = opening.catalogue(self._config)
        found = reading(self._formats, line)
        return f"{found.format.name}: {found.rule}" if found is not None else None
