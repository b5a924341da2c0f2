"""The catalogue: all formats that are in force, and which of them a log is written in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import tzinfo
from pathlib import Path
from typing import Protocol

from flowmon.errors import ParserFileError
from flowmon.parsing import envelope
from flowmon.parsing.dispatch import Fold, Table
from flowmon.parsing.envelope import EnvelopeReader
from flowmon.parsing.format import Format, load
from flowmon.parsing.headed import HeaderReader
from flowmon.parsing.plugins import Begin, PluginReader, load_plugins
from flowmon.parsing.reader import Counters, SyslogReader
from flowmon.parsing.records import RecordReader
from flowmon.parsing.stamps import Stamps

_SYSLOG = "syslog"
"""How a log of many programs is called where others have the name of their format."""
RECOGNISE_BYTES = 65_536
"""How much of a log is looked at to recognise its format."""


class Hosts(Protocol):
    """Gives a host its one name."""

    def name(self, raw: str) -> str: ...


class LineReader(Protocol):
    """A framing at work on one log."""

    counters: Counters

    def feed(self, data: bytes, base: int, fold: Fold) -> None:
        """Read a chunk of whole lines; `base` is the position of its first byte."""
        ...


class Catalogue:
    """Formats by name. A later one of the same name replaces an earlier one, as a whole."""

    def __init__(self) -> None:
        self.formats: dict[str, Format] = {}
        self.rejected: list[str] = []
        """Why a file was not taken: each names the file, the place and the remedy."""
        self._tables: dict[str, Table | None] = {}
        self.plugins: dict[str, Begin] = {}
        """Formats that are functions of other packages, by name."""

    def add_folder(self, folder: Path, *, trusted: bool) -> None:
        """Take every *.toml of a folder, in order of name; a faulty file is kept in `rejected`, the others go on."""
        if not folder.is_dir():
            return
        for path in sorted(folder.glob("*.toml")):
            self.add_file(path, trusted=trusted)

    def add_file(self, path: Path, *, trusted: bool) -> None:
        """Take one file. A user's own (not trusted) must prove itself by its samples first."""
        try:
            format = load(path, trusted=trusted)
            if not trusted:
                from flowmon.parsing.check import faults

                wrong = faults(format, thorough=False)  # what is slow nevertheless is stopped as it reads
                if wrong:
                    raise ParserFileError(wrong[0])
        except ParserFileError as fault:
            self.rejected.append(str(fault))
            return
        self.formats.pop(format.name, None)
        self.formats[format.name] = format
        self._tables.clear()

    def switched_off(self) -> list[str]:
        """Patterns of users' files that were switched off while reading, each with the remedy."""
        return [told for format in self.formats.values() if not format.trusted for told in format.switched_off()]

    def names(self) -> set[str]:
        """Formats that a reader can be had of without lines to recognise them by."""
        return {*self.formats, *self.plugins, envelope.NAME}

    def endless(self) -> frozenset[str]:
        """Formats whose logs do not say when a server is done with a message."""
        return frozenset(
            f.name for f in self.formats.values() if not f.spec.ends or not any(r.kind == "ended" for r in f.spec.rule)
        ) | {name for name, begin in self.plugins.items() if not getattr(begin, "ends", False)}

    def table(self, program: str) -> Table | None:
        """The rules for a syslog program; None when no format claims it."""
        try:
            return self._tables[program]
        except KeyError:
            pass
        # a name says more than a pattern: Postfix has `*/smtp`
        found = next((f for f in self._syslog_formats() if program in f.spec.programs), None)
        found = found or next((f for f in self._syslog_formats() if f.claims(program)), None)
        if found is None:
            table = None
        else:
            _, slash, last = program.rpartition("/")
            table = Table(found, last if slash else (None if "/" in "".join(found.spec.programs) else program))
        self._tables[program] = table
        return table

    def _syslog_formats(self) -> Iterable[Format]:
        return (f for f in reversed(self.formats.values()) if f.spec.programs)

    def reader(self, data: bytes, *, hosts: Hosts, host: str, zone: tzinfo | None, reference: float | None = None,
               before: float | None = None, name: str | None = None, named: bool = True, enclosing: bool = True
               ) -> tuple[str, LineReader] | None:
        """A reader for the log that begins with `data`, and the name of what was recognised.

        `named`: the user named the host; else the name of a service goes before it.
        `name` overrides the recognition: a format's name. `reference` is the epoch time that settles years (default
        now), `before` that of the line before the first one, where it is known. `enclosing`: its lines may be envelopes
        of others. None when nothing fits (yet).
        """
        def stamps() -> Stamps:
            return Stamps(zone, time.time() if reference is None else reference, before)

        if name is not None:
            return name, self._fresh(name, hosts, host, stamps, named=named)
        head = data[:RECOGNISE_BYTES]
        head = head[: head.rfind(b"\n") + 1] or head
        blank = head.count(b"\n\n")
        best: tuple[float, str, LineReader] | None = None
        for label, reader in self._candidates(hosts, host, stamps, head if enclosing else b""):
            try:
                reader.feed(head, 0, _nothing)
            except ParserFileError:
                continue
            counters = reader.counters
            understood = counters.lines - counters.unmatched - counters.foreign
            if isinstance(reader, SyslogReader | HeaderReader):
                understood -= blank  # which they read like any other
            score = understood + counters.foreign * 0.01
            if score > 0 and (best is None or score > best[0]):
                best = (score, label, reader)
        if best is None:
            return None
        return best[1], self._fresh(best[1], hosts, host, stamps, named=named)

    def hosts_in(self, data: bytes, hosts: Hosts) -> set[str]:
        """Hosts that the first lines of a log with syslog headers tell of; empty for another framing."""
        head = data[:RECOGNISE_BYTES]
        reader: SyslogReader | EnvelopeReader
        if _enclosed(head):
            reader = self._enveloped(hosts, "", lambda: Stamps(None, time.time()))
        else:
            reader = SyslogReader(self, hosts, Stamps(None, time.time()), None)
        reader.feed(head[: head.rfind(b"\n") + 1], 0, _nothing)
        return reader.hosts()

    def _named(self, name: str) -> Format:
        try:
            return self.formats[name]
        except KeyError:
            known = ", ".join(sorted([*self.formats, *self.plugins]))
            raise ParserFileError(f"no format is named {name!r}; known: {known}") from None

    def _candidates(
        self, hosts: Hosts, host: str, stamps: Callable[[], Stamps], head: bytes
    ) -> Iterable[tuple[str, LineReader]]:
        framed = [format.name for format in reversed(self.formats.values()) if format.framing != "syslog"]
        for label in (_SYSLOG, *framed, *self.plugins, *((envelope.NAME,) if _enclosed(head) else ())):
            yield label, self._fresh(label, hosts, host, stamps)

    def _fresh(
        self, label: str, hosts: Hosts, host: str, stamps: Callable[[], Stamps], *, named: bool = True
    ) -> LineReader:
        """A reader for a log that is known as `label`. Raises ParserFileError where nothing has this name."""
        if label == _SYSLOG:
            return SyslogReader(self, hosts, stamps(), host)
        if label == envelope.NAME:
            return self._enveloped(hosts, host, stamps)
        if label in self.plugins:
            return PluginReader(label, self.plugins[label], hosts, host, stamps().zone)
        return self._reader_of(self._named(label), hosts, host, stamps(), named=named)

    def _enveloped(self, hosts: Hosts, host: str, stamps: Callable[[], Stamps]) -> EnvelopeReader:
        def recognise(data: bytes, host: str, name: str | None) -> tuple[str, LineReader] | None:
            if name is not None and name != _SYSLOG and name not in self.names():
                return None  # its parser file is gone
            settled = stamps()
            return self.reader(data, hosts=hosts, host=host, zone=settled.zone, reference=settled.reference,
                               name=name, enclosing=False)

        return EnvelopeReader(self, hosts, stamps(), host, recognise)

    def _reader_of(
        self, format: Format, hosts: Hosts, host: str, stamps: Stamps, *, named: bool = True
    ) -> LineReader:
        if format.framing == "syslog":
            return SyslogReader(self, hosts, stamps, host)
        if format.framing == "header":
            return HeaderReader(format, Table(format, None), hosts, stamps, host)
        return RecordReader(format, hosts, stamps, host if named else format.spec.service or host)


def _enclosed(head: bytes) -> bool:
    """Whether the first line of a log looks like an envelope."""
    return envelope.is_envelope(head[: head.find(b"\n")].decode("utf-8", "replace"))


def _nothing(event: object) -> None:
    """Takes events and does nothing with them."""


def builtin(parsers: Path, user_folders: Iterable[Path] = (), user_files: Iterable[Path] = ()) -> Catalogue:
    """The formats shipped with flowmon, then those of installed packages and the user's."""
    catalogue = Catalogue()
    catalogue.add_folder(parsers, trusted=True)
    catalogue.plugins, faults = load_plugins()
    catalogue.rejected += faults
    for folder in user_folders:
        catalogue.add_folder(folder, trusted=False)
    for path in user_files:
        catalogue.add_file(path, trusted=False)
    return catalogue
