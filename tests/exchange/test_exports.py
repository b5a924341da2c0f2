"""Exports of services: records over several lines, UTF-16, envelopes, times, and the host's name."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from flowmon.model.event import Arrival, Attempt, Event
from flowmon.parsing.format import Format, load
from flowmon.parsing.records import OPEN_CAP, RecordReader
from flowmon.parsing.stamps import Stamps
from flowmon.paths import data_folder
from flowmon.store.evidence import read_line
from flowmon.store.reader import SqliteReader
from tests.exchange.reading import ShortHosts
from tests.golden import live, reading

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "m365-message-trace" / "sekoia-message-trace.jsonl"
HEADER = "Received,SenderAddress,RecipientAddress,Subject,Status,MessageId,MessageTraceId,FromIP,ToIP,Size\n"


def row(subject: str = "Offer", at: str = "2026-11-24T09:00:00Z", trace: str = "aa-1", to: str = "ben") -> str:
    """A record of a message trace."""
    return f"{at},anna@fabrikam.example,{to}@contoso.example,{subject},Delivered,<1@x.example>,{trace},203.0.113.1,,8\n"


def format(name: str) -> Format:
    """A format that is shipped."""
    return load(data_folder("parsers") / f"{name}.toml", trusted=True)


def reader(name: str = "exchange-online-trace") -> RecordReader:
    """A reader at the begin of a log."""
    return RecordReader(format(name), ShortHosts(), Stamps(None, 1_795_000_000.0), "here")


def subjects(events: list[Event]) -> list[str | None]:
    """Of the messages that arrived."""
    return [event.subject for event in events if isinstance(event, Arrival)]


def answers(path: Path) -> list[dict[str, Any]]:
    """The messages of a log, as a command gets them."""
    with reading.read([str(path)]) as found:
        return reading.told(found)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_cell_over_three_lines(end: str) -> None:
    one, events = reader(), list[Event]()
    text = HEADER + row('"Offer\n\nin ""two"" parts, #1\n# more"') + row("Next", trace="aa-2")
    one.feed(text.replace("\n", end).encode(), 0, events.append)
    assert subjects(events) == ['Offer\n\nin "two" parts, #1\n# more', "Next"]
    assert one.counters.unmatched == 0
    assert events[0].position == len(HEADER.replace("\n", end))


def test_a_record_that_is_open_when_the_collector_stops() -> None:
    one, events = reader(), list[Event]()
    text = HEADER + row('"Offer\nand more"')
    cut = text.index("and more")
    one.feed(text[:cut].encode(), 0, events.append)
    assert events == []
    assert one.counters.unmatched == 1
    kept = json.loads(json.dumps(one.state()))
    other = reader()
    other.restore(kept)
    other.feed(text[cut:].encode(), cut, events.append)
    assert subjects(events) == ["Offer\nand more"]


def test_a_quote_that_is_never_closed_takes_no_other_record() -> None:
    one, events = reader(), list[Event]()
    one.feed((HEADER + row('"Offer') + row("Second", trace="aa-2") + row("Third", trace="aa-3")).encode(), 0,
             events.append)
    assert subjects(events) == ["Second", "Third"]
    assert one.counters.unmatched == 1


def test_an_open_record_does_not_grow_without_end() -> None:
    one, events = reader(), list[Event]()
    one.feed((HEADER + row('"Offer') + "x" * OPEN_CAP + "\n" + row("Third", trace="aa-3")).encode(), 0, events.append)
    assert subjects(events) == ["Third"]
    assert one.counters.unmatched == 2


def test_a_quote_inside_a_cell_is_text() -> None:
    one, events = reader(), list[Event]()
    one.feed((HEADER + row('5" disk') + row("Second", trace="aa-2")).encode(), 0, events.append)
    assert subjects(events) == ['5" disk', "Second"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_any_encoding_that_exports_have(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_bytes((HEADER + row("Angebot für Öl") + row("Angebot für Öl", to="cleo")).encode(encoding))
    with reading.read([str(path)]) as found:
        messages = reading.told(found)
        detail = found.detail(found.rows(limit=1)[0].id)
    assert [(m["subject"], len(m["recipients"])) for m in messages] == [("Angebot für Öl", 2)]
    assert detail is not None
    lines = [read_line(line) for line in detail.evidence]
    assert row("Angebot für Öl").rstrip() in lines
    assert row("Angebot für Öl", to="cleo").rstrip() in lines


@pytest.mark.parametrize(("arguments", "host"), [("{}", "exchange-online"), ("tenant-a={}", "tenant-a")])
def test_the_format_names_the_host_unless_the_user_does(tmp_path: Path, arguments: str, host: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(HEADER + row())
    with reading.read([arguments.format(path)]) as found:
        assert [hop["host"] for message in reading.told(found) for hop in message["hops"]] == [host]


def test_times_without_a_zone_are_utc_where_the_service_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    path = tmp_path / "trace.csv"
    path.write_text(HEADER + row(at="2026-11-24 09:00:00"))
    try:
        assert [m["first_seen_at"] for m in answers(path)] == ["2026-11-24T09:00:00Z"]
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("at", ["11/12/2026 9:00:00 AM", "12.11.2026 09:00:00", ""])
def test_a_date_whose_day_and_month_may_be_mistaken_is_not_read(at: str) -> None:
    one, events = reader(), list[Event]()
    one.feed((HEADER + row(at=at)).encode(), 0, events.append)
    assert events == []
    assert one.counters.unmatched == 1


@pytest.mark.parametrize("shape", [
    "{0}\n{1}", "[{0}, {1}]", '{{"value": [{0}, {1}]}}', '{{"d": {{"results": [{0}, {1}]}}}}',
])
def test_records_of_an_envelope(shape: str) -> None:
    records = [json.dumps({
        "MessageId": f"<{n}@x.example>", "Received": "/Date(1795510800000)/", "SenderAddress": "anna@fabrikam.example",
        "RecipientAddress": "ben@contoso.example", "Status": "Delivered", "ToIP": None, "MessageTraceId": f"aa-{n}",
    }) for n in (1, 2)]
    one, events = reader("exchange-online-json"), list[Event]()
    one.feed((shape.format(*records) + "\n").encode(), 0, events.append)
    assert [event.message_id for event in events if isinstance(event, Arrival)] == ["1@x.example", "2@x.example"]
    assert [event.status for event in events if isinstance(event, Attempt)] == ["delivered"] * 2


def test_a_status_that_tells_no_fate_makes_none() -> None:
    one, events = reader(), list[Event]()
    one.feed((HEADER + row().replace("Delivered", "Unheard of") + row().replace("Delivered", "None")).encode(), 0,
             events.append)
    assert [type(event) for event in events] == [Arrival]
    assert one.counters.unmatched == 0


def test_an_export_that_tells_a_message_again_long_after(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "exchange-online" / "trace.csv"
    path.parent.mkdir(parents=True)
    path.write_text(HEADER + row(at="2026-11-24T09:00:00Z") + row(at="2026-11-24T11:00:00Z", trace="aa-2"))
    one = live.Live(live.builtin(), tmp_path / "store.db", tmp_path / "logs")
    for more in (row(at="2026-11-24T09:00:00Z") + row(at="2026-11-24T09:00:00Z", to="cleo"), ""):
        one.fold()
        one.commit()
        with path.open("a") as out:
            out.write(more)
    one.end()
    found = SqliteReader(tmp_path / "store.db")
    try:
        told = [[(r["recipient"][:4], r["path"]) for r in m["recipients"]] for m in reading.told(found)]
    finally:
        found.close()
    here = ["exchange-online"]
    assert sorted(told) == [[("ben@", here)], [("ben@", here), ("cleo", here)]]


@pytest.mark.shared
@pytest.mark.skipif(not CORPUS.exists(), reason="no corpus beside the checkout")
def test_the_corpus() -> None:
    one, events = reader("exchange-online-json"), list[Event]()
    # the collector of the corpus left a `\\n` of its own behind the last record
    text = CORPUS.read_text(encoding="utf-8").rstrip().removesuffix("\\n") + "\n"
    one.feed(text.encode(), 0, events.append)
    assert one.counters.unmatched == 0
    want = [json.loads(line) for line in text.splitlines()]
    arrivals = [event for event in events if isinstance(event, Arrival)]
    assert [f"<{event.message_id}>" for event in arrivals] == [record["MessageId"] for record in want]
    assert [event.at for event in arrivals] == [1658751973.240, 1661344992.170]
    assert [event.client for event in arrivals] == ["[1.1.1.1]", None]
    assert [event.status for event in events if isinstance(event, Attempt)] == ["queued", "delivered"]
