"""A collector that is killed at any moment and started again changes nothing in the answers."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from flowmon.parsing.catalogue import Catalogue
from flowmon.store.reader import SqliteReader
from tests.golden import live, reading

RUNS = (
    "after_queue_filter", "alias_expansion", "clock_skew", "expired", "filter_tells_the_cause",
    "forked_recipients", "forward", "handed_to_own_silent_host", "held_and_released",
    "login_tried_twice", "loop", "mailbox_log_beside", "duplicate_message_id",
    "partly_tried_mail_goes_on", "one_name_for_several_hosts", "exchange_group_in_two_copies",
    "postfix_gateway_to_exchange", "refused_beside_accepted", "refused_by_own_host",
    "removed_before_last_line",
    "reused_queue_id", "second_mx", "starts_in_the_middle",
)
Moment = tuple[int, int, bool, bool]
"""Bytes that each log grows by, chunks that are then read, whether it is committed, whether the process is killed."""

moments = st.tuples(st.integers(1, 900), st.integers(0, 3), st.booleans(), st.booleans())


@pytest.fixture(autouse=True)
def _in_utc(utc: None) -> None:
    """Stamps without a zone are in the zone of this host."""


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def _answers(store: Path) -> dict[str, Any]:
    reader = SqliteReader(store)
    try:
        return {"messages": reading.told(reader), "totals": reader.totals()}
    finally:
        reader.close()


def _at_once(name: str, catalogue: Catalogue) -> dict[str, Any]:
    with _folder() as folder:
        growing = live.Growing(name, folder)
        growing.grow(1_000_000)
        one = live.Live(catalogue, folder / "store.db", growing.logs)
        one.fold()
        one.commit()
        one.end()
        return _answers(folder / "store.db")


@given(name=st.sampled_from(RUNS), story=st.lists(moments, min_size=1, max_size=10))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # making a failing story shorter takes minutes
)
def test_killed_anywhere(catalogue: Catalogue, name: str, story: list[Moment]) -> None:
    with _folder() as folder:
        assert _in_pieces(folder, catalogue, name, story) == _at_once(name, catalogue)


def _in_pieces(folder: Path, catalogue: Catalogue, name: str, story: list[Moment], first: int = 1) -> dict[str, Any]:
    """The answers after a run was read as the story tells; each log had `first` bytes at the start."""
    store = folder / "store.db"
    growing = live.Growing(name, folder)
    growing.grow(first)
    one = live.Live(catalogue, store, growing.logs)
    try:
        for size, chunks, committed, killed in [*story, (1_000_000, 1_000, True, False)]:
            growing.grow(size)
            one.fold(chunks)
            if committed:
                one.commit()
            if killed:
                one.end()
                one = live.Live(catalogue, store, growing.logs)
    finally:
        one.end()
    return _answers(store)


def test_two_logs_that_begin_empty(tmp_path: Path, catalogue: Catalogue) -> None:
    name = "same_fact_in_two_files"
    assert _in_pieces(tmp_path, catalogue, name, [], first=0) == _at_once(name, catalogue)


def test_killed_between_two_logs_of_one_host(tmp_path: Path, catalogue: Catalogue) -> None:
    name, story = "same_fact_in_two_files", [(1, 2, True, True)]
    assert _in_pieces(tmp_path, catalogue, name, story, first=3_000) == _at_once(name, catalogue)


def _collect(logs: Path, store: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "flowmon.cli", "collect", "--store", str(store), str(logs)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "TZ": "UTC"},
    )


def _until(what: str, holds: Any, seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds:g} s in vain: {what}")
        time.sleep(0.02)


def _lines(store: Path) -> int:
    try:
        reader = SqliteReader(store)
    except Exception:  # not there yet, or just being made
        return 0
    try:
        return sum(source.lines for source in reader.sources())
    finally:
        reader.close()


def test_killed_processes(tmp_path: Path, catalogue: Catalogue) -> None:
    name, store = "forked_recipients", tmp_path / "store.db"
    growing = live.Growing(name, tmp_path)
    growing.grow(300)
    for _ in range(2):
        before = _lines(store)
        process = _collect(growing.logs, store)
        try:
            for _ in range(4):
                growing.grow(150)
                time.sleep(0.03)
            _until("lines in the store", lambda before=before: _lines(store) > before)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    process = _collect(growing.logs, store)
    try:
        while growing.grow(200):
            time.sleep(0.01)
        total = sum(path.read_bytes().count(b"\n") for path in reading.files(growing.logs))
        _until("all lines in the store", lambda: _lines(store) >= total)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert _answers(store) == _at_once(name, catalogue)
