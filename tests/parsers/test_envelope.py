"""Logs in envelopes tell what the same logs tell without."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from flowmon.model.event import Event
from flowmon.parsing.wrapped import enclosed, unwrap
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


def _docker_stamped(line: str) -> str:
    return f"2026-11-24T10:45:00.123456789Z {line}"


def _compose(line: str) -> str:
    return f"mail-1  | {line}"


def _kubectl(line: str) -> str:
    return f"[pod/here/postfix] {line}"


def _loki(line: str) -> str:
    return json.dumps({"labels": {"host": "here", "job": "mail"}, "line": line, "timestamp": "2026-11-24T10:45:00Z"})


def _rsyslog(line: str) -> str:
    of = _parts(line)
    return json.dumps({
        "msg": f" {of['text']}", "rawmsg": line, "timereported": of["at"], "hostname": of["host"],
        "syslogtag": f"{of['program']}[{of['pid']}]:",
    })  # fmt: skip


def _gelf(line: str) -> str:
    of = _parts(line)
    return json.dumps({
        "version": "1.1", "host": of["host"], "short_message": of["text"], "_process_id": of["pid"],
        "timestamp": datetime.fromisoformat(of["at"]).timestamp(), "_application_name": of["program"],
    })  # fmt: skip


def _sequence(line: str) -> str:
    return "\x1e" + _journald(line)


def _export(line: str) -> str:
    record = json.loads(_journald(line)) | {"MESSAGE": _parts(line)["text"], "_PID": "1"}
    return "".join(f"{name}={value}\n" for name, value in record.items())


def _pretty(line: str) -> str:
    return json.dumps(json.loads(_journald(line)) | {"MESSAGE": _parts(line)["text"]}, indent="\t")


def _counted(line: str) -> str:
    of = _parts(line)
    message = f"<22>1 {of['at']} {of['host']} {of['program']} {of['pid']} - - {of['text']}"
    return f"{len(message)} {message}"


def _told(events: list[Event]) -> list[dict[str, Any]]:
    return [
        {name: getattr(event, name) for name in event.__struct_fields__ if name != "position"} | {"is": type(event)}
        for event in events
    ]


@pytest.mark.parametrize("wrap", [
    _journald, _vector, _docker, _filebeat, _fluent_bit, _cri, _docker_stamped, _compose, _kubectl, _loki, _rsyslog,
    _gelf, _sequence, _export, _pretty,
])  # fmt: skip
def test_tells_what_the_log_tells_without(wrap: Callable[[str], str]) -> None:
    _, _, plain = read(POSTFIX)
    label, reader, wrapped = read([wrap(line) for line in POSTFIX])
    assert label == "envelope"
    assert len(plain) == 2
    assert _told(wrapped) == _told(plain)
    assert (reader.counters.lines, reader.counters.unmatched, reader.counters.foreign) == (2, 0, 0)


@pytest.mark.parametrize("wrap", [
    _docker, _filebeat, _fluent_bit, _cri, _docker_stamped, _compose, _kubectl, _loki,
])  # fmt: skip
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


def test_messages_with_their_octets_counted_need_no_line_ends() -> None:
    label, _, events = read(["".join(_counted(line) for line in POSTFIX)])
    assert label == "envelope"
    assert _told(events) == _told(read(POSTFIX)[2])
    label, _, events = read([_counted(line) for line in POSTFIX])
    assert label == "syslog"
    assert _told(events) == _told(read(POSTFIX)[2])


@pytest.mark.parametrize("wrap", [_export, _pretty])
def test_a_record_over_several_lines_goes_on_after_a_restart(wrap: Callable[[str], str]) -> None:
    first, rest = "".join(wrap(line) + "\n" for line in POSTFIX)[:-60], wrap(SENT)[-61:] + "\n\n"
    first = first[: first.rindex("\n") + 1]
    rest = ("".join(wrap(line) + "\n" for line in POSTFIX) + "\n")[len(first) :]
    label, reader, events = read(first.encode())
    assert len(events) == 1
    again = catalogue().reader(b"", hosts=ShortNames(), host="here", zone=None, reference=REFERENCE, name=label)
    assert again is not None
    fresh: Any = again[1]
    first_reader: Any = reader
    fresh.restore(json.loads(json.dumps(first_reader.state())))
    fresh.feed(rest.encode(), len(first), events.append)
    assert _told(events) == _told(read(POSTFIX)[2])
    assert (first + rest)[events[1].position :].split("\n")[0].lstrip().startswith(("MESSAGE=", '"MESSAGE"'))


def test_every_line_may_come_in_parts() -> None:
    def docker(text: str) -> str:
        return json.dumps({"log": text, "stream": "stdout", "time": "2026-11-24T10:45:00.1Z"})

    for parts in (
        [docker(part) for line in POSTFIX for part in (line[:90], line[90:] + "\n")],
        [f"2026-11-24T10:45:00.1Z stdout {part}" for line in POSTFIX for part in (f"P {line[:90]}", f"F {line[90:]}")],
    ):
        label, reader, events = read(parts)
        assert label == "envelope"
        assert _told(events) == _told(read(POSTFIX)[2])
        assert [event.position for event in events] == [0, len("".join(f"{part}\n" for part in parts[:2]).encode())]
        assert (reader.counters.lines, reader.counters.unmatched) == (2, 0)


def test_a_part_without_its_rest_is_a_line_of_its_own() -> None:
    lines = [_docker(ARRIVED).replace("\\n", ""), _docker(SENT), _docker(SENT)]
    assert _told(read(lines)[2]) == _told(read([ARRIVED, SENT, SENT])[2])


def test_lines_that_lost_their_ends_on_the_way_are_no_parts() -> None:
    record = {"log": ARRIVED, "stream": "stdout", "logtag": "F", "time": "2026-11-24T10:45:00.1Z"}
    found = unwrap(json.dumps(record))
    assert found is not None
    assert found.whole


def test_a_syslog_program_may_have_its_own_time_in_its_text() -> None:
    """As Exim has by default: the same in the journal and in mail.log."""
    syslog = [f"2026-11-24T10:44:50.250000+00:00 edge exim[7]: {line}" for line in EXIM]
    label, _, plain = read(syslog)
    assert label == "syslog"
    assert len(plain) == 3
    assert _told(read([_journald(line) for line in syslog])[2]) == _told(plain)


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
        '{"MESSAGE": [1, 999]}', "__CURSOR=s", "mail-1 text", "[pod/x] text", "7 text",
    ],
    ids=["empty", "open", "list", "no-text", "number", "null", "deep-list", "deep", "no-bytes", "cursor", "word",
         "pod", "count"],
)
def test_no_envelope(line: str) -> None:
    assert unwrap(line) is None


def test_a_time_or_host_that_cannot_be_is_no_header() -> None:
    times: list[Any] = [1e300, -5, True, "yesterday", None, {}]
    for time in times:
        found = unwrap(json.dumps({"message": "text", "program": "postfix/smtp", "host": " ", "time": time}))
        assert found is not None
        assert not enclosed(found).framed
