"""SMTP receive protocol: sessions that stand mixed in one log, each reply with its own command."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from flowmon.model.event import Event, Line
from flowmon.parsing.format import Format, load
from flowmon.parsing.records import RecordReader
from flowmon.parsing.stamps import Stamps
from flowmon.store.evidence import read_line
from tests.exchange.reading import ShortHosts, facts
from tests.exchange.writer import quoted
from tests.golden import reading

PARSERS = Path(__file__).parents[2] / "parsers"
ONE, OTHER = ("08DA9A5F1E01AAAA", "203.0.113.9:56026"), ("08DA9A5F1E01BBBB", "2001:db8::9:4711")
Row = tuple[tuple[str, str], str, str]


@pytest.fixture(scope="module")
def receive() -> Format:
    """The format under test."""
    return load(PARSERS / "exchange-smtp-receive.toml", trusted=True)


def log(rows: list[Row], kind: str = "SMTP Receive Protocol Log") -> bytes:
    """A log of session, event and data."""
    head = ["#Software: Microsoft Exchange Server", "#Version: 15.0.0.0", f"#Log-type: {kind}",
            "#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,"
            "context"]
    lines = [
        f"2026-11-24T09:00:{n:02}.400Z,EX01\\Default Frontend EX01,{id},{n},192.0.2.11:25,{peer},{event},"
        f"{quoted(data)},"
        for n, ((id, peer), event, data) in enumerate(rows)
    ]
    return "\r\n".join([*head, *lines, ""]).encode()


def reader(format: Format) -> RecordReader:
    """A reader at the begin of a log."""
    return RecordReader(format, ShortHosts(), Stamps(None, 1_795_000_000.0), "filehost")


MIXED: list[Row] = [
    (ONE, "+", ""), (ONE, ">", "220 EX01 ready"), (OTHER, "+", ""), (OTHER, ">", "220 EX01 ready"),
    (ONE, "<", "EHLO far.example"), (ONE, ">", "250  EX01 Hello"),
    (ONE, "<", "MAIL FROM:<pat@fabrikam.example>"), (OTHER, "<", "MAIL FROM:<>"),
    (ONE, "<", "RCPT TO:<ben@contoso.example>"), (ONE, "<", "RCPT TO:<nobody@contoso.example>"),
    (ONE, ">", "250 2.1.0 Sender OK"), (OTHER, ">", "250 2.1.0 Sender OK"), (ONE, ">", "250 2.1.5 Recipient OK"),
    (OTHER, "<", "RCPT TO:<kim@contoso.example>"), (ONE, ">", "550 5.1.10 Recipient not found"),
    (OTHER, ">", "451 4.7.0 Temporary server error"), (ONE, "<", "DATA"), (ONE, ">", "354 Start mail input"),
    (ONE, ">", "250 2.6.0 <m@x> [InternalId=1, Hostname=EX01] Queued mail for delivery"),
    (ONE, "<", "QUIT"), (ONE, ">", "221 2.0.0 closing"), (ONE, "-", ""),
]
WANTED = [
    ("pat@fabrikam.example", "nobody@contoso.example", "[203.0.113.9]", "550 5.1.10 Recipient not found"),
    ("", "kim@contoso.example", "[2001:db8::9]", "451 4.7.0 Temporary server error"),
]


def told(events: list[Event]) -> list[tuple[str, ...]]:
    """Who was refused, and how."""
    found = [facts(event) for event in events if not isinstance(event, Line)]
    return [(f.get("envelope_sender", ""), f["recipient"], f["client"], f["diagnostic"]) for f in found]


def test_replies_find_their_commands(receive: Format) -> None:
    events, one = list[Event](), reader(receive)
    one.feed(log(MIXED), 0, events.append)
    assert told(events) == WANTED
    assert one.counters.unmatched == 0
    assert {event.host for event in events} == {"ex01"}


@pytest.mark.parametrize("cut", [12, 16, 18])
def test_goes_on_in_the_middle_of_a_session(receive: Format, cut: int) -> None:
    lines, events = log(MIXED).splitlines(keepends=True), list[Event]()
    first, second = reader(receive), reader(receive)
    first.feed(b"".join(lines[:cut]), 0, events.append)
    second.restore(first.state())
    second.feed(b"".join(lines[cut:]), 0, events.append)
    assert told(events) == WANTED


def test_a_reply_to_what_was_said_before_the_log_began_is_no_refused_connection(receive: Format) -> None:
    events, one = list[Event](), reader(receive)
    one.feed(log([(ONE, ">", "550 5.1.10 Recipient not found"), (ONE, "<", "QUIT"), (ONE, ">", "221 bye")]), 0,
             events.append)
    assert events == []
    assert one.counters.unmatched == 0


def test_the_log_that_servers_send_by_is_another(receive: Format) -> None:
    events, one = list[Event](), reader(receive)
    one.feed(log(MIXED, "SMTP Send Protocol Log"), 0, events.append)
    assert events == []
    assert one.counters.unmatched == one.counters.lines


CHUNKED: list[Row] = [
    (ONE, "+", ""), (ONE, ">", "220 EX01 ready"), (ONE, "<", "EHLO far.example"), (ONE, ">", "250  EX01 Hello"),
    (ONE, "<", "MAIL FROM:<pat@fabrikam.example>"), (ONE, "<", "RCPT TO:<ben@contoso.example>"),
    (ONE, ">", "250 2.1.0 Sender OK"), (ONE, ">", "250 2.1.5 Recipient OK"), (ONE, "<", "BDAT 1000"),
    (ONE, ">", "250 2.6.0 CHUNK received OK, 1000 octets"), (ONE, "<", "BDAT 20 LAST"),
    (ONE, ">", "250 2.6.0 <m@x> [InternalId=7, Hostname=EX01] Queued mail for delivery"),
    (ONE, "<", "MAIL FROM:<pat@fabrikam.example>"), (ONE, ">", "250 2.1.0 Sender OK"),
    (ONE, "<", "RCPT TO:<ben@contoso.example>"), (ONE, ">", "250 2.1.5 Recipient OK"), (ONE, "<", "BDAT 1000"),
    (ONE, ">", "552 5.3.4 Message size exceeds fixed maximum"),
]


def test_chunks_are_one_message(receive: Format) -> None:
    events, one = list[Event](), reader(receive)
    one.feed(log(CHUNKED), 0, events.append)
    lines = [event for event in events if isinstance(event, Line)]
    assert [(event.queue_id, event.host, event.session) for event in lines] == [("7", "ex01", ONE[0])] * 8
    assert [event.position for event in lines] == sorted({event.position for event in lines})
    (refused,) = [facts(event) for event in events if not isinstance(event, Line)]
    assert (refused["command"], refused["session"]) == ("DATA", f"{ONE[0]}/2")


def spoken(run: str, message_id: str, folder: Path) -> list[str]:
    """Sign and text of the lines of protocol logs that a message of a golden run has as its evidence."""
    with reading.read([str(reading.copied(run, folder))]) as found:
        (row,) = found.find(message_id)
        detail = found.detail(row)
        assert detail is not None
        lines = [read_line(line) for line in detail.evidence if re.search("/(RECV|SEND)", line.path)]
    rows = list(csv.reader(line for line in lines if line is not None))
    return [f"{cells[6]} {cells[7] or cells[8]}" for cells in sorted(rows, key=lambda cells: int(cells[3]))]


def test_a_message_has_the_lines_of_the_transaction_that_brought_it(tmp_path: Path) -> None:
    lines = spoken("exchange_session_refuses_one", "7f3a.3@ex01.contoso.example", tmp_path)
    assert lines[:4] == ["< MAIL FROM:<pat@fabrikam.example> SIZE=8123", "> 250 2.1.0 Sender OK",
                         "< RCPT TO:<noone@contoso.example>", "> 550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found"]
    assert lines[4:-1] == ["< RCPT TO:<ben@contoso.example>", "> 250 2.1.5 Recipient OK", "< DATA",
                           "> 354 Start mail input; end with <CRLF>.<CRLF>"]
    assert "InternalId=" in lines[-1]


def test_a_message_has_the_lines_of_the_session_that_sent_it(tmp_path: Path) -> None:
    lines = spoken("exchange_session_sends", "7f3a.2@ex01.contoso.example", tmp_path)
    assert lines[0].startswith("* sending message with RecordId ")
    assert lines[1:5] == ["> MAIL FROM:<anna@contoso.example> SIZE=8123", "> RCPT TO:<pat@fabrikam.example>",
                          "< 250 2.1.0 Ok", "< 452 4.2.2 The mailbox is full"]
    first = spoken("exchange_session_sends", "7f3a.1@ex01.contoso.example", tmp_path / "again")
    assert first[-1] == "< 250 2.0.0 Ok: queued as 4F1A2B3C4D"
    assert not set(lines) & {line for line in first if line.startswith("*")}
