"""Envelopes: lines of a log as a collector of logs wraps them, one JSON object or line for each.

What is known: journald's export and JSON (systemd, "Journal Export Formats"; also over several lines), Docker's
json-file driver, the JSON of Filebeat, Vector, Fluent Bit, rsyslog, GELF and Loki (the line and its host under usual
names), and what is put before a line by Kubernetes' Container Runtime Interface (`TIME stdout F text`),
`docker logs -t`, `docker compose logs` and `kubectl logs --prefix`. The text within is read as the log it comes from:
as it stands where it has a header of its own, else with a syslog header made of the envelope's time, host and program.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from flowmon.parsing.dispatch import Fold
from flowmon.parsing.reader import Counters, SyslogReader, placed
from flowmon.parsing.seen import Seen
from flowmon.parsing.stamps import Stamps
from flowmon.parsing.wrapped import Enclosed, Wrapped, begins_line, enclosed, is_envelope, of_record, unwrap

NAME = "envelope"
"""How the framing is called where other logs have the name of their format."""

_FIELD = re.compile(r"[A-Z_][A-Z0-9_]{0,63}(?:=|$)", re.ASCII)
_STREAMS = 500
"""So many logs are told apart within one envelope."""
_RECORD_LINES = 500
"""So many lines a record of the journal may have."""
_PART_CAP = 1_000_000
"""Characters of a line that comes in parts."""


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
        self._claims: Callable[[str], bool] = lambda program: tables.table(program) is not None
        self._host = host
        self._recognise = recognise
        self._inner: dict[str, tuple[str, Any]] = {}
        """Host and stream of a log within to its format and reader."""
        self._next_try: dict[str, int] = {}
        """Logs that no format was found for: after how many lines it is worth a look again."""
        self._parts: dict[str, tuple[str, int]] = {}
        """Lines of which more is to come, and where they begin."""
        self._record: list[str] = []
        """Lines of a record of the journal over several lines that is still open."""
        self._record_at = 0
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
        return {"inner": inner, "parts": dict(self._parts), "record": list(self._record), "at": self._record_at}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with what `state()` gave."""
        self._parts = {str(key): (str(text), int(here)) for key, (text, here) in state.get("parts", {}).items()}
        self._record, self._record_at = [str(line) for line in state.get("record", ())], int(state.get("at", 0))
        for key, (label, kept) in state.get("inner", {}).items():
            found = self._recognise(b"", key.partition("\t")[0] or self._host, label)
            if found is not None:
                self._take(key, found)
                if kept:
                    found[1].restore(kept)

    def feed(self, data: bytes, base: int, fold: Fold) -> None:
        """Read a chunk of whole lines; `base` is the position of its first byte."""
        found = list(self._joined(self._unwrapped(zip(*placed(data, base), strict=False))))
        self._look(found)
        for line, here, one in found:
            if one is None:
                self.counters.lines += 1
                self.counters.miss(line)
            else:
                self._one(one, line, here, fold)

    def _joined(
        self, found: Iterable[tuple[str, int, Wrapped | None]]
    ) -> Iterable[tuple[str, int, Enclosed | None]]:
        """The same with lines that came in parts put together; each stands where its first part does."""
        for line, here, wrapped in found:
            if wrapped is None:
                yield line, here, None
                continue
            key = wrapped.key()
            text, begin = self._parts.pop(key, ("", here))
            if text and begins_line(wrapped.text):  # the rest of that line never came
                yield line, begin, enclosed(wrapped._replace(text=text), self._claims)
                text, begin = "", here
            text += wrapped.text
            if wrapped.whole or len(text) >= _PART_CAP:
                yield line, begin, enclosed(wrapped._replace(text=text), self._claims)
            else:
                self._parts[key] = (text, begin)

    def _unwrapped(self, lines: Iterable[tuple[str, int]]) -> Iterable[tuple[str, int, Wrapped | None]]:
        """Each envelope, where it stands (one over several lines: its text), and what is in it."""
        for line, here in lines:
            line = line.removesuffix("\r")
            record = self._record
            if line == "{" or (not record and line.startswith("__") and _FIELD.match(line)):
                self._record, self._record_at = [line], here
            elif record and record[0] == "{":
                record.append(line)
                if '"MESSAGE"' in line[:40]:
                    self._record_at = here
                if line == "}" or line == "},":
                    yield self._closed("\n".join(record), unwrap(" ".join(record)))
                elif len(record) > _RECORD_LINES:
                    yield self._closed(line, None)
            elif record:
                if line.startswith("MESSAGE="):
                    self._record_at = here
                if line and len(record) < _RECORD_LINES:
                    record.append(line)
                else:
                    fields = dict(one.partition("=")[::2] for one in record if "=" in one)
                    yield self._closed(fields.get("MESSAGE", record[0]), of_record(fields))
            elif line:
                yield line, here, unwrap(line)

    def _closed(self, text: str, found: Wrapped | None) -> tuple[str, int, Wrapped | None]:
        self._record = []
        return text, self._record_at, found

    def _one(self, enclosed: Enclosed, line: str, here: int, fold: Fold) -> None:
        key = f"{enclosed.host}\t{enclosed.stream}"
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
        for one in enclosed.text.split("\n"):
            # each at the position of its envelope, which is what can be shown again
            reader.feed(one.encode("utf-8", "replace") + b"\n", here, fold)

    def _look(self, found: list[tuple[str, int, Enclosed | None]]) -> None:
        """Find the formats of logs that came new in a chunk."""
        heads: dict[str, list[str]] = {}
        for _, _, one in found:
            if one is not None and not one.framed:
                key = f"{one.host}\t{one.stream}"
                if key not in self._inner:
                    heads.setdefault(key, []).append(one.text)
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


__all__ = ["NAME", "EnvelopeReader", "is_envelope"]
