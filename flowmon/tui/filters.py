"""Filters that a person keeps: by name in the configuration folder, and those used last in the state folder."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from flowmon.errors import FilterError
from flowmon.store.filter import parse

MOST = 100
"""Filters of the past that are kept."""


class FilterBook:
    """Saved filters and those used last. What cannot be read or written is a notice, never the end of the screen."""

    def __init__(self, saved: Path | None = None, history: Path | None = None) -> None:
        """Without paths nothing outlives the screen."""
        self._saved_file, self._history_file = saved, history
        self.notices: list[str] = []
        self.saved: dict[str, str] = self._read_saved()
        self.history: list[str] = self._read_history()
        """The newest last."""

    def _read_saved(self) -> dict[str, str]:
        file = self._saved_file
        if file is None or not file.exists():
            return {}
        try:
            content = tomllib.loads(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
            self.notices.append(f"Saved filters are not read: {fault}. Mend or remove {file}.")
            self._saved_file = None  # what a person wrote is not overwritten
            return {}
        found = {}
        for name, text in content.items():
            try:
                parse(str(text))
            except FilterError as fault:
                self.notices.append(f"The saved filter {name} is not understood: {fault}. Mend it in {file}.")
            found[name] = str(text)
        return found

    def _read_history(self) -> list[str]:
        try:
            text = self._history_file.read_text("utf-8") if self._history_file is not None else ""
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as fault:
            self.notices.append(f"Filters used before are not read: {fault}.")
            return []
        return [line for line in text.splitlines() if line][-MOST:]

    def used(self, text: str) -> None:
        """Note that a person wrote a filter and used it."""
        if not text or self.history[-1:] == [text]:
            return
        self.history = [*[one for one in self.history if one != text][-MOST + 1 :], text]
        self._write(self._history_file, "".join(f"{line}\n" for line in self.history))

    def save(self, name: str, text: str) -> str | None:
        """Keep a filter by name; gives why it could not be written."""
        self.saved[name] = text
        return self._write_saved()

    def forget(self, name: str) -> str | None:
        """Keep a filter no longer; gives why that could not be written."""
        self.saved.pop(name, None)
        return self._write_saved()

    def _write_saved(self) -> str | None:
        lines = (f"{json.dumps(name)} = {json.dumps(text)}\n" for name, text in sorted(self.saved.items()))
        return self._write(self._saved_file, "".join(lines))

    def _write(self, file: Path | None, text: str) -> str | None:
        if file is None:
            return None
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            beside = file.with_name(file.name + ".new")
            beside.write_text(text, "utf-8")
            beside.replace(file)
        except OSError as fault:
            return f"{file}: {fault.strerror}"
        return None
