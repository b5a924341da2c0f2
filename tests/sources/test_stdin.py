"""Lines from a pipe: whole, in order, without waiting."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowmon.sources import StdinStream


@pytest.fixture
def pipe() -> Iterator[tuple[StdinStream, int]]:
    reading, writing = os.pipe()
    stream = StdinStream(reading)
    yield stream, writing
    stream.close()


def test_whole_lines_without_waiting(pipe: tuple[StdinStream, int]) -> None:
    stream, writing = pipe
    assert stream.read() is None
    assert stream.position() is None
    os.write(writing, b"one\r\ntwo\nthr")
    chunk = stream.read()
    assert chunk is not None
    assert (chunk.path, chunk.offset, chunk.data) == ("-", 0, b"one\r\ntwo\n")
    assert stream.read() is None
    os.write(writing, b"ee")
    os.close(writing)
    last = stream.read()
    assert last is not None
    assert (last.offset, last.data) == (9, b"three")
    assert stream.read() is None
    assert stream.ended
    position = stream.position()
    assert position is not None
    assert position.offset == 14


def test_an_overlong_line_is_clipped(pipe: tuple[StdinStream, int]) -> None:
    stream, writing = pipe
    got = []
    for piece in (b"a\n", b"x" * 60_000, b"x" * 60_000, b"x" * 60_000, b"x\nb\n"):
        os.write(writing, piece)
        while (chunk := stream.read()) is not None:
            got.append((chunk.offset, chunk.data))
    os.close(writing)
    assert got == [(0, b"a\n"), (2, b"x" * 65535 + b"\n"), (180_004, b"b\n")]
    assert stream.clipped == 1


def test_a_file_as_standard_input(tmp_path: Path) -> None:
    data = b"".join(b"line %05d\n" % number for number in range(100_000))
    (tmp_path / "log").write_bytes(data)
    stream = StdinStream(os.open(tmp_path / "log", os.O_RDONLY))
    got = b""
    while (chunk := stream.read()) is not None:
        assert chunk.data.endswith(b"\n")
        got += chunk.data
    assert got == data
    assert stream.ended
    stream.close()


def test_binary_is_refused_and_a_place_cannot_be_found_again(pipe: tuple[StdinStream, int]) -> None:
    stream, writing = pipe
    os.write(writing, b"\x1f\x8b\x08\0\0")
    os.close(writing)
    assert stream.read() is None
    assert stream.ended
    assert "standard input is not a text log" in str(stream.error)
    other = StdinStream(os.open(os.devnull, os.O_RDONLY))
    other.seek(None)
    assert other.notice is None
    assert other.read() is None
    assert other.ended
    other.close()
