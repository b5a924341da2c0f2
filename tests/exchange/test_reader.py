"""The reader of records: columns by name, whatever the file looks like."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowmon.model.event import Arrival, Attempt, Event
from tests.exchange.reading import facts, read, reader, tracking
from tests.exchange.writer import (
    COLUMNS_26,
    COLUMNS_27,
    COLUMNS_30,
    EX01,
    EX02,
    Log,
    Message,
    between,
    mailbox_to_mailbox,
    row,
)

MESSAGE = Message("anna@contoso.example", ["ben@contoso.example", "cleo@contoso.example"], subject='Say "yes", please')
CORPUS = Path(os.environ.get("FLOWMON_SHARED", Path(__file__).parents[3] / "shared")) / "corpus" / "exchange-msgtrk"


def log_of(columns: tuple[str, ...] = COLUMNS_30, *, bom: bool = True, crlf: bool = True) -> Log:
    """A log with an arrival and two attempts."""
    log = Log(columns=columns, bom=bom, crlf=crlf)
    log.add("2026-11-24T09:00:00.400Z", "SMTP", "RECEIVE", MESSAGE.values(7001), **between(EX02, EX01))
    log.add("2026-11-24T09:00:00.600Z", "SMTP", "SEND", MESSAGE.values(7001), **between(EX01, EX02),
            recipient_status="250 2.1.5 Recipient OK;250 2.1.5 Recipient OK")
    return log


def without_network_id(events: list[Event]) -> list[dict[str, object]]:
    """Facts that all column sets tell."""
    return [{k: v for k, v in facts(event).items() if k != "network_message_id"} for event in events]


@pytest.mark.parametrize("bom", [True, False])
@pytest.mark.parametrize("crlf", [True, False])
@pytest.mark.parametrize("columns", [COLUMNS_26, COLUMNS_27, COLUMNS_30, tuple(reversed(COLUMNS_30))])
def test_every_form_tells_the_same(columns: tuple[str, ...], bom: bool, crlf: bool) -> None:
    events, one = read(log_of(columns, bom=bom, crlf=crlf).data())
    assert without_network_id(events) == without_network_id(read(log_of().data())[0])
    assert len(events) == 3
    assert one.counters.unmatched == 0
    assert facts(events[0])["subject"] == 'Say "yes", please'


def test_columns_may_change_inside_a_file() -> None:
    events, one = read(log_of(COLUMNS_27).data() + log_of(tuple(sorted(COLUMNS_30))).data())
    assert [facts(e) for e in events[:3]] == [facts(e) for e in events[3:]]
    assert one.counters.unmatched == 0


def test_underscores_and_case_of_exports_are_the_same_columns() -> None:
    log = log_of()
    data = log.data().replace(",".join(COLUMNS_30).encode(), ",".join(COLUMNS_30).upper().replace("-", "_").encode())
    assert [facts(e) for e in read(data)[0]] == [facts(e) for e in read(log.data())[0]]


def test_plain_csv_names_its_columns_in_the_first_row() -> None:
    log = log_of(COLUMNS_27)
    names = ",".join(COLUMNS_27).replace("-", "_").title()
    data = "\n".join(["\ufeff" + names, *log.rows, names, ""]).encode()
    events, one = read(data)
    assert [facts(e) for e in events] == [facts(e) for e in read(log.data())[0]]
    assert one.counters.unmatched == 1, "names in the middle are a row that does not fit"


def test_a_row_that_does_not_fit_is_counted_and_kept() -> None:
    log = log_of()
    log.rows.insert(1, log.rows[0] + ",one,more")
    log.rows.append(log.rows[0][: len(log.rows[0]) // 2])
    events, one = read(log.data())
    assert len(events) == 3
    assert one.counters.unmatched == 2
    assert list(one.counters.samples) == [log.rows[1][:500], log.rows[-1][:500]]


def test_a_cut_last_row_counts_once_it_is_whole() -> None:
    data = log_of(crlf=False).data()
    cut = data.rstrip(b"\n").rfind(b"\n") + 1
    one, events = reader(), list[Event]()
    one.feed(data[:cut], 0, events.append)
    assert len(events) == 1
    one.feed(data[cut:], cut, events.append)
    assert len(events) == 3
    assert events[1].position == events[2].position == cut


def test_goes_on_in_the_middle_of_a_file() -> None:
    data = log_of(tuple(reversed(COLUMNS_30))).data()
    cut = data.rstrip().rfind(b"\n") + 1
    first, events = reader(), list[Event]()
    first.feed(data[:cut], 0, events.append)
    second = reader()
    second.restore(first.state())
    second.feed(data[cut:], cut, events.append)
    assert [facts(e) for e in events] == [facts(e) for e in read(data)[0]]
    assert second.counters.unmatched == 0


def test_positions_are_those_of_bytes() -> None:
    log = Log(crlf=True)
    message = Message("änna@contoso.example", ["ben@contoso.example"], subject="Grüße")
    for _ in range(2):
        log.add("2026-11-24T09:00:00.400Z", "SMTP", "RECEIVE", message.values(7001), **between(EX02, EX01))
    data = log.data()
    events, _ = read(data)
    assert [data[e.position :].split(b",", 1)[0] for e in events] == [b"2026-11-24T09:00:00.400Z"] * 2


STATUSES = (
    ("[{LED=550 5.1.1 X; not found};{FQDN=mx.a.example}];[{LED=451 4.4.0 busy; later};{FQDN=mx.b.example}]",
     ["550 5.1.1 X; not found", "451 4.4.0 busy; later"]),
    ("[{LRT=11/24/2026};{LED=552 5.2.2 full};{MSG={a;b}}];250 2.1.5 OK", ["552 5.2.2 full", "250 2.1.5 OK"]),
    ("550 5.1.1 A; not found;550 5.1.1 B; not found", ["550 5.1.1 A; not found;550 5.1.1 B; not found"] * 2),
    ("550 5.1.1 one for both", ["550 5.1.1 one for both"] * 2),
)


@pytest.mark.parametrize(("text", "said"), STATUSES)
def test_one_status_per_recipient(text: str, said: list[str]) -> None:
    log = Log()
    log.add("2026-11-24T09:00:00.400Z", "SMTP", "FAIL", MESSAGE.values(7001), client_hostname="EX01",
            recipient_status=text)
    events, _ = read(log.data())
    assert [facts(e).get("diagnostic") for e in events] == said
    assert [facts(e)["recipient"] for e in events] == MESSAGE.recipients


def test_semicolon_in_a_quoted_local_part() -> None:
    odd = Message("anna@contoso.example", ['"a;b"@contoso.example', "ben@contoso.example"])
    log = Log()
    log.add("2026-11-24T09:00:00.400Z", "SMTP", "SEND", odd.values(7001), **between(EX01, EX02))
    assert [facts(e)["recipient"] for e in read(log.data())[0]] == odd.recipients


def test_another_log_with_fields_is_not_taken_for_tracking() -> None:
    data = b"#Software: Microsoft Exchange Server\r\n#Log-type: SMTP Receive Protocol Log\r\n" \
        b"#Fields: date-time,connector-id,session-id,event,data\r\n2026-11-24T09:00:00.400Z,EX01\\Default,1,+,\r\n"
    events, one = read(data)
    assert events == []
    assert one.counters.lines == one.counters.unmatched == 2


def test_one_flow_of_two_servers_in_order(tmp_path: Path) -> None:
    found: list[Event] = []
    for place, log in mailbox_to_mailbox(MESSAGE).items():
        folder = tmp_path / place.partition("/")[0]
        folder.mkdir(exist_ok=True)
        events, one = read(log.write(folder).read_bytes())
        assert one.counters.unmatched == 0
        found += events
    assert all(isinstance(event, Arrival | Attempt) for event in found)
    hops = dict.fromkeys((event.host, event.queue_id) for event in sorted(found, key=lambda event: event.at))
    assert list(hops) == [
        ("ex01", "submission/901"), ("ex01", "64712272257893"), ("ex02", "5501"), ("ex02", "delivery/33")]


@pytest.mark.shared
def test_every_row_of_the_corpus_has_its_place() -> None:
    paths = sorted(CORPUS.glob("*.csv"))
    if not paths:
        pytest.skip(f"no corpus in {CORPUS}")
    format = tracking()
    reasons = {rule.name: rule.ignored for rule, _ in format.records}
    rows = 0
    for path in paths:
        one = reader(format)
        for line in path.read_bytes().splitlines(keepends=True):
            events: list[Event] = []
            one.feed(line, 0, events.append)
            if line.removeprefix(b"\xef\xbb\xbf")[:1] in (b"#", b"\r", b"\n"):
                continue
            rows += 1
            assert events or reasons[one.taken[-1]], line[:200]
        assert one.counters.unmatched == 0
    assert rows >= 4


def test_writer_refuses_unknown_columns() -> None:
    with pytest.raises(KeyError, match="no such column"):
        row({"sender": "a@contoso.example"})
