"""Formats by the entry point `flowmon.parsers`."""

from collections.abc import Iterable
from datetime import tzinfo
from importlib.metadata import EntryPoint
from math import nan
from typing import cast

from flowmon.model.event import Attempt, Event
from flowmon.model.words import DeliveryStatus
from flowmon.parsing.plugins import GROUP, ReadLine, load_plugins
from tests.parsers.reading import catalogue, read


def begin(host: str, zone: tzinfo | None) -> ReadLine:
    """The example of docs/parsers.md, with faults."""

    def line_read(line: str) -> Iterable[Event] | None:
        at, word, queue_id, rest = (line.split(maxsplit=3) + [""] * 4)[:4]
        if word == "sent":
            return [Attempt(float(at), host, "", queue_id, None, 0, recipient=rest, status=DeliveryStatus.DELIVERED)]
        if word == "wrong":
            return cast("list[Event]", ["no event"])
        return () if word == "tick" else None

    return line_read


def _point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


def test_a_function_reads_a_log() -> None:
    formats = catalogue()
    formats.plugins, faults = load_plugins([_point("ticker", f"{__name__}:begin")])
    assert faults == []
    lines = ["1795603500.5 tick", "1795603501 sent A1 bo@example.net", "1795603502 what", "", "1795603503 tick\r"]
    label, reader, events = read(lines, formats)
    assert label == "ticker"
    assert events == [
        Attempt(1795603501.0, "here", "ticker", "A1", None, len(lines[0]) + 1, recipient="bo@example.net",
                status=DeliveryStatus.DELIVERED)
    ]
    assert (reader.counters.lines, reader.counters.unmatched) == (5, 1)
    assert "ticker" in formats.names()
    assert "ticker" in formats.endless()
    assert read(["Nov 24 10:44:31 edge postfix/qmgr[31]: 4D2C3A1B5F: removed"], formats)[0] == "syslog"


def test_what_it_raises_is_told_and_the_others_go_on() -> None:
    formats = catalogue()
    formats.plugins, _ = load_plugins([_point("ticker", f"{__name__}:begin")])
    lines = ["1795603501 sent A1 a@example.net", "x sent A2 b@example.net", "1 wrong", f"{nan} sent A3 c@example.net",
             "1795603504 sent A4 d@example.net"]
    _, reader, events = read(lines, formats)
    assert [event.queue_id for event in events] == ["A1", "A4"]
    assert reader.counters.unmatched == 3
    assert "ValueError" in reader.counters.samples[0]
    assert "is no event with a time" in reader.counters.samples[1]


def test_a_package_that_is_broken_is_named_with_the_remedy() -> None:
    found, faults = load_plugins([
        _point("gone", "flowmon.no_such_module:begin"), _point("number", f"{__name__}:GROUP"),
        _point("ticker", f"{__name__}:begin"),
    ])  # fmt: skip
    assert list(found) == ["ticker"]
    assert "gone" in faults[0]
    assert "mend or remove" in faults[0]
    assert "is no function" in faults[1]


def test_a_function_that_cannot_begin_harms_nothing() -> None:
    def broken(host: str, zone: tzinfo | None) -> ReadLine:
        raise OSError("no table")

    formats = catalogue()
    formats.plugins = {"broken": broken}
    assert read(["Nov 24 10:44:31 edge postfix/qmgr[31]: 4D2C3A1B5F: removed"], formats)[0] == "syslog"
