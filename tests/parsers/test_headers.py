"""Syslog headers of other orders than the usual one tell what the usual one tells."""

from functools import partial

import pytest

from flowmon.parsing.hostile import best, cpu_seconds
from tests.parsers.reading import read

AT = "Nov 24 10:44:26"
TEXT = (
    "4D2C3A1B5F: to=<lee@far.example>, relay=mx.far.example[192.0.2.7]:25, delay=2.1, delays=0.1/0/1/1, dsn=2.0.0, "
    "status=sent (250 2.0.0 Ok: queued as 77AB)"
)
SECOND = 1795517066.0
"""24 November 2026, 10:44:26 UTC."""


@pytest.mark.parametrize(("header", "host", "at"), [
    (f"{AT} mx postfix/smtp[7]:", "mx", SECOND),
    (f"{AT} mx mail.info postfix/smtp[7]:", "mx", SECOND),
    (f"<22>{AT} mx mail.warn postfix/smtp[7]:", "mx", SECOND),
    ("2026-11-24T10:44:26+00:00 mx mail.info postfix/smtp[7]:", "mx", SECOND),
    (f"{AT} mail.info postfix/smtp[7]:", "mail", SECOND),  # a host may have this name
    (f"{AT} postfix/smtp[7]:", "here", SECOND),
    ("Nov 24 2026 10:44:26 mx postfix/smtp[7]:", "mx", SECOND),
    ("Nov 24 2026 10:44:26.250 mx postfix/smtp[7]:", "mx", SECOND + 0.25),
    ("Tue 2026-11-24 10:44:26 UTC mx postfix/smtp[7]:", "mx", SECOND),
    ("Tue 2026-11-24 11:44:26.5 CET mx postfix/smtp[7]:", "mx", SECOND + 0.5),
    ("Tue 2026-11-24 16:14:26 +0530 mx postfix/smtp[7]:", "mx", SECOND),
    ("Tue 2026-11-24 07:44:26 -03 mx postfix/smtp[7]:", "mx", SECOND),
    ("1795517066.250000 mx postfix/smtp[7]:", "mx", SECOND + 0.25),
    (f"Nov 24 10:44:59 relay {AT} mx postfix/smtp[7]:", "mx", SECOND),
    (f"Nov 24 10:44:59 relay <22>{AT} mx postfix/smtp[7]:", "mx", SECOND),
    (f"Nov 24 10:44:59 relay {AT} postfix/smtp[7]:", "relay", SECOND),
    ("Nov 24 10:44:59 relay 2026-11-24T10:44:26Z mx postfix/smtp[7]:", "mx", SECOND),
    ("Nov 24 10:44:59 relay 1 2026-11-24T10:44:26Z mx postfix/smtp 7 - -", "mx", SECOND),
    ("2026-11-24T10:44:59Z relay <22>1 2026-11-24T10:44:26Z mx postfix/smtp 7 - -", "mx", SECOND),
    ("187 <22>1 2026-11-24T10:44:26Z mx postfix/smtp 7 - -", "mx", SECOND),
    (f"\ufeff{AT} mx postfix/smtp[7]:", "mx", SECOND),
])  # fmt: skip
@pytest.mark.parametrize("text", [TEXT, TEXT.replace("=<lee", "=<kim")])
def test_a_header_of_another_order(utc: None, header: str, host: str, at: float, text: str) -> None:
    label, reader, events = read([f"{header} {text}", f"{header} connect to mx.far.example", f"{header} {text}"])
    assert label == "syslog"
    assert [(event.host, event.at, event.queue_id) for event in events] == [(host, at, "4D2C3A1B5F")] * 2
    assert reader.counters.foreign == 0


def test_a_program_without_host_that_no_format_reads_is_set_aside() -> None:
    _, reader, _ = read([f"{AT} postfix/smtp[7]: {TEXT}", f"{AT} cron[9]: (root) CMD (true)", f"{AT} no: header"])
    assert (reader.counters.lines, reader.counters.foreign, reader.counters.unmatched) == (3, 1, 1)


def test_headers_without_end_take_no_time() -> None:
    for begin in (f"{AT} relay ", f"{AT} relay <22>", "9 <22>", f"{AT} mail.info ", "\ufeff", "2026-11-24T10:44:26Z "):
        _, reader, _ = read([f"{AT} mx postfix/smtp[7]: {TEXT}"])
        data = (begin * (16_000 // len(begin)) + "\n").encode()
        assert best(partial(cpu_seconds, partial(reader.feed, data, 0, print)), 0.05) <= 0.05


def test_a_line_of_text_is_no_row_of_a_table() -> None:
    """It has as many commas as Exchange's connectivity log has columns, and begins with a time."""
    with pytest.raises(AssertionError, match="no format fits"):
        read(["2026-11-24T10:44:26Z it is no header, one, two, three, four, five"])
