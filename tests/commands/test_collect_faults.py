"""A collector whose store cannot be written or read: it goes on when it can, and else ends with a sentence."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowmon.collecting import COMMIT_SECONDS, Collector
from flowmon.commands.collect import Live
from flowmon.config import Config
from flowmon.errors import StoreError, StoreReadError
from flowmon.mta.asker import Asker
from flowmon.sources import discover
from flowmon.store.lock import collector_says
from flowmon.store.writer import Writer
from tests.golden import live

LINE = ("2026-11-24T09:00:00.000000+00:00 gw postfix/qmgr[7]: B1000000{n}: from=<a@far.example>, size=9, nrcpt=1 "
        "(queue active)\n")


class Made:
    """A collector at work on one log."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "mail.log"
        self.log.write_text(LINE.format(n=1))
        self.store = folder / "store.db"
        self.writer = Writer(self.store)
        self.collector = Collector(self.writer, live.builtin(), discover([str(self.log)]), Config(), live=True)
        self.live = Live(self.collector, threading.Event(), Asker([], 30))

    def messages(self) -> int:
        """How many stand in the store."""
        return int(self.writer.db.execute("SELECT count(*) FROM messages").fetchone()[0])


@pytest.fixture
def made(tmp_path: Path, utc: None) -> Iterator[Made]:
    one = Made(tmp_path)
    yield one
    one.writer.close()


def test_a_disk_that_is_full_for_retention_ends_nothing(
    made: Made, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made.live._drain()

    def full(**_: float) -> int:
        raise StoreError("store.db: cannot be written: the disk is full; free some space")

    with monkeypatch.context() as patch:
        patch.setattr(made.writer, "retain", full)
        made.live._next_prune = 0.0
        made.live._housekeeping()
    assert "disk is full" in capsys.readouterr().err
    assert "disk is full" in str(collector_says(made.store))
    made.live._next_try = 0.0
    made.live._drain()  # nothing new: it finds all the same that the store can be written again
    assert "going on" in capsys.readouterr().err
    assert collector_says(made.store) is None
    with made.log.open("a") as log:
        log.write(LINE.format(n=2))
    time.sleep(COMMIT_SECONDS)
    made.live._drain()
    assert made.messages() == 2


def test_what_cannot_be_written_at_once_is_no_success(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise StoreError("store.db: cannot be written: the disk is full")

    monkeypatch.setattr(made.collector, "commit", full)
    with pytest.raises(StoreError, match="stopped before the end of the logs; run it again"):
        made.live.run(once=True)


def test_a_message_that_cannot_be_read_ends_a_collector_that_lets_go(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(**_: float) -> int:
        raise StoreReadError("store.db: message 1 is damaged")

    monkeypatch.setattr(made.writer, "retain", damaged)
    made.live._next_prune = 0.0
    with pytest.raises(StoreReadError):
        made.live._housekeeping()


def test_a_clock_ahead_makes_no_mail_old(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    monkeypatch.setattr(made.writer, "retain", lambda *, before, megabytes: asked.append(before))
    made.collector.keeper.now = time.time() + 1e9
    made.live._next_prune = 0.0
    made.live._housekeeping()
    assert [before < time.time() for before in asked] == [True]


def test_a_store_that_cannot_be_read_is_told_and_not_tried_again(made: Made) -> None:
    made.writer.db.close()
    made.writer.db = sqlite3.connect(made.store)
    made.writer.db.execute("DROP TABLE keys")
    with pytest.raises(StoreReadError, match=r"store\.db: cannot be read: no such table.*move it away"):
        made.writer.lookup("queue-id", "B10000001")


def test_a_failed_reading_within_a_commit_ends_the_collector(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise StoreReadError("store.db: cannot be read")

    monkeypatch.setattr(made.collector, "commit", broken)
    with pytest.raises(StoreReadError):
        made.live._drain()
