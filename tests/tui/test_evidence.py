"""Raw lines: from files, packed files, kept text; and why one is not there."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import pytest

from flowmon.model.answers import Evidence
from flowmon.tui.evidence import read_lines

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
