"""A store that a collector has filled from some golden runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flowmon.store.reader import SqliteReader
from tests.golden import live, reading

RUNS = ("forked_recipients", "held_and_released", "login_tried_twice")


def write_logs(folder: Path) -> Path:
    """The logs of the runs, side by side."""
    for run in RUNS:
        source = reading.FOLDER / run / "logs"
        for path in reading.files(source):
            target = folder / "logs" / path.relative_to(source).parent / f"{run}-{path.name}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return folder / "logs"


@pytest.fixture
def logs(tmp_path: Path, utc: None) -> Path:
    """The logs, with the host as first folder."""
    return write_logs(tmp_path)


@pytest.fixture
def filled(tmp_path: Path, logs: Path) -> Path:
    """The store's file; its collector has ended."""
    store = tmp_path / "state" / "store.db"
    one = live.Live(live.builtin(), store, logs)
    one.fold()
    one.commit()
    one.end()
    return store


@pytest.fixture
def reader(filled: Path) -> Iterator[SqliteReader]:
    """The answers of that store."""
    opened = SqliteReader(filled)
    yield opened
    opened.close()
