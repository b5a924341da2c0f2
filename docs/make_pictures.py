"""Make docs/pictures/*.svg anew: the real screens on the recorded run that comes with flowmon.

    .venv/bin/python docs/make_pictures.py [FOLDER]

The whole recording is read, and the clock stands at its last line: so the pictures come out the same each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from flowmon import paths
from flowmon.commands import demo, opening
from flowmon.config import Config
from flowmon.model.answers import SourceRow
from flowmon.store.protocol import Reader
from flowmon.store.reader import SqliteReader

if TYPE_CHECKING:
    from textual.pilot import Pilot

SIZE = (120, 40)
UNTIL = "22:23:20"
"""The pictures show the recording at this moment: the partner's server refuses, and its queue grows."""
NEVER = 3600.0
"""Seconds between looks at the store: nothing changes in it."""
SCREENS: dict[str, tuple[str, tuple[str, ...]]] = {
    "overview": ("", ()),
    "queues": ("", ("2",)),
    "messages": ("", ("3", "down", "down")),
    "message": ("to:@partner.example reason:refused", ("3", "enter")),
    "problems": ("", ("4",)),
    "sources": ("", ("5", "down")),
}
"""By name of the picture: the filter, and the keys that lead to the screen."""
_FONT_FACE = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
"""A picture asks no other server for its letters."""
_TEXT = re.compile(r'x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"([^>]*)>((?:&#160;)*)(.*?)((?:&#160;)*)</text>')
_CELL = 12.2
"""Width of a character in the pictures."""


class Recorded(SqliteReader):
    """The store as it was when the recording ended."""

    def sources(self) -> list[SourceRow]:
        return [msgspec.structs.replace(row, read_at=row.last_line_at) for row in super().sources()]


def robust(svg: str) -> str:
    """The same picture for every renderer: some drop the blanks at both ends of a text and stretch the rest."""

    def without_blanks(found: re.Match[str]) -> str:
        before, after = len(found[5]) // 6, len(found[7]) // 6
        x = round(float(found[1]) + before * _CELL, 1)
        length = round(float(found[3]) - (before + after) * _CELL, 1)
        return f'x="{x}" y="{found[2]}" textLength="{length}"{found[4]}>{found[6]}</text>'

    return _TEXT.sub(without_blanks, _FONT_FACE.sub("", svg))


def unpack(folder: Path) -> None:
    """Write the recording's logs below a folder."""
    for line in demo.recording(paths.data_folder("demo")):
        if f"{line.at:%H:%M:%S}" > UNTIL:
            break
        path = folder / line.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as out:
            out.write(line.data)


async def settle(pilot: Pilot[None]) -> None:
    """Let every question be answered and shown."""
    for _ in range(3):
        await pilot.pause(0)
        await pilot.app.workers.wait_for_complete()
    await pilot.pause(0)


async def picture(reader: Reader, filter_text: str, keys: tuple[str, ...]) -> str:
    """The SVG of the screen that the keys lead to."""
    from flowmon.tui.app import FlowmonApp  # Textual reads the environment at its import

    app = FlowmonApp(reader, refresh_seconds=NEVER, zone=UTC, ascii=False, title="demo")
    async with app.run_test(size=SIZE) as pilot:
        if filter_text:
            app.set_filter(filter_text)
        await settle(pilot)
        for key in keys:
            await pilot.press(key)
            await settle(pilot)
        return app.export_screenshot(title="flowmon", simplify=True)


@contextlib.contextmanager
def folder_of_logs() -> Iterator[Path]:
    """The unpacked recording at a place of the same name each time, because the pictures show it."""
    base = Path(tempfile.gettempdir()) / "flowmon-demo"
    base.mkdir()
    try:
        unpack(base / "logs")
        yield base / "logs"
    finally:
        shutil.rmtree(base)


def main(target: Path) -> None:
    """Make all pictures."""
    os.environ |= {"TEXTUAL_ANIMATIONS": "none", "TERM": "xterm-256color", "COLORTERM": "truecolor", "TZ": "UTC"}
    time.tzset()
    for name in ("NO_COLOR", "TEXTUAL_COLOR_SYSTEM"):
        os.environ.pop(name, None)
    target.mkdir(parents=True, exist_ok=True)
    with folder_of_logs() as logs, opening.reader([str(logs)], Config()) as store:
        reader = Recorded(store.path, temporary=True)
        for name, (filter_text, keys) in SCREENS.items():
            svg = asyncio.run(picture(reader, filter_text, keys))
            (target / f"{name}.svg").write_text(robust(svg), "utf-8")
            print(target / f"{name}.svg")
        reader.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "pictures")
