"""A store that cannot be written, or that is not ours: what is told, and that nothing is lost."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from flowmon.errors import StoreError
from flowmon.store.lock import collector_runs
from flowmon.store.reader import SqliteReader
from flowmon.store.writer import Writer
from tests.golden import live, reading


def _set_version(store: Path, version: int) -> None:
    db = sqlite3.connect(store)
    with db:
        db.execute("UPDATE meta SET value = ? WHERE name = 'schema'", (version,))
    db.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the lock of a refused store
def test_other_version(filled: Path) -> None:
    _set_version(filled, 999)
    with pytest.raises(StoreError, match=r"version 999.*move the file away"):
        SqliteReader(filled)
    with pytest.raises(StoreError, match=r"version 999.*move the file away"):
        Writer(filled)


def test_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"none\.db: cannot be opened.*flowmon collect"):
        SqliteReader(tmp_path / "none.db")


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"this is a letter, and no database\n" * 100)
    with pytest.raises(StoreError, match=r"store\.db"):
        SqliteReader(path)
    with pytest.raises(StoreError, match=r"store\.db.*move it away"):
        Writer(path)
    assert path.read_bytes().startswith(b"this is a letter")


def test_second_collector(tmp_path: Path) -> None:
    first = Writer(tmp_path / "store.db")
    try:
        assert collector_runs(tmp_path / "store.db")
        with pytest.raises(StoreError, match=rf"pid {os.getpid()}\) already writes"):
            Writer(tmp_path / "store.db")
    finally:
        first.close()
    assert not collector_runs(tmp_path / "store.db")
    Writer(tmp_path / "store.db").close()


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"cannot be written.*--store"):
        Writer(tmp_path / "state" / "store.db")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_may_not_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o500)
    with pytest.raises(StoreError, match=r"cannot be written.*--store"):
        Writer(folder / "store.db")


def _limit(writer: Writer, pages: int) -> None:
    writer.db.execute(f"PRAGMA max_page_count={pages}").fetchall()


def _growing(tmp_path: Path, filler: int) -> live.Growing:
    """Logs of a run, with so many further messages that they need room."""
    growing = live.Growing("forked_recipients", tmp_path)
    more = [
        f"2026-11-24T09:30:00.{n:06d}+00:00 gw postfix/smtpd[300]: NOQUEUE: reject: RCPT from c{n}.far.example"
        f"[203.0.113.9]: 554 5.7.1 <x{n}@other.example>: Relay access denied; from=<s{n}@far.example> "
        f"to=<x{n}@other.example> proto=ESMTP helo=<c{n}>\n"
        for n in range(filler)
    ]
    (growing.logs / "gw" / "more.log").write_text("".join(more))
    return growing


def test_full_disk(tmp_path: Path, utc: None) -> None:
    store = tmp_path / "store.db"
    growing = _growing(tmp_path, filler=300)
    growing.grow(400)
    one = live.Live(live.builtin(), store, growing.logs)
    try:
        _limit(one.writer, 40)
        one.fold()
        for _ in range(3):
            with pytest.raises(StoreError, match=r"full.*free some space.*nothing is lost"):
                one.commit()
        reader = SqliteReader(store)
        assert reader.count() == 0  # nothing, rather than a part
        reader.close()
        _limit(one.writer, 1_000_000)
        one.commit()
        growing.grow(1_000_000)
        one.fold()
        one.commit()
    finally:
        one.end()
    reader = SqliteReader(store)
    try:
        found = reading.told(reader)
        assert len(found) == 302
        assert reader.totals().rejected == 300
        wrong = reading.differences(reader, reading.expected("forked_recipients"))
        assert [fault for fault in wrong if not fault.startswith("false: None s")] == []
    finally:
        reader.close()


def test_killed_on_a_full_disk(tmp_path: Path, utc: None) -> None:
    store = tmp_path / "store.db"
    growing = _growing(tmp_path, filler=300)
    growing.grow(1_000_000)
    one = live.Live(live.builtin(), store, growing.logs)
    _limit(one.writer, 40)
    one.fold()
    with pytest.raises(StoreError, match="full"):
        one.commit()
    one.end()
    one = live.Live(live.builtin(), store, growing.logs)
    one.fold()
    one.commit()
    one.end()
    reader = SqliteReader(store)
    try:
        assert (reader.count(), reader.totals().rejected) == (302, 300)
    finally:
        reader.close()


def test_retention_keeps_what_is_open(filled: Path) -> None:
    writer = Writer(filled)
    writer.retain(before=4e9, megabytes=1000)
    writer.close()
    reader = SqliteReader(filled)
    try:
        assert sorted(str(row.status) for row in reader.rows()) == ["bounced", "held"]  # a recipient of the first waits
    finally:
        reader.close()
