"""Envelopes: lines of a log as a collector of logs wraps them, one JSON object or CRI line for each.

What is known: journald's JSON export (systemd, "Journal JSON Format"), Docker's json-file driver, the JSON of Filebeat,
Vector and Fluent Bit (the line and its host under usual names), and the lines of Kubernetes' Container Runtime
Interface (`TIME stdout F text`). The text within is read as the log it comes from: as it stands where it has a header
of its own, else with a syslog header made of the envelope's time, host and program.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from flowmon.parsing.dispatch import Fold
from flowmon.parsing.reader import Counters, SyslogReader, placed
from flowmon.parsing.seen import Seen
from flowmon.parsing.stamps import Stamps, epoch

NAME = "envelope"
"""How the framing is called where other logs have the name of their format."""

_TEXT = ("MESSAGE", "message", "msg", "log", "body")
_HOST = (
    "_HOSTNAME", "kubernetes.pod_name", "kubernetes.pod.name", "log.syslog.hostname", "host.name", "host.hostname",
    "host", "hostname", "agent.hostname",
)  # fmt: skip
_PROGRAM = (
    "SYSLOG_IDENTIFIER", "syslog_identifier", "log.syslog.appname", "process.name", "appname", "program", "ident",
)  # fmt: skip
_PID = ("SYSLOG_PID", "_PID", "log.syslog.procid", "process.pid", "procid", "pid")
_TIME = ("__REALTIME_TIMESTAMP", "@timestamp", "timestamp", "time", "ts", "date")
_STREAM = (
    "log.file.path", "file", "filename", "CONTAINER_NAME", "container_name", "kubernetes.container_name",
    "kubernetes.container.name", "container.id",
)  # fmt: skip
"""What tells one log within the envelope from another."""

_CRI = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) (stdout|stderr) ([FP]) (.*)", re.DOTALL)
_TAG = re.compile(r"[\w./-]{1,64}\[\d{1,10}\]: ", re.ASCII)
_HEADED = re.compile(
    r"[{#]|(?:<\d{1,3}>(?:1 )?)?\W{0,3}(?:\d{4}[-/]\d\d[-/]\d\d[T ]|\d\d[-/](?:\d\d|[A-Z][a-z]{2})[-/]\d{4}"
    r"|(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d|[A-Z][a-z]{2}-\d\d-\d\d |(?<=@)4[0-9a-f]{23})", re.ASCII
)
"""A text with a header of its own, which begins with its time, or a record."""
_STREAMS = 500
"""So many logs are told apart within one envelope."""
_DOCKER_SPLITS = 16_384
"""Bytes at which Docker splits a line; no line end stands after the first parts."""
_PART_CAP = 1_000_000
"""Characters of a line that comes in parts."""


class Enclosed(NamedTuple):
    """A line out of its envelope."""

    text: str
    host: str
    """"" where the envelope does not tell."""
    stream: str
    """Tells the logs of a host apart."""
    framed: bool
    """Whether the text was given a syslog header."""
    whole: bool = True
    """False: the line goes on in the next envelope of the stream."""


def is_envelope(line: str) -> bool:
    """Whether a line looks like one, before it is parsed."""
    return line[:1] == "{" or _CRI.match(line) is not None


def unwrap(line: str) -> Enclosed | None:
    """The line within; None where there is no envelope that flowmon knows, or no text in it."""
    if line[:1] != "{":
        match = _CRI.match(line)
        if match is None:
            return None
        at, stream, part, text = match.groups()
        return _enclosed(text, at, "", "", "", stream, whole=part == "F")
    try:
        record = msgspec.json.decode(line.rstrip(",\r"))
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None
    if not isinstance(record, dict):
        return None
    text = _text(record)
    if text is None:
        return None
    stream, whole = _word(record, _STREAM), True
    if not stream and isinstance(record.get("log"), str) and isinstance(record.get("stream"), str):
        stream = record["stream"]
        whole = text.endswith("\n") or len(text) < _DOCKER_SPLITS // 4
    return _enclosed(
        text.removesuffix("\n"), _time(record), _word(record, _HOST), _word(record, _PROGRAM), _word(record, _PID),
        stream, whole=whole,
    )


def _enclosed(text: str, at: str, host: str, program: str, pid: str, stream: str, *, whole: bool) -> Enclosed:
    if not at or not (program or _TAG.match(text)) or _HEADED.match(text):
        return Enclosed(text, host, stream or program, False, whole)
    tag = f"{program}[{pid}]: " if pid.isdecimal() else f"{program}: " if program else ""
    head = f"{at} {host} {tag}" if host else f"{at} {tag}"
    return Enclosed("\n".join(head + one for one in text.split("\n")), host, "", True, whole)


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


class EnvelopeReader:
    """Reads a log of envelopes; each log within has a reader of its own.

    `recognise` gives, for the begin of a log and the host that it is of, the name of its format and a reader.
    """

    def __init__(
        self, tables: Any, hosts: Any, stamps: Stamps, host: str,
        recognise: Callable[[bytes, str, str | None], tuple[str, Any] | None],
    ) -> None:  # fmt: skip
        self.counters = Counters()
        self._framed = SyslogReader(tables, hosts, stamps, host)
        self._framed.counters = self.counters
        self._host = host
        self._recognise = recognise
        self._inner: dict[str, tuple[str, Any]] = {}
        """Host and stream of a log within to its format and reader."""
        self._next_try: dict[str, int] = {}
        """Logs that no format was found for: after how many lines it is worth a look again."""
        self._parts: dict[str, str] = {}
        """Lines of which more is to come."""
        self.seen: dict[str, Seen] | None = None
        """As of SyslogReader."""
        self.log = ""

    def hosts(self) -> set[str]:
        """Hosts of the syslog lines that were read, as far as a format claims them."""
        readers = [self._framed, *(reader for _, reader in self._inner.values())]
        return {host for reader in readers if isinstance(reader, SyslogReader) for host in reader.hosts()}

    def state(self) -> dict[str, Any]:
        """What must be known to go on in the middle of the log."""
        inner = {
            key: [label, reader.state() if hasattr(reader, "state") else {}]
            for key, (label, reader) in self._inner.items()
        }
        return {"inner": inner, "parts": dict(self._parts)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with what `state()` gave."""
        self._parts = {str(key): str(text) for key, text in state.get("parts", {}).items()}
        for key, (label, kept) in state.get("inner", {}).items():
            found = self._recognise(b"", key.partition("\t")[0] or self._host, label)
            if found is not None:
                self._take(key, found)
                if kept:
                    found[1].restore(kept)

    def feed(self, data: bytes, base: int, fold: Fold) -> None:
        """Read a chunk of whole lines; `base` is the position of its first byte."""
        lines = list(zip(*placed(data, base), strict=False))
        found = [(line, here, unwrap(line)) for line, here in lines if line and line != "\r"]
        self._look(found)
        for line, here, enclosed in found:
            if enclosed is None:
                self.counters.lines += 1
                self.counters.miss(line)
            else:
                self._one(enclosed, line, here, fold)

    def _one(self, enclosed: Enclosed, line: str, here: int, fold: Fold) -> None:
        key = f"{enclosed.host}\t{enclosed.stream}"
        text = self._parts.pop(key, "") + enclosed.text
        if not enclosed.whole and len(text) < _PART_CAP:
            self._parts[key] = text
            self.counters.lines += 1
            return
        reader = self._framed if enclosed.framed else self._inner.get(key, (None, None))[1]
        if reader is None:
            self.counters.lines += 1
            if self._inner:
                self.counters.foreign += 1
            else:
                self.counters.miss(line)
            return
        if isinstance(reader, SyslogReader):
            reader.seen, reader.log = self.seen, self.log
        for one in text.split("\n"):
            # each at the position of its envelope, which is what can be shown again
            reader.feed(one.encode("utf-8", "replace") + b"\n", here, fold)

    def _look(self, found: list[tuple[str, int, Enclosed | None]]) -> None:
        """Find the formats of logs that came new in a chunk."""
        heads: dict[str, list[str]] = {}
        for _, _, enclosed in found:
            if enclosed is not None and not enclosed.framed and enclosed.whole:
                key = f"{enclosed.host}\t{enclosed.stream}"
                if key not in self._inner:
                    heads.setdefault(key, []).append(enclosed.text)
        for key, texts in heads.items():
            after = self._next_try.get(key, 0)
            if after == 0 and len(self._next_try) + len(self._inner) >= _STREAMS:
                continue
            if after > len(texts):
                self._next_try[key] = after - len(texts)
                continue
            host = key.partition("\t")[0] or self._host
            recognised = self._recognise("\n".join(texts).encode("utf-8", "replace") + b"\n", host, None)
            if recognised is not None:
                self._next_try.pop(key, None)
                self._take(key, recognised)
            else:
                self._next_try[key] = max(2 * len(texts), 2 * after, 8)

    def _take(self, key: str, found: tuple[str, Any]) -> None:
        found[1].counters = self.counters
        self._inner[key] = found
