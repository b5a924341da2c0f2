"""Raw lines from their files: read where the store points to, or the reason why they cannot be."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import aiofiles

from flowmon.model.answers import Evidence
from flowmon.sources.file_names import original
from flowmon.sources.packing import FAULTS, OPENERS
from flowmon.sources.recoded import ENCODING_BYTES, as_utf8, encoding_of

LONGEST = 65536
"""Bytes of a line that are shown."""
COUNTED_BYTES = 512 * 1024 * 1024
"""So far into a file lines are counted: a third of a second."""


@dataclass(frozen=True)
class RawLine:
    """One log line, or why it is not here."""

    evidence: Evidence
    text: str | None
    missing: str | None = None
    """Why there is no text, in plain words."""
    line_number: int | None = None
    """Of the line in its file, from 1; None where it was not counted."""
    rule: str | None = None
    """Format and rule that read the line."""


RuleOf = Callable[[str], str | None]
"""Names the format and the rule that read a line; None where no rule reads it by itself."""


async def read_lines(evidence: Sequence[Evidence]) -> list[RawLine]:
    """The text of each line: the kept one, else what its file holds at its offset."""
    return [await _read(one) for one in evidence]


async def explained(lines: list[RawLine], rule_of: RuleOf) -> list[RawLine]:
    """The same lines with their numbers and rules, which take longer to find than the lines."""
    return await asyncio.to_thread(_explained, lines, rule_of)


def _explained(lines: list[RawLine], rule_of: RuleOf) -> list[RawLine]:
    numbers: dict[tuple[str, int], int] = {}
    for path in {line.evidence.path for line in lines if line.text is not None}:
        offsets = sorted({line.evidence.offset for line in lines if line.evidence.path == path})
        with contextlib.suppress(*FAULTS):  # without a number the line stands
            counted = line_numbers(Path(original(path)), offsets)
            numbers.update(((path, offset), number) for offset, number in counted.items())
    return [
        line if line.text is None else replace(
            line, line_number=numbers.get((line.evidence.path, line.evidence.offset)), rule=rule_of(line.text),
        )
        for line in lines
    ]


def line_numbers(path: Path, offsets: Sequence[int]) -> dict[int, int]:
    """Numbers of the lines that begin at these offsets (rising), from 1. Those beyond COUNTED_BYTES have none."""
    found: dict[int, int] = {}
    opener = OPENERS.get(path.suffix)
    with opener(path) if opener is not None else path.open("rb") as file:
        at, number = 0, 1
        for offset in offsets:
            if offset > COUNTED_BYTES:
                break
            while at < offset:
                block = file.read(min(1 << 20, offset - at))
                if not block:
                    return found
                at += len(block)
                number += block.count(b"\n")
            found[offset] = number
    return found


async def _read(one: Evidence) -> RawLine:
    if one.text is not None:
        return RawLine(one, one.text)
    try:
        found = await _from_file(Path(original(one.path)), one.offset)
    except FileNotFoundError:
        return RawLine(one, None, "the file is gone (rotated away or deleted), and the line was not kept")
    except PermissionError:
        return RawLine(one, None, "the file may not be read by this account (it may need the group adm)")
    except FAULTS as error:
        return RawLine(one, None, f"the file cannot be read: {error}")
    if found is None:
        return RawLine(one, None, "the file has changed: no line begins at this place any more")
    return RawLine(one, found.decode("utf-8", "replace").rstrip("\r\n"))


async def _from_file(path: Path, offset: int) -> bytes | None:
    """The line at an offset; None where no line begins there."""
    opener = OPENERS.get(path.suffix)
    if opener is not None:
        return await asyncio.to_thread(_from_packed, opener(path), offset)
    async with aiofiles.open(path, "rb") as file:
        encoding = encoding_of(await file.read(ENCODING_BYTES))
        if encoding is not None:
            return await asyncio.to_thread(_from_packed, as_utf8(path.open("rb"), encoding), offset)
        await file.seek(max(0, offset - 1))
        if offset and await file.read(1) != b"\n":
            return None
        return await file.readline(LONGEST) or None


def _from_packed(file: IO[bytes], offset: int) -> bytes | None:
    with file:
        file.seek(max(0, offset - 1))
        if offset and file.read(1) != b"\n":
            return None
        return file.readline(LONGEST) or None
