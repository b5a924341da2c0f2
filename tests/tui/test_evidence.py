"""Raw lines: from files, packed files, kept text; and why one is not there."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import pytest

from flowmon.model.answers import Evidence
from flowmon.tui.evidence import explained, read_lines

LINES = b"first\r\nsecond \xff line\nthird"


async def read(path: Path, offset: int, text: str | None = None) -> tuple[str | None, str | None]:
    """Text and excuse of one line."""
    (found,) = await read_lines([Evidence(None, "host", str(path), offset, text)])
    return found.text, found.missing


@pytest.mark.parametrize(("offset", "line"), [(0, "first"), (7, "second \ufffd line"), (21, "third")])
async def test_a_line_at_its_offset(tmp_path: Path, offset: int, line: str) -> None:
    for name, data in {
        "plain.log": LINES, "a.gz": gzip.compress(LINES), "b.bz2": bz2.compress(LINES), "c.xz": lzma.compress(LINES),
    }.items():  # fmt: skip
        (tmp_path / name).write_bytes(data)
        assert await read(tmp_path / name, offset) == (line, None)


async def test_kept_text_needs_no_file(tmp_path: Path) -> None:
    assert await read(tmp_path / "gone.log", 5, "kept") == ("kept", None)


async def test_excuses_are_in_plain_words(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_bytes(LINES)
    (tmp_path / "broken.gz").write_bytes(b"no gzip at all")
    assert "gone" in str((await read(tmp_path / "gone.log", 0))[1])
    assert "has changed" in str((await read(log, 3))[1])
    assert "has changed" in str((await read(log, 4000))[1])
    assert "cannot be read" in str((await read(tmp_path / "broken.gz", 0))[1])
    assert "cannot be read" in str((await read(tmp_path, 0))[1])


async def test_a_line_has_its_number_and_its_rule(tmp_path: Path) -> None:
    log, packed = tmp_path / "mail.log", tmp_path / "mail.log.gz"
    log.write_bytes(b"one\ntwo\nthree\n")
    packed.write_bytes(gzip.compress(log.read_bytes()))
    asked = [Evidence(None, "mx1", str(path), offset, None) for path in (log, packed) for offset in (8, 0)]
    found = await explained(await read_lines(asked), lambda line: f"format: {line}" if line != "one" else None)
    assert [(line.text, line.line_number, line.rule) for line in found] == [
        ("three", 3, "format: three"), ("one", 1, None),
    ] * 2


async def test_a_line_whose_file_is_gone_has_no_number(tmp_path: Path) -> None:
    (line,) = await read_lines([Evidence(None, "mx1", str(tmp_path / "gone.log"), 8, "kept")])
    assert (line.text, line.line_number) == ("kept", None)
