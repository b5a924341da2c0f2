"""The lines that prove a message are found again after their log was rotated, and never those of another file."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowmon.store.batch import Batch
from flowmon.store.evidence import of, read_line
from flowmon.store.reader import SqliteReader
from flowmon.store.rows import make
from tests.golden import live

LINES = [
    f"2026-11-24T09:00:0{n}.000000+00:00 gw postfix/{text}\n"
    for n, text in enumerate((
        "smtpd[7]: 4B1000000: client=c.far.example[203.0.113.9]",
        "qmgr[8]: 4B1000000: from=<a@far.example>, size=9, nrcpt=1 (queue active)",
        "smtp[9]: 4B1000000: to=<b@x.example>, relay=x.example[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, "
        "status=sent (250 ok)",
        "qmgr[8]: 4B1000000: removed",
    ))
]
OTHER = [line.replace("4B1000000", "4C9999999").replace("09:0", "10:0") for line in LINES]


@pytest.fixture
def log(tmp_path: Path, utc: None) -> Path:
    """A log whose only message a collector has read."""
    path = tmp_path / "logs" / "mail.log"
    path.parent.mkdir()
    path.write_text("".join(LINES))
    return path


@pytest.fixture
def reader(log: Path, tmp_path: Path) -> Iterator[SqliteReader]:
    """The answers about it."""
    one = live.Live(live.builtin(), tmp_path / "store.db", log.parent)
    one.fold()
    one.commit()
    one.end()
    opened = SqliteReader(tmp_path / "store.db")
    yield opened
    opened.close()


def _lines(reader: SqliteReader) -> list[tuple[str, str | None]]:
    (row,) = reader.rows()
    detail = reader.detail(row.id)
    assert detail is not None
    return [(line.path, read_line(line)) for line in detail.evidence]


def _all_at(path: Path) -> list[tuple[str, str | None]]:
    return [(str(path), line.rstrip("\n")) for line in LINES]


def test_in_place(reader: SqliteReader, log: Path) -> None:
    assert _lines(reader) == _all_at(log)


def test_renamed_and_begun_anew(reader: SqliteReader, log: Path) -> None:
    old = log.rename(log.with_name("mail.log.1"))
    log.write_text("".join(OTHER))
    assert _lines(reader) == _all_at(old)


def test_copied_and_truncated(reader: SqliteReader, log: Path) -> None:
    copy = log.with_name("mail.log-20261124")
    copy.write_bytes(log.read_bytes())
    inode = log.stat().st_ino
    with log.open("r+") as again:
        again.truncate()
        again.write("".join(OTHER))
    assert log.stat().st_ino == inode
    assert _lines(reader) == _all_at(copy)


def test_packed(reader: SqliteReader, log: Path) -> None:
    packed = log.with_name("mail.log.2.gz")
    packed.write_bytes(gzip.compress(log.read_bytes()))
    log.unlink()
    log.write_text("".join(OTHER))
    assert _lines(reader) == _all_at(packed)


def test_gone_while_another_stands_there(reader: SqliteReader, log: Path) -> None:
    log.rename(log.parent.parent / "elsewhere")
    log.write_text("".join(OTHER))
    assert {text for _, text in _lines(reader)} == {None}
    assert {path for path, _ in _lines(reader)} == {f"{log} (rotated away)"}
    log.unlink()
    assert {path for path, _ in _lines(reader)} == {str(log)}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_may_not_be_read(reader: SqliteReader, log: Path) -> None:
    log.chmod(0)
    assert {path for path, _ in _lines(reader)} == {str(log)}


def test_kept_lines_go_over_to_the_message_that_theirs_was_merged_into(
    log: Path, tmp_path: Path, reader: SqliteReader
) -> None:
    (row,) = reader.rows()
    one = live.Live(live.builtin(), tmp_path / "store.db", log.parent)
    keeper, writer = one.collector.keeper, one.writer
    flow = writer.load(row.id)
    assert flow is not None
    first, *others = flow.hops[0].evidence
    dropped = row.id + 1
    writer.commit(Batch(lines=[(first, dropped, "kept"), (others[-1] + 1, dropped, "of nothing")]))
    writer.commit(Batch(rows=[make(flow, keeper.known, keeper.now)], gone=[dropped]))
    assert writer.db.execute("SELECT * FROM lines").fetchall() == [(first, row.id, b"kept")]
    assert of(flow, lambda sql, given: writer.db.execute(sql, given).fetchall(), bytes)[0].text == "kept"
    one.end()


def test_a_file_name_that_is_not_utf_8(tmp_path: Path, utc: None) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    log = Path(os.fsdecode(os.fsencode(folder) + b"/mail\xff.log"))
    for begin, end in ((0, 2), (2, 4)):  # the second collector goes on where the first one ended
        with log.open("a") as growing:
            growing.write("".join(LINES[begin:end]))
        one = live.Live(live.builtin(), tmp_path / "store.db", folder)
        one.fold()
        one.commit()
        one.end()
    reader = SqliteReader(tmp_path / "store.db")
    assert [source.path for source in reader.sources()] == [f"{folder}/mail\\xff.log"]
    assert [source.lines for source in reader.sources()] == [4]
    assert _lines(reader) == _all_at(folder / "mail\\xff.log")
    reader.close()
