"""Large history is folded in a child process: what ends it, or this one, ends both, and is said."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import pytest

from flowmon.collecting import history
from flowmon.collecting.folding import Folding
from flowmon.commands import opening
from flowmon.config import Config
from flowmon.store.schema import Asked
from tests.commands.conftest import Run
from tests.commands.test_answers import Logs


@pytest.fixture
def in_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every log is large."""
    monkeypatch.setattr(history, "LARGE_BYTES", 0)
    monkeypatch.setattr(history, "_cores", lambda: 2)


@pytest.mark.parametrize("sent", [b"", b"\x00\x00\x10\x00half of a batch"])
def test_a_child_that_ends_early_is_told(
    run: Run, logs: Logs, in_two: None, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    def dies(folding: Folding, inward: Connection, out: Connection) -> None:
        os.write(out.fileno(), sent)
        os._exit(9)

    monkeypatch.setattr(history, "_fold_all", dies)
    done = run("report", logs("forked_recipients"))
    assert done.status == 2
    assert "the reading process ended early (exit status 9)" in done.err


def test_a_child_whose_parent_is_gone_ends_quietly() -> None:
    class Endless:
        def recognise(self) -> None:
            pass

        def step(self) -> bool:
            return True

        def take(self, *, settled: bool = False) -> list[Any]:
            return []

    inward, out = multiprocessing.Pipe(duplex=False)
    history._fold_all(cast(Folding, Endless()), inward, out)
    assert out.closed


@pytest.mark.parametrize("name", ["forked_recipients", "login_tried_twice", "held_and_released", "expired"])
def test_sums_are_the_same_without_keys_and_in_two_processes(
    logs: Logs, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sums(asked: Asked) -> tuple[Any, ...]:
        with opening.reader([str(path)], Config(), asked=asked) as reader:
            return reader.queues(), reader.problems(), reader.totals(), reader.by_status()

    path: Path = logs(name)
    whole = sums(Asked.LOOKUPS)
    assert whole[3]
    assert sums(Asked.SUMS) == whole
    monkeypatch.setattr(history, "LARGE_BYTES", 0)
    monkeypatch.setattr(history, "_cores", lambda: 2)
    assert sums(Asked.SUMS) == whole
