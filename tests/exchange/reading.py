"""Reads made-up tracking logs for the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flowmon.model.event import Event
from flowmon.parsing.format import Format, load
from flowmon.parsing.records import RecordReader
from flowmon.parsing.stamps import Stamps

PARSER = Path(__file__).parents[2] / "parsers" / "exchange-tracking.toml"


class ShortHosts:
    """Hosts by their short name."""

    def name(self, raw: str) -> str:
        """Lower case, without domain."""
        return raw.partition(".")[0].lower()


def tracking() -> Format:
    """The format under test."""
    return load(PARSER, trusted=True)


def reader(format: Format | None = None, host: str = "filehost") -> RecordReader:
    """A reader at the begin of a log."""
    return RecordReader(format or tracking(), ShortHosts(), Stamps(None, 1_795_000_000.0), host)


def read(data: bytes, format: Format | None = None) -> tuple[list[Event], RecordReader]:
    """The events of a whole log."""
    events: list[Event] = []
    one = reader(format)
    one.feed(data, 0, events.append)
    return events, one


def facts(event: Event) -> dict[str, Any]:
    """What an event tells, without what it leaves open."""
    names = event.__struct_fields__
    told = {name: getattr(event, name) for name in names if getattr(event, name) is not None}
    return {"kind": type(event).__name__.lower(), **{k: v for k, v in told.items() if k not in ("position", "system")}}
