"""Runs of NUL bytes in a log, as a power failure leaves them: what stands around them is read, and they are told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowmon.model.answers import Evidence
from flowmon.sources import discover
from flowmon.sources.faults import not_text
from flowmon.sources.pipe import StdinStream
from flowmon.store.evidence import read_line
from tests.sources.folder import LogFolder

LINE = b"Nov 24 10:44:26 mx postfix/smtpd[1]: connect from client.example.org[192.0.2.1]\n"
OTHER = b"Nov 24 10:44:27 mx postfix/smtpd[1]: disconnect from client.example.org[192.0.2.1]\n"
TORN = b"Nov 24 10:44:26 mx postfix/sm"


def chunks_of(log: LogFolder, limit: int = 4096) -> tuple[list[tuple[int, bytes]], str | None]:
    stream = log.stream()
    found = []
    while (chunk := stream.read(limit, final=True)) is not None:
        found.append((chunk.offset, chunk.data))
    assert stream.error is None
    return found, stream.notice


@pytest.mark.parametrize("count", [2, 64, 5000, 200_000])
@pytest.mark.parametrize("limit", [1, 4096, 262_144])
def test_a_gap_ends_a_line_and_is_told(log: LogFolder, count: int, limit: int) -> None:
    log.live.write_bytes(LINE + TORN + b"\0" * count + OTHER)
    found, notice = chunks_of(log, limit)
    assert found == [(0, LINE), (len(LINE), TORN + b"\n"), (len(LINE + TORN) + count, OTHER)]
    assert "NUL bytes" in str(notice)


@pytest.mark.parametrize("count", [1, 64, 9000, 70_000, 3_000_000])
def test_a_log_that_begins_with_a_gap(log: LogFolder, count: int) -> None:
    log.live.write_bytes(b"\0" * count + LINE + OTHER)
    found, notice = chunks_of(log)
    assert found == [(count, LINE + OTHER)]
    assert "NUL bytes" in str(notice)


def test_reading_goes_on_behind_a_gap_after_a_restart(log: LogFolder) -> None:
    log.live.write_bytes(LINE + b"\0" * 70_000 + OTHER)
    stream = log.stream()
    assert stream.read() is not None
    assert stream.read() is not None
    place = stream.position()
    with log.live.open("ab") as live:
        live.write(LINE)
    again = log.stream()
    again.seek(place)
    chunk = again.read()
    assert chunk is not None
    assert chunk.data == LINE


def test_a_gap_at_the_end_may_still_be_filled(log: LogFolder) -> None:
    log.live.write_bytes(4 * LINE + b"\0" * len(OTHER))
    stream = log.stream()
    first = stream.read()
    assert first is not None
    assert first.data == 4 * LINE
    assert stream.read() is None
    log.live.write_bytes(4 * LINE + OTHER)
    second = stream.read()
    assert second is not None
    assert second.data == OTHER
    assert stream.notice is None


def test_a_letter_that_went_wrong_stays_in_its_line(log: LogFolder) -> None:
    wrong = LINE.replace(b"client", b"cli\0nt")
    log.live.write_bytes(LINE + wrong + OTHER)
    assert chunks_of(log) == ([(0, LINE + wrong + OTHER)], None)


def test_the_line_behind_a_gap_can_be_shown(log: LogFolder) -> None:
    log.live.write_bytes(TORN + b"\0" * 64 + OTHER)
    shown = [
        read_line(Evidence(at=None, host="mx", path=str(log.live), offset=offset, text=None))
        for offset in (0, len(TORN) + 64)
    ]
    assert shown == [TORN.decode(), OTHER.decode().rstrip()]


@pytest.mark.parametrize("data", [
    b"\x7fELF\2\1\0\0\0\0", "Nov 24 10:44:26 mx\n".encode("utf-16-le") * 20, b"SQLite format 3\0\x10\0\1\1\n\n",
    b"\0" * 300, b"mail.log" + b"\0" * 249 + b"ustar\0" + b"\0" * 249 + LINE,
], ids=["program", "utf-16", "sqlite", "only-nuls", "tar"])  # fmt: skip
def test_a_binary_file_is_refused(data: bytes) -> None:
    assert "binary data" in str(not_text("x", data))


def test_a_pipe_passes_over_them_too() -> None:
    reading, writing = os.pipe()
    os.write(writing, LINE + TORN + b"\0" * 64 + OTHER + b"\0" * 10)
    os.close(writing)
    stream = StdinStream(reading)
    found = []
    while not stream.ended:
        chunk = stream.read(final=True)
        if chunk is not None:
            found.append((chunk.offset, chunk.data))
    assert found == [(0, LINE), (len(LINE), TORN + b"\n"), (len(LINE + TORN) + 64, OTHER)]
    assert "NUL bytes" in str(stream.notice)
    stream.close()


def test_a_binary_log_in_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "mail.log").write_bytes(b"\x7fELF\0\0\1")
    (tmp_path / "wtmp").write_bytes(b"\7\0\0\0")
    (tmp_path / "maillog").write_bytes(LINE)
    problems = discover([str(tmp_path)]).problems
    assert any("mail.log is not a text log" in problem for problem in problems)
    assert not any("wtmp" in problem for problem in problems)
    (tmp_path / "mail.log").unlink()
    (tmp_path / "maillog").unlink()
    alone = discover([str(tmp_path)]).problems
    assert len(alone) == 1
    assert "wtmp is not a text log" in alone[0]
