"""Colour themes: TOML files, ours and the user's own. A broken file is told, and never stops the program."""

from __future__ import annotations

import contextlib
import os
import tomllib
from collections.abc import Iterable
from pathlib import Path

import msgspec
from textual.color import Color, ColorParseError
from textual.theme import Theme

DEFAULT_THEME = "flowmon-dark"
SIXTEEN_COLOURS = "flowmon-16"
"""Serves terminals of 16 colours, and those that want none."""
COLOURS = (
    "primary", "secondary", "accent", "success", "warning", "error", "foreground", "background", "surface", "panel",
)  # fmt: skip


class ThemeFile(msgspec.Struct, forbid_unknown_fields=True):
    """What a theme file may say."""

    name: str
    primary: str
    dark: bool = True
    ansi: bool = False
    """Colours are the terminal's own sixteen (`ansi_red`, …)."""
    secondary: str | None = None
    accent: str | None = None
    success: str | None = None
    warning: str | None = None
    error: str | None = None
    foreground: str | None = None
    background: str | None = None
    surface: str | None = None
    panel: str | None = None
    tones: dict[str, str] = {}
    """Tones of palette.py by name, where the colours above do not serve; `cursor`, `bar` and `chip` too."""
    variables: dict[str, str] = {}
    """Textual's own variables."""

    def theme(self) -> Theme:
        """The theme as Textual wants it. Raises ColorParseError for what is no colour."""
        named = {
            name: value
            for name in COLOURS
            if (value := getattr(self, name)) is not None
        }
        tones = {f"flow-{name}": value for name, value in self.tones.items()}
        for value in (*named.values(), *tones.values()):
            Color.parse(value)
        return Theme(
            name=self.name, dark=self.dark, ansi=self.ansi, variables={**self.variables, **tones}, **named
        )


def own_folder() -> Path:
    """Where our themes are: inside the wheel, or beside the package in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "themes"
    return inside if inside.is_dir() else package.parent / "themes"


def stamps(folders: Iterable[Path]) -> list[tuple[str, int]]:
    """The theme files and when each was written: equal while nothing was changed."""
    found = []
    for folder in folders:
        with contextlib.suppress(OSError):  # no such folder, or a file went away meanwhile: that is a change too
            files = [entry for entry in os.scandir(folder) if entry.name.endswith(".toml")]
            found += sorted((entry.path, entry.stat().st_mtime_ns) for entry in files)
    return found


def load_themes(folders: Iterable[Path]) -> tuple[dict[str, Theme], list[str]]:
    """Themes by name, and a notice for each file that could not be used. Later folders replace earlier names."""
    themes: dict[str, Theme] = {}
    notices: list[str] = []
    for folder in folders:
        for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
            try:
                theme = msgspec.convert(tomllib.loads(path.read_text("utf-8")), ThemeFile).theme()
            except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
                notices.append(f"Theme {path.name} is not used: {error}. Mend or remove {path}.")
            except ColorParseError as error:
                notices.append(f"Theme {path.name} is not used: {str(error).splitlines()[0]}. Mend {path}.")
            else:
                themes[theme.name] = theme
    return themes, notices
