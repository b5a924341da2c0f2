"""The collector that a screen starts ends with it, whatever ends the screen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from flowmon.commands.collect import _end_with
from flowmon.commands.screen import _piped
from flowmon.store.writer import collector_runs

_SCREEN = """
import sys, time
from pathlib import Path
from flowmon.commands.screen import collector
with collector(Path(sys.argv[1]), None, [sys.argv[2]]):
    print("up", flush=True)
    time.sleep(60)
"""


def test_a_screen_that_is_killed_leaves_no_collector(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text("2026-11-24T09:00:00+00:00 mx postfix/qmgr[1]: 4B1000001: removed\n")
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


def test_told_at_once_when_the_screen_was_gone_before() -> None:
    stop = threading.Event()
    _end_with(os.getppid() + 1, stop)
    assert stop.is_set()


def test_standard_input_under_the_name_of_a_host() -> None:
    assert _piped(["mx1=-"])
    assert _piped(["-"])
    assert not _piped(["/var/log/mail.log", "a-", "mx=/var/log/x-"])
