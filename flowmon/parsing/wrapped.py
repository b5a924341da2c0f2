"""What is in an envelope: one line of a log, and what the collector that wrapped it knows of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from flowmon.parsing.stamps import epoch

_TEXT = ("MESSAGE", "message", "msg", "log", "body", "short_message", "line")
_HOST = (
    "_HOSTNAME", "kubernetes.pod_name", "kubernetes.pod.name", "log.syslog.hostname", "host.name", "host.hostname",
    "host", "hostname", "agent.hostname", "labels.host", "labels.hostname", "labels.pod",
)  # fmt: skip
_PROGRAM = (
    "SYSLOG_IDENTIFIER", "syslog_identifier", "log.syslog.appname", "process.name", "appname", "program", "ident",
    "programname", "_application_name", "application_name",
)  # fmt: skip
_PID = ("SYSLOG_PID", "_PID", "log.syslog.procid", "process.pid", "procid", "pid", "_process_id", "process_id")
_TIME = ("__REALTIME_TIMESTAMP", "@timestamp", "timestamp", "time", "ts", "date", "timereported", "timegenerated")
_SYSLOG_TAG = ("syslogtag", "syslog-tag", "syslog_tag")
"""Where rsyslog has program and process in one: `postfix/smtpd[1]:`."""
_STREAM = (
    "log.file.path", "file", "filename", "CONTAINER_NAME", "container_name", "kubernetes.container_name",
    "kubernetes.container.name", "container.id", "_container_name", "labels.filename", "labels.container",
)  # fmt: skip
"""What tells one log within the envelope from another."""

_CRI = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) (stdout|stderr) ([FP]) (.*)", re.DOTALL)
_PREFIXED = re.compile(
    r"(?:(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z) |(?P<service>[\w.-]{1,100}) {0,60}\| "
    r"|\[pod/(?P<pod>[\w.-]{1,253})/(?P<container>[\w.-]{1,100})\] )(?P<text>.*)", re.DOTALL | re.ASCII
)
"""What `docker logs -t` (as CloudWatch), `docker compose logs` and `kubectl logs --prefix` put before a line."""
_COUNTED = re.compile(rb"(\d{1,6}) (?=<\d{1,3}>)")
"""Octet counting of RFC 6587."""
OCTETS = "\0"
"""The stream of messages with their octets counted, which have headers of their own."""
_TAG_PARTS = re.compile(r"([^\s\[\]:]+)(?:\[(\d{1,10})\])?:?", re.ASCII)
_TAG = re.compile(r"[\w./-]{1,64}\[\d{1,10}\]: ", re.ASCII)
_HEADED = re.compile(
    r"[{#]|(?:<\d{1,3}>(?:1 )?)?\W{0,3}(?:\d{4}[-/]\d\d[-/]\d\d[T ]|\d\d[-/](?:\d\d|[A-Z][a-z]{2})[-/]\d{4}"
    r"|(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d|[A-Z][a-z]{2}-\d\d-\d\d |(?<=@)4[0-9a-f]{23})", re.ASCII
)
"""A text with a header of its own, which begins with its time, or a record."""
_OWN_TIME = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})?(?: [+-]\d{4})? (?!\S++ [^\s:]++: |[^\s:]++: )", re.ASCII
)
"""What Exim puts before its lines, in syslog too (syslog_timestamp); no header of syslog, which names a program."""
_DOCKER_SPLITS = 16_384
"""Bytes at which Docker splits a line; no line end stands after the first parts."""
_DOCKER_FIELDS = frozenset({"log", "stream", "time", "attrs"})
"""Of a record in Docker's own file, where every line has its end but the first parts of one."""


class Wrapped(NamedTuple):
    """What an envelope tells: a line or a part of one, and what is known of it beside."""

    text: str
    at: str = ""
    """ISO 8601; "" where the envelope does not tell, as all that follows."""
    host: str = ""
    program: str = ""
    pid: str = ""
    stream: str = ""
    whole: bool = True
    """False: the line goes on in the next envelope of the stream."""

    def key(self) -> str:
        """Tells the log that it is of from the others."""
        return f"{self.host}\t{self.stream or self.program}"


class Enclosed(NamedTuple):
    """A line out of its envelope."""

    text: str
    host: str
    """"" where the envelope does not tell."""
    stream: str
    """Tells the logs of a host apart."""
    framed: bool
    """Whether the text was given a syslog header."""


def is_envelope(line: str) -> bool:
    """Whether a line looks like one, before it is parsed."""
    return (
        line[:1] in ("{", "\x1e") or line.startswith("__") or _CRI.match(line) is not None
        or _PREFIXED.match(line) is not None or _COUNTED.match(line[:16].encode("utf-8", "replace")) is not None
    )


def unwrap(line: str) -> Wrapped | None:
    """What is in an envelope; None where there is none that flowmon knows, or no text in it."""
    line = line.removeprefix("\x1e")
    if line[:1] != "{":
        return _prefixed(line)
    try:
        record = msgspec.json.decode(line.rstrip(",\r"))
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None
    return of_record(record) if isinstance(record, dict) else None


def _prefixed(line: str) -> Wrapped | None:
    """The line behind what was put before it."""
    match = _CRI.match(line)
    if match is not None:
        at, stream, part, text = match.groups()
        return Wrapped(text, at, stream=stream, whole=part == "F")
    match = _PREFIXED.match(line)
    if match is not None:
        return Wrapped(
            match["text"], match["at"] or "", match["pod"] or "", stream=match["service"] or match["container"] or ""
        )
    data, found = line.encode("utf-8", "replace"), []
    while (counted := _COUNTED.match(data)) is not None:
        end = counted.end() + int(counted[1])
        found.append(data[counted.end() : end].decode("utf-8", "replace").rstrip("\r\n"))
        data = data[end:]
    return Wrapped("\n".join(found), stream=OCTETS) if found else None


def of_record(record: dict[str, Any]) -> Wrapped | None:
    """What a record of named fields tells."""
    text = _text(record)
    if text is None:
        return None
    stream, whole = _word(record, _STREAM), True
    if not stream and isinstance(record.get("log"), str) and isinstance(record.get("stream"), str):
        stream = record["stream"]
        whole = text.endswith("\n") or not (_DOCKER_FIELDS.issuperset(record) or len(text) >= _DOCKER_SPLITS // 4)
    program, pid = _word(record, _PROGRAM), _word(record, _PID)
    tag = _TAG_PARTS.fullmatch(_word(record, _SYSLOG_TAG))
    if tag is not None:  # rsyslog's text has the blank that stood behind the tag
        program, pid, text = tag[1], tag[2] or "", text.removeprefix(" ")
    return Wrapped(text.removesuffix("\n"), _time(record), _word(record, _HOST), program, pid, stream, whole)


def begins_line(text: str) -> bool:
    """Whether a text has a header of its own, so that it is no later part of a line."""
    return _HEADED.match(text) is not None


def enclosed(wrapped: Wrapped, claims: Callable[[str], bool] = lambda program: False) -> Enclosed:
    """A whole line as the log that it is of would have it, with a header where it has none.

    `claims`: whether the lines of a syslog program are known. Such a line may have a time of its own in its text.
    """
    text, at, host, program, pid, stream, _ = wrapped
    if stream == OCTETS:
        return Enclosed(text, "", "", True)
    headed = _HEADED.match(text) is not None and not (program and _OWN_TIME.match(text) and claims(program))
    if not at or not (program or _TAG.match(text)) or headed:
        return Enclosed(text, host, stream or program, False)
    tag = f"{program}[{pid}]: " if pid.isdecimal() else f"{program}: " if program else ""
    head = f"{at} {host} {tag}" if host else f"{at} {tag}"
    return Enclosed("\n".join(head + one for one in text.split("\n")), host, "", True)


def _at(record: dict[str, Any], name: str) -> Any:
    """A field by its name, which may stand flat (`host.name`) or nested (`host` with `name`)."""
    found = record.get(name)
    if found is None and "." in name:
        found = record
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    return found[0] if isinstance(found, list) and found else found


def _word(record: dict[str, Any], names: Iterable[str]) -> str:
    """The first of the fields that holds a word or a number; "" if none does."""
    for name in names:
        found = _at(record, name)
        if isinstance(found, str | int) and not isinstance(found, bool):
            words = str(found).split(None, 1)
            if words:
                return words[0]
    return ""


def _text(record: dict[str, Any]) -> str | None:
    for name in _TEXT:
        found = record.get(name)
        if isinstance(found, str):
            return found
        if name == "MESSAGE" and isinstance(found, list):  # journald: bytes, where the text is not UTF-8
            if all(isinstance(one, int) and 0 <= one < 256 for one in found):
                return bytes(found).decode("utf-8", "replace")
            return next((one for one in found if isinstance(one, str)), None)
    return None


def _time(record: dict[str, Any]) -> str:
    """The envelope's time in ISO 8601; "" where it has none with a zone, or one that cannot be."""
    for name in _TIME:
        found = _at(record, name)
        if isinstance(found, float | int) and not isinstance(found, bool) and 0 < found < 1e18:
            found = str(found) if isinstance(found, int) else f"{found * 1e6:.0f}"
        at = epoch(found, UTC) if isinstance(found, str) else None
        if at is not None:
            return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
    return ""
