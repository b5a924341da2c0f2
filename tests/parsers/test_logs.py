"""Whole logs: the lab's recorded run is understood to the last line, and what is told is clean."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from flowmon.model.event import Arrival, Attempt, Event, Refusal, Verdict
from flowmon.model.words import DeliveryStatus
from tests.parsers.reading import SHARED, ShortNames, catalogue, read

LAB = SHARED / "lab" / "recorded"
NO_LAB = pytest.mark.skipif(not LAB.is_dir(), reason=f"the lab's recorded run is not at {LAB}")
CORPUS = SHARED / "corpus"
NO_CORPUS = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no real logs at {CORPUS}")

_ADDRESS = re.compile(r'(?:"[^"]*"|[^\s<>",;])*')
_PEER = re.compile(r"[^\s\[\]()]*(?: ?\[[^\]]+\](?::\w+)?)?")


def lab_logs() -> list[Path]:
    return sorted(path for part in ("logs", "alt") for path in (LAB / part).rglob("*") if path.is_file())


def unclean(event: Event) -> list[str]:
    """Fields of an event that hold what they should not."""
    found = []
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if not isinstance(value, str):
            continue
        sound = value == value.strip() and not re.search(r"[\x00-\x1f]", value)
        if name in ("envelope_sender", "original_recipient", "recipient"):
            sound = sound and all(_ADDRESS.fullmatch(one) for one in value.split())
        elif name in ("client", "relay"):
            sound = sound and _PEER.fullmatch(value) is not None
        elif name in ("message_id", "queue_id", "session", "report_id", "copy_id"):
            sound = sound and re.fullmatch(r"[^\s<>]+", value) is not None
        if not sound:
            found.append(f"{type(event).__name__}.{name} = {value!r}")
    return found


@pytest.mark.shared
@NO_LAB
@pytest.mark.parametrize("path", lab_logs(), ids=lambda path: str(path.relative_to(LAB)))
def test_the_lab_is_understood_to_the_last_line(path: Path) -> None:
    _, reader, events = read(path.read_bytes())
    assert list(reader.counters.samples) == []
    assert (reader.counters.unmatched, reader.counters.foreign) == (0, 0)
    assert [fault for event in events for fault in unclean(event)] == []


@pytest.mark.shared
@NO_LAB
def test_the_filter_tells_the_cause() -> None:
    _, _, events = read((LAB / "logs" / "edge" / "rspamd" / "rspamd.log").read_bytes())
    reasons = Counter((v.action, v.reason) for v in events if isinstance(v, Verdict))
    assert set(reasons) == {("no action", None), ("reject", "spam"), ("reject", "dmarc")}


@pytest.mark.shared
@NO_LAB
def test_three_header_forms_tell_the_same() -> None:
    def told(path: Path) -> list[tuple[object, ...]]:
        return [(type(e), int(e.at), e.host, e.queue_id) for e in read(path.read_bytes())[2]]

    iso = told(LAB / "logs" / "edge" / "mail.log")
    assert told(LAB / "alt" / "edge" / "mail-rfc5424.log") == iso
    assert told(LAB / "alt" / "edge" / "mail-traditional.log") == iso


@pytest.mark.shared
@NO_CORPUS
@pytest.mark.parametrize("folder", ["exim", "sendmail", "opensmtpd", "postfix", "proxmox-mail-gateway", "rspamd"])
def test_real_logs_are_understood(folder: str) -> None:
    for path in sorted((CORPUS / folder).glob("*.log")):
        data = path.read_bytes()
        if path.stem in ("whyscream-grok.messages", "vultr-openbsd-guide"):  # bodies without headers; a line cut off
            continue
        _, reader, events = read(data if data.endswith(b"\n") else data + b"\n")
        assert reader.counters.unmatched <= reader.counters.lines * 0.01, (path.name, list(reader.counters.samples))
        recipients = [e.recipient for e in events if isinstance(e, Attempt | Refusal) and e.recipient]
        assert not [r for r in recipients if not _ADDRESS.fullmatch(r)], path.name


EXIM = [
    "2026-11-24 10:44:09 exim 4.96 daemon started: pid=26, -q8s, listening for SMTP on port 25 (IPv4)",
    "2026-11-24 10:44:27 1xVo0h-00000o-1A <= carol@lab.test H=edge.lab.test [192.0.2.10] P=esmtps S=27 id=18@lab.test",
    "2026-11-24 10:44:27 1xVo0h-00000o-1A == jane70@busy.example R=dnslookup T=smtp defer (111): Connection refused",
    "2026-11-24 10:44:29 1xVo0h-00000o-1A == jane70@busy.example routing defer (-51): retry time not reached",
    "2026-11-24 10:44:53 1xVo0h-00000o-1A H=(x) [203.0.113.11] F=<a@b.example> rejected after DATA: no",
    "Envelope-from: <a@b.example>",
    "P Received: from x by relay.lab.test",
    "  Subject: => kim@example.com R=x T=y",
    "2026-11-24 10:44:53 1xVo0h-00000o-1A Completed",
]


def test_what_a_record_goes_on_with_tells_nothing() -> None:
    name, reader, events = read(EXIM)
    assert name == "exim"
    assert reader.counters.unmatched == 0
    assert [type(event).__name__ for event in events] == ["Arrival", "Attempt", "Refusal", "Ended"]


def test_a_wait_is_no_try() -> None:
    _, _, events = read(EXIM)
    assert [e.diagnostic for e in events if isinstance(e, Attempt)] == ["Connection refused"]


def test_logs_of_other_programs_are_not_exims() -> None:
    lines = [f"2026-11-24 10:44:{n:02} status installed package{n}:amd64 1.2" for n in range(50)]
    data = "\n".join(lines).encode() + b"\n"
    assert catalogue().reader(data, hosts=ShortNames(), host="here", zone=None) is None


def test_one_line_may_list_several_recipients() -> None:
    _, _, events = read([
        "Nov 24 10:44:37 smr sm-mta[63]: 6AOAibbj000063: from=<alice@lab.test>, size=751, class=0, nrcpts=3, "
        "proto=ESMTP, daemon=MTA-v4, relay=edge.lab.test [192.0.2.10]",
        'Nov 24 10:44:38 smr sm-mta[68]: 6AOAibbj000063: to=<a@sm.example>,<"b, c"@sm.example>,d, delay=00:00:01, '
        "mailer=esmtp, pri=1, relay=mx.sm.example. [198.51.100.10], dsn=2.0.0, stat=Sent (ok)",
    ])
    assert [e.recipient for e in events if isinstance(e, Attempt)] == ["a@sm.example", '"b, c"@sm.example', "d"]
    assert {e.status for e in events if isinstance(e, Attempt)} == {DeliveryStatus.RELAYED}
    assert [e.client for e in events if isinstance(e, Arrival)] == ["edge.lab.test[192.0.2.10]"]


def test_a_forwarded_message_is_a_try_and_a_copy() -> None:
    _, _, events = read([
        "Nov 24 10:44:26 mbx postfix/local[131]: D1CDD24823E: to=<bob@lab.test>, relay=local, delay=0.02, "
        "delays=0.01/0/0/0.01, dsn=2.0.0, status=sent (forwarded as C61F8248230)",
    ])
    assert [type(event).__name__ for event in events] == ["Copy", "Attempt"]
