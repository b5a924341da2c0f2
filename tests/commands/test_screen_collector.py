"""The collector that a screen starts ends with it, whatever ends the screen."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from flowmon.commands import collect
from flowmon.commands.collect import _end_with
from flowmon.commands.screen import LOOK_SECONDS, _finds_logs, _piped, _store_for, _successor, collector
from flowmon.config import Config
from flowmon.errors import SourceError
from flowmon.sources import Discovery
from flowmon.store.lock import collector_runs, was_for_screen
from flowmon.store.writer import Writer

_SCREEN = """
import sys, time
from pathlib import Path
from flowmon.commands.screen import collector
with collector(Path(sys.argv[1]), None, [sys.argv[2]]):
    print("up", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "mail.log"
    path.write_text("2026-11-24T09:00:00+00:00 mx postfix/qmgr[1]: 4B1000001: removed\n")
    return path


def test_a_screen_that_is_killed_leaves_no_collector(log: Path, tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with subprocess.Popen([sys.executable, "-c", _SCREEN, str(store), str(log)], stdout=subprocess.PIPE) as screen:
        assert screen.stdout is not None
        assert screen.stdout.readline() == b"up\n"
        assert collector_runs(store)
        os.kill(screen.pid, signal.SIGKILL)
    until = time.monotonic() + 20
    while collector_runs(store) and time.monotonic() < until:
        time.sleep(0.05)
    assert not collector_runs(store)


def test_another_screen_goes_on_when_the_one_that_collects_is_left(log: Path, tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(collector(store, None, [str(log)]))
        assert was_for_screen(store)
        second.enter_context(_successor(store, None, [str(log)]))
        first.close()
        assert not collector_runs(store)
        until = time.monotonic() + 20
        while not collector_runs(store) and time.monotonic() < until:
            time.sleep(0.05)
        assert collector_runs(store)
    assert not collector_runs(store)


def test_a_screen_goes_on_when_its_own_collector_ends(log: Path, tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with collector(store, None, [str(log)]) as child, _successor(store, None, [str(log)], child):
        child.kill()
        child.wait(20)
        until = time.monotonic() + 20
        while not collector_runs(store) and time.monotonic() < until:
            time.sleep(0.05)
        assert collector_runs(store)
    assert not collector_runs(store)


def test_what_ends_with_the_screen_is_not_started_again(log: Path, tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with collector(store, None, [str(log)]) as child, _successor(store, None, [str(log)], child):
        pass
    time.sleep(3 * LOOK_SECONDS)
    assert not collector_runs(store)


def test_a_store_is_shown_though_no_log_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(arguments: list[str], config: Config) -> Discovery:
        raise SourceError("no mail log was found")

    monkeypatch.setattr(collect, "find", nothing)
    store, notices = tmp_path / "store.db", list[str]()
    with pytest.raises(SourceError):
        _finds_logs(Config(), store, notices)
    Writer(store).close()
    assert not _finds_logs(Config(), store, notices)
    assert "no mail log was found" in notices[0]


def test_a_service_that_stops_is_left_to_whoever_starts_it_again(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    Writer(store).close()
    assert not was_for_screen(store)
    with _successor(store, None, [str(tmp_path)]):
        time.sleep(3 * LOOK_SECONDS)
        assert not collector_runs(store)


def test_a_store_of_another_version_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    store = _store_for(["mail.log"], Config())
    store.parent.mkdir(parents=True)
    key = store.name.partition(".")[0]
    for name in (f"{key}.db", f"{key}.1.db", f"{key}.1.db-wal", "another.1.db", store.name):
        (store.parent / name).touch()
    assert _store_for(["mail.log"], Config()) == store
    assert sorted(path.name for path in store.parent.iterdir()) == sorted(["another.1.db", store.name])


def test_told_at_once_when_the_screen_was_gone_before() -> None:
    stop = threading.Event()
    _end_with(os.getppid() + 1, stop)
    assert stop.is_set()


def test_standard_input_under_the_name_of_a_host() -> None:
    assert _piped(["mx1=-"])
    assert _piped(["-"])
    assert not _piped(["/var/log/mail.log", "a-", "mx=/var/log/x-"])


def test_what_is_written_is_told_to_the_screen(log: Path, tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with collector(store, None, [str(log)]) as child:
        assert child.stdout is not None
        news = child.stdout.fileno()
        assert select.select([news], [], [], 20)[0]
        while select.select([news], [], [], 0.5)[0]:
            os.read(news, 1000)
        with log.open("a") as out:
            out.write("2026-11-24T09:00:01+00:00 mx postfix/qmgr[1]: 4B1000002: removed\n")
        assert select.select([news], [], [], 20)[0], "a commit is told at once"


def test_a_screen_that_does_not_listen_stops_no_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    inward, out = os.pipe()
    os.set_blocking(out, False)
    monkeypatch.setattr(collect, "_STDOUT", out)
    try:
        for _ in range(100_000):  # more than any pipe holds
            collect._tell_screen()
        os.close(inward)
        collect._tell_screen()
    finally:
        os.close(out)
