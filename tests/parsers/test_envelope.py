"""Logs in envelopes tell what the same logs tell without."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from flowmon.model.event import Event
from flowmon.parsing.envelope import unwrap
from tests.parsers.reading import REFERENCE, ShortNames, catalogue, read

ARRIVED = (
    "2026-11-24T10:44:29.401122+00:00 edge postfix/qmgr[31]: 4D2C3A1B5F: from=<anna@example.org>, size=734, nrcpt=1 "
    "(queue active)"
)
SENT = (
    "2026-11-24T10:44:31.100200+00:00 edge postfix/smtp[77]: 4D2C3A1B5F: to=<bo@example.net>, "
    "relay=mx.example.net[192.0.2.7]:25, delay=2.1, delays=0.1/0/1/1, dsn=2.0.0, "
    "status=sent (250 2.0.0 Ok: queued as 77AB)"
)
POSTFIX = [ARRIVED, SENT]
EXIM = [
    "2026-11-24 10:44:10 Start queue run: pid=27",
    "2026-11-24 10:44:50 1xVo0x-00007e-1J <= anna@example.org H=client.example.org [192.0.2.1] P=esmtp S=812",
    "2026-11-24 10:44:51 1xVo0x-00007e-1J => bo@example.net R=dnslookup T=remote_smtp H=mx.example.net [192.0.2.7] "
    'C="250 Ok"',
    "2026-11-24 10:44:51 1xVo0x-00007e-1J Completed",
]  # fmt: skip


def _parts(line: str) -> dict[str, str]:
    at, host, tag, text = line.split(" ", 3)
    program, _, pid = tag.rstrip(":]").partition("[")
    return {"at": at, "host": host, "program": program, "pid": pid, "text": text}


def _journald(line: str) -> str:
    of = _parts(line)
    micro = round(datetime.fromisoformat(of["at"]).timestamp() * 1e6)
    return json.dumps({
        "__REALTIME_TIMESTAMP": str(micro), "_HOSTNAME": of["host"], "SYSLOG_IDENTIFIER": of["program"],
        "SYSLOG_PID": of["pid"], "_PID": ["1", "2"], "MESSAGE": list(of["text"].encode()),
    })  # fmt: skip


def _vector(line: str) -> str:
    of = _parts(line)
    return json.dumps({
        "appname": of["program"], "hostname": of["host"], "procid": int(of["pid"]), "message": of["text"],
        "timestamp": of["at"],
    })  # fmt: skip


def _docker(line: str) -> str:
    return json.dumps({"log": line + "\n", "stream": "stdout", "time": "2026-11-24T10:45:00.123456789Z"})


def _filebeat(line: str) -> str:
    return json.dumps({
        "@timestamp": "2026-11-24T10:45:00.123Z", "message": line, "host": {"name": "here"},
        "log": {"file": {"path": "/var/log/mail.log"}},
    })  # fmt: skip


def _fluent_bit(line: str) -> str:
    return json.dumps({"date": 1795603500.25, "log": line, "kubernetes": {"pod_name": "here"}})


def _cri(line: str) -> str:
    return f"2026-11-24T10:45:00.123456789Z stdout F {line}"


def _told(events: list[Event]) -> list[dict[str, Any]]:
    return [
        {name: getattr(event, name) for name in event.__struct_fields__ if name != "position"} | {"is": type(event)}
        for event in events
    ]


@pytest.mark.parametrize("wrap", [_journald, _vector, _docker, _filebeat, _fluent_bit, _cri])
def test_tells_what_the_log_tells_without(wrap: Callable[[str], str]) -> None:
    _, _, plain = read(POSTFIX)
    label, reader, wrapped = read([wrap(line) for line in POSTFIX])
    assert label == "envelope"
    assert len(plain) == 2
    assert _told(wrapped) == _told(plain)
    assert (reader.counters.lines, reader.counters.unmatched, reader.counters.foreign) == (2, 0, 0)


@pytest.mark.parametrize("wrap", [_docker, _filebeat, _fluent_bit, _cri])
def test_a_log_with_a_header_of_its_own(wrap: Callable[[str], str]) -> None:
    label, _, plain = read(EXIM)
    assert label == "exim"
    assert {event.host for event in plain} == {"here"}
    assert _told(read([wrap(line) for line in EXIM])[2]) == _told(plain)


def test_positions_are_those_of_the_envelopes() -> None:
    lines = [_vector(line) for line in POSTFIX]
    _, _, events = read(lines)
    assert [event.position for event in events] == [0, len(lines[0]) + 1]


def test_logs_of_several_hosts_in_one_file() -> None:
    def of(host: str, line: str) -> str:
        return json.dumps({"message": line, "host": host, "@timestamp": "2026-11-24T10:45:00Z"})

    lines = [of("one", EXIM[1]), of("two", SENT), of("one", EXIM[2]), of("three", "GET / 200"), of("one", EXIM[3])]
    _, reader, events = read(lines)
    assert [event.host for event in events] == ["one", "edge", "one", "one"]
    assert (reader.counters.lines, reader.counters.foreign, reader.counters.unmatched) == (5, 1, 0)


def test_a_line_in_parts_also_over_a_restart() -> None:
    half = len(SENT) // 2
    first = f"2026-11-24T10:45:00.1Z stdout P {SENT[:half]}"
    rest = f"2026-11-24T10:45:00.1Z stdout F {SENT[half:]}"
    label, reader, events = read([_cri(ARRIVED), first])
    assert len(events) == 1
    again = catalogue().reader(b"", hosts=ShortNames(), host="here", zone=None, reference=REFERENCE, name=label)
    assert again is not None
    fresh: Any = again[1]
    first_reader: Any = reader
    fresh.restore(json.loads(json.dumps(first_reader.state())))
    later: list[Event] = []
    fresh.feed(f"{rest}\n".encode(), 0, later.append)
    assert _told(later) == _told(read([SENT])[2])


def test_docker_splits_long_lines_without_a_line_end() -> None:
    split = unwrap(json.dumps({"log": "x" * 16_384, "stream": "stderr", "time": "2026-11-24T10:45:00Z"}))
    whole = unwrap(_docker(SENT))
    assert split is not None
    assert whole is not None
    assert (split.whole, whole.whole) == (False, True)


@pytest.mark.parametrize(
    "line",
    [
        "", "{", "[]", '{"a": 1}', '{"message": 7}', '{"message": null}', "[" * 100_000, '{"a":' * 100_000,
        '{"MESSAGE": [1, 999]}',
    ],
    ids=["empty", "open", "list", "no-text", "number", "null", "deep-list", "deep", "no-bytes"],
)
def test_no_envelope(line: str) -> None:
    assert unwrap(line) is None


def test_a_time_or_host_that_cannot_be_is_no_header() -> None:
    times: list[Any] = [1e300, -5, True, "yesterday", None, {}]
    for time in times:
        found = unwrap(json.dumps({"message": "text", "program": "postfix/smtp", "host": " ", "time": time}))
        assert found is not None
        assert not found.framed
