"""Records of services, as their exports write them."""

from __future__ import annotations

import json

from flowmon.model.event import Arrival, Attempt, Event
from tests.parsers.reading import catalogue, read

RECORD = {
    "site": "VS1", "from": "anna@far.example", "to": "kim@acme.example", "subject": "Offer,\nagain",
    "date": 1795510800000, "operationType": "FORWARD", "messageType": "LEGIT", "messageId": "aaa1", "spamLevel": "NONE",
    "ip": "203.0.113.10", "tag": "",
}


def _told(text: str) -> tuple[list[Event], float | None, int]:
    _, reader, events = read(text.encode() + b"\n", catalogue())
    return events, reader.counters.last_at, reader.counters.unmatched


def test_a_record_whose_line_ends_were_written_as_a_backslash_and_an_n() -> None:
    plain = _told(json.dumps(RECORD))
    assert [type(event) for event in plain[0]] == [Arrival, Attempt]
    flattened = json.dumps(RECORD, indent=1).replace("\n", "\\n") + "\\n"
    assert _told(flattened) == plain


def test_half_a_record_is_not_understood() -> None:
    whole = json.dumps(RECORD)
    assert _told(f"{whole}\n{whole[:90]}")[2] == 1


def test_an_export_that_begins_with_the_newest_ends_there() -> None:
    older = json.dumps({**RECORD, "date": 1795510700000, "messageId": "aaa0"})
    events, last_at, _ = _told(f"{json.dumps(RECORD)}\n{older}")
    assert [event.at for event in events] == [1795510800.0, 1795510800.0, 1795510700.0, 1795510700.0]
    assert last_at == 1795510800.0
