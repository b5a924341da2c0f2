"""The golden runs of Exchange are what their flows say; what only the Message screen shows of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.exchange.runs import GOLDEN, RUNS
from tests.golden import reading

BY_HAND = {"exchange_refused_at_the_front": ("ex01/RECV2026112409-1.LOG",)}
"""Logs of runs that stand beside what is described."""


def written(folder: Path) -> dict[str, bytes]:
    """The logs below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.LOG")}


@pytest.mark.parametrize("name", RUNS)
def test_files_are_what_is_described(name: str, tmp_path: Path) -> None:
    RUNS[name]().write(tmp_path)
    described, kept = written(tmp_path), written(GOLDEN / name / "logs")
    by_hand = BY_HAND.get(name, ())
    assert described == {path: data for path, data in kept.items() if path not in by_hand}, (
        "write them anew: python -m tests.exchange.runs")


def test_programs_of_clients(tmp_path: Path) -> None:
    logs = reading.copied("exchange_clients", tmp_path)
    with reading.read([str(logs)]) as reader:
        details = [reader.detail(row.id) for row in reader.rows(limit=10, order="first_seen", descending=False)]
    assert [one and one.client_program for one in details] == [
        "Outlook (MAPI)", "Outlook on the web", "ActiveSync", None]
