"""The application on the fake reader, with nothing that depends on the machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest

os.environ["TEXTUAL_ANIMATIONS"] = "none"

from flowmon.tui.app import FlowmonApp
from tests.tui.fakes import FakeReader

MakeApp = Callable[..., FlowmonApp]
NEVER = 3600.0
"""Seconds between polls: tests poll themselves."""


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same terminal everywhere."""
    for name in ("NO_COLOR", "FLOWMON_ASCII", "TEXTUAL_COLOR_SYSTEM", "SSH_CONNECTION", "SSH_TTY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")


@pytest.fixture
def reader() -> FakeReader:
    return FakeReader()


@pytest.fixture
def make_app(reader: FakeReader) -> MakeApp:
    """Builds the application on the fake reader."""

    def make(**settings: object) -> FlowmonApp:
        values: dict[str, Any] = {
            "refresh_seconds": NEVER, "title": "lab.example", "zone": UTC, "ascii": False, **settings,
        }  # fmt: skip
        return FlowmonApp(reader, **values)

    return make
