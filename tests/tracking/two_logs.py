"""Reads the logs of two hosts, whichever comes first, as a command or a collector does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from flowmon.parsing.catalogue import Catalogue
from flowmon.store.reader import SqliteReader
from tests.golden import live, reading

Line = tuple[float, str]
"""Seconds after ten o'clock, and what stands behind `postfix/`."""
ONCE = "once"
"""In place of the host whose log comes first: both are read in one go, by a command."""
_Told = TypeVar("_Told")


def stamped(lines: Iterable[Line], host: str, *, whole: bool = False) -> str:
    """The text of a Postfix log, in order of time, with stamps of whole seconds or not."""
    return "".join(
        f"2026-11-24T{10 + int(at // 3600):02}:{int(at % 3600 // 60):02}:{at % 60 // 1 if whole else at % 60:09.6f}"
        f"+00:00 {host} postfix/{text}\n" for at, text in sorted(lines)
    )


def tell(
    catalogue: Catalogue, texts: dict[str, str], first: str, what: Callable[[SqliteReader], _Told]
) -> _Told:
    """What is told of logs by host when `first`'s is read before the other is there."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for host, text in texts.items():
            (folder / host).mkdir()
            (folder / host / "mail.log").write_text(text if first in (host, ONCE) else "")
        if first == ONCE:
            with reading.read([f"{host}={folder / host / 'mail.log'}" for host in texts]) as reader:
                return what(reader)
        one = live.Live(catalogue, folder / "store.db", folder)
        try:
            one.fold()
            one.commit()
            for host, text in texts.items():
                if host != first:
                    (folder / host / "mail.log").write_text(text)
            one.fold()
            one.commit()
        finally:
            one.end()
        store = SqliteReader(folder / "store.db")
        try:
            return what(store)
        finally:
            store.close()
