"""One log as one stream: nothing lost, nothing doubled, whatever a rotation does to its files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowmon.sources import LogStream, family
from tests.sources.folder import LogFolder, take, take_chunks


def test_lines_are_whole_and_know_their_place(log: LogFolder) -> None:
    written = log.append(5000)
    stream = log.stream()
    chunks = take_chunks(stream)
    assert b"".join(chunk.data for chunk in chunks) == written
    assert len(chunks) == 2
    assert all(chunk.data.endswith(b"\n") and len(chunk.data) <= 262144 for chunk in chunks)
    assert [chunk.offset for chunk in chunks] == [0, len(chunks[0].data)]
    assert {chunk.path for chunk in chunks} == {str(log.live)}
    assert stream.size == len(written)
    assert stream.lag_bytes == 0


def test_a_partial_last_line_waits_for_its_end_or_for_final(log: LogFolder) -> None:
    log.live.write_bytes(b"one\ntw")
    stream = log.stream()
    assert take(stream) == b"one\n"
    with log.live.open("ab") as live:
        live.write(b"o\nthree")
    assert take(stream) == b"two\n"
    assert take(stream, final=True) == b"three"
    assert take(stream, final=True) == b""


def test_line_ends_and_byte_order_mark_are_kept(log: LogFolder) -> None:
    data = b"\xef\xbb\xbf#Software: a\r\nb\r\n\r\nc\n"
    log.live.write_bytes(data)
    assert take(log.stream()) == data


def test_rename_with_late_lines(log: LogFolder) -> None:
    written = log.append(3)
    stream = log.stream()
    assert take(stream) == written
    written = log.append(1)
    log.rotate()
    written += log.append(2, log.folder / "mail.log.1")
    assert take(stream) == written
    log.live.touch()
    late = log.append(1, log.folder / "mail.log.1")
    assert take(stream) == late
    new = log.append(2)
    assert take(stream) == new
    very_late = log.append(1, log.folder / "mail.log.1")
    last = log.append(1)
    assert sorted([take(stream)]) in ([very_late + last], [last + very_late])


def test_a_rotated_file_without_a_line_end_is_finished(log: LogFolder) -> None:
    log.live.write_bytes(b"one\ntwo")
    stream = log.stream()
    assert take(stream) == b"one\n"
    log.rotate()
    log.live.write_bytes(b"three\n")
    assert [chunk.data for chunk in take_chunks(stream)] == [b"two", b"three\n"]


@pytest.mark.parametrize("refill", [0, 1, 100], ids=["empty", "shorter", "past the offset"])
def test_copytruncate(log: LogFolder, refill: int) -> None:
    written = log.append(10)
    stream = log.stream()
    assert take(stream) == written
    unread = log.append(3)
    log.copytruncate()
    new = log.append(refill) if refill else b""
    assert take(stream) == unread + new
    assert stream.notice is None
    more = log.append(1)
    assert take(stream) == more


def test_a_deleted_log_is_told_until_there_is_a_new_one(log: LogFolder) -> None:
    log.live.write_bytes(b"one\n")
    stream = log.stream()
    assert take(stream) == b"one\n"
    with log.live.open("ab") as writer:
        log.live.unlink()
        assert take(stream) == b""
        assert stream.error is not None
        assert "was deleted" in stream.error
        assert "open its log anew" in stream.error
        writer.write(b"two\n")
        writer.flush()
        assert take(stream) == b"two\n"
    log.live.write_bytes(b"three\n")
    assert take(stream) == b"three\n"
    assert stream.error is None


@pytest.mark.parametrize("copied", [False, True])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_deleted_log_is_not_looked_for_at_each_read(
    log: LogFolder, monkeypatch: pytest.MonkeyPatch, copied: bool, restarted: bool
) -> None:
    log.append(2000)
    log.rotate()
    log.append(1)
    first = log.stream()
    take(first)
    if copied:
        log.rotate()
        log.pack(1)
    else:
        log.live.unlink()
    os.utime(log.folder, (0, 0))  # at rest: a listing holds
    monkeypatch.setattr(family, "_LISTING_SECONDS", 3600.0)
    stream = log.stream() if restarted else first
    if restarted:
        stream.seek(first.position())
    assert take(stream) == b""

    def refuse(path: str, _flags: int) -> int:
        raise AssertionError(f"{path} is opened again")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        assert [(stream.read(), stream.lag_bytes) for _ in range(3)] == [(None, stream.lag_bytes)] * 3
    new = log.append(1)
    assert take(stream) == new


def test_emptied_without_a_copy(log: LogFolder) -> None:
    log.append(10)
    stream = log.stream()
    take(stream)
    place = stream.position()
    os.truncate(log.live, 0)
    assert take(stream) == b""
    assert stream.position() is not None
    new = log.append(2)
    assert take(stream) == new
    assert "no copy" in str(stream.notice)
    later = log.stream()
    later.seek(place)
    assert take(later) == new
    assert "gone" in str(later.notice)


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
def test_history_in_order_as_one_stream(log: LogFolder, ending: str) -> None:
    written = b""
    for _ in range(12):
        written += log.append(50)
        log.rotate()
    written += log.append(50)
    for number in range(2, 13):
        log.pack(number, ending)
    stream = log.stream()
    assert stream.lag_bytes == stream.size > 0
    chunks = take_chunks(stream)
    assert b"".join(chunk.data for chunk in chunks) == written
    assert chunks[0].path.endswith(f"mail.log.12{ending}")
    assert stream.lag_bytes == 0


def test_dated_history_in_order(log: LogFolder) -> None:
    older = log.append(2, log.folder / "mail.log-20261101")
    newer = log.append(2, log.folder / "mail.log-20261108-0200")
    live = log.append(2)
    log.folder.joinpath("mail.log-20261101.gz").write_bytes(b"being made: its file is still there")
    assert take(log.stream()) == older + newer + live


def test_a_copy_being_made_is_not_read_twice(log: LogFolder) -> None:
    written = log.append(10)
    (log.folder / "mail.log.1").write_bytes(written[:300])
    assert take(log.stream()) == written


def test_exchange_files_of_one_prefix_are_one_stream(log: LogFolder) -> None:
    names = ["MSGTRK2026112409-1.LOG", "MSGTRK2026112410-2.LOG", "MSGTRK2026112410-10.LOG"]
    log.append(1, log.folder / "MSGTRKMD2026112408-1.LOG")
    written = b"".join(log.append(2, log.folder / name) for name in names)
    stream = log.stream("MSGTRK*.LOG")
    assert take(stream) == written
    new = log.append(1, log.folder / "MSGTRK2026112411-1.LOG")
    assert take(stream) == new


@pytest.mark.parametrize(
    "move", ["none", "rename", "rename twice", "compress", "copytruncate", "copytruncate, compress"]
)
@pytest.mark.parametrize("read", [7, 20])
def test_resume_finds_its_place_again(log: LogFolder, move: str, read: int) -> None:
    log.append(read)
    stream = log.stream()
    take(stream)
    place = stream.position()
    stream.close()
    unread = log.append(3)
    if move.startswith("rename"):
        log.rotate()
        unread += log.append(2)
    if move == "rename twice":
        log.rotate()
        unread += log.append(2)
    if move.startswith("copytruncate"):
        log.copytruncate()
        unread += log.append(30)
    if move == "compress":
        log.rotate()
    if move.endswith("compress"):
        log.pack(1)
        unread += log.append(2)
    again = log.stream()
    again.seek(place)
    assert take(again) == unread
    assert again.notice is None


def test_compressed_while_it_is_read(log: LogFolder) -> None:
    written = log.append(4000)
    log.rotate()
    written += log.append(2)
    stream = log.stream()
    first = stream.read(1000)
    assert first is not None
    log.pack(1)
    assert first.data + take(stream) == written


def test_a_lost_place_starts_at_the_oldest_unread_file(log: LogFolder) -> None:
    log.append(2)
    os.utime(log.live, (1_000_000, 1_000_000))
    log.rotate()
    log.append(2)
    os.utime(log.live, (2_000_000, 2_000_000))
    stream = log.stream()
    take(stream)
    place = stream.position()
    stream.close()
    log.live.unlink()
    new = log.append(2)
    again = log.stream()
    again.seek(place)
    assert take(again) == new
    assert "gone" in str(again.notice)


def test_an_overlong_line_is_clipped_and_the_next_is_whole(log: LogFolder) -> None:
    log.live.write_bytes(b"before\n" + b"x" * 300_000 + b"\nafter\n" + b"y" * 65535 + b"\n")
    stream = log.stream()
    chunks = take_chunks(stream)
    assert [(chunk.offset, len(chunk.data)) for chunk in chunks] == [(0, 7), (7, 65536), (300_008, 6 + 65536)]
    assert chunks[1].data == b"x" * 65535 + b"\n"
    assert stream.clipped == 1
    assert "64 KiB" in str(stream.notice)


def test_a_clipped_line_stays_clipped_over_a_restart(log: LogFolder) -> None:
    log.live.write_bytes(b"x" * 100_000)
    stream = log.stream()
    assert len(take(stream)) == 65536
    place = stream.position()
    with log.live.open("ab") as live:
        live.write(b"x" * 100_000 + b"\nnext\n")
    again = log.stream()
    again.seek(place)
    assert take(again) == b"next\n"


@pytest.mark.parametrize("limit", [1, 16, 70_000])
def test_a_small_limit_still_gives_whole_lines(log: LogFolder, limit: int) -> None:
    written = log.append(20) + b"z" * 60_000 + b"\n"
    log.live.write_bytes(written)
    assert take(log.stream(), limit=limit) == written


def test_binary_is_refused(log: LogFolder) -> None:
    log.live.write_bytes(b"\x7fELF\0\0\0")
    stream = log.stream()
    assert stream.read() is None
    assert "is not a text log" in str(stream.error)


def test_a_folder_in_its_place(log: LogFolder) -> None:
    log.live.mkdir()
    stream = log.stream()
    assert stream.read() is None
    assert "a folder stands" in str(stream.error)


def test_permission_denied_says_what_to_do_and_goes_away(log: LogFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    written = log.append(2)
    stream = log.stream()

    def refuse(path: str, _flags: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        assert stream.read() is None
    assert "sudo usermod -aG adm" in str(stream.error)
    assert take(stream) == written
    assert stream.error is None


def test_a_damaged_file_of_the_past_is_told_and_passed(log: LogFolder) -> None:
    old = log.append(4000)
    log.rotate()
    log.pack(1)
    packed = log.folder / "mail.log.1.gz"
    packed.write_bytes(packed.read_bytes()[:-2000])
    live = log.append(2)
    stream = log.stream()
    got = take(stream)
    assert got.endswith(live)
    assert len(got) > len(old) / 2
    assert old.startswith(got[: -len(live)].rpartition(b"\n")[0])
    assert "damaged" in str(stream.notice)
    (log.folder / "mail.log.2.gz").write_bytes(b"no gzip at all")
    stream = log.stream()
    assert take(stream).endswith(live)
    assert "left out" in str(stream.notice)


def test_a_log_that_does_not_exist_yet(tmp_path: Path) -> None:
    with LogStream(str(tmp_path / "later.log")) as stream:
        assert stream.read() is None
        assert stream.position() is None
        (tmp_path / "later.log").write_bytes(b"a\n")
        assert take(stream) == b"a\n"
