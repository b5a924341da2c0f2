"""Waking up: soon after a change, at the latest after the timeout, and without notification too."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
import watchfiles

from flowmon.sources import LogStream, StdinStream, Watcher
from flowmon.sources.watcher import _silent


def _settle(watcher: Watcher) -> None:
    """Let the watching thread begin, and take the first waking."""
    time.sleep(0.5)
    watcher.wait(0)


def _waited(watcher: Watcher, timeout: float) -> float:
    start = time.monotonic()
    watcher.wait(timeout)
    return time.monotonic() - start


def test_wakes_soon_after_an_append_and_after_a_new_file(tmp_path: Path) -> None:
    live = tmp_path / "mail.log"
    live.write_bytes(b"a\n")
    with Watcher([LogStream(str(live))]) as watcher:
        _settle(watcher)
        assert _waited(watcher, 0.3) >= 0.3
        threading.Timer(0.1, lambda: live.write_bytes(b"a\nb\n")).start()
        assert _waited(watcher, 5) < 2
        _settle(watcher)
        threading.Timer(0.1, lambda: (tmp_path / "other.log").write_bytes(b"a\n")).start()
        assert _waited(watcher, 5) < 2
    assert watcher.notice is None


def test_update_watches_new_folders(tmp_path: Path) -> None:
    with Watcher([]) as watcher:
        watcher.update([], [str(tmp_path)])
        _settle(watcher)
        threading.Timer(0.1, lambda: (tmp_path / "mail.log").write_bytes(b"a\n")).start()
        assert _waited(watcher, 5) < 2


def test_wakes_for_a_pipe() -> None:
    reading, writing = os.pipe()
    stream = StdinStream(reading)
    with Watcher([stream]) as watcher:
        assert _waited(watcher, 0.2) >= 0.2
        os.write(writing, b"a\n")
        assert _waited(watcher, 5) < 1
    stream.close()
    os.close(writing)


def test_polls_and_says_so_when_nothing_can_be_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_folders: str, **_options: object) -> None:
        raise OSError("OS file watch limit reached")

    monkeypatch.setattr(watchfiles, "watch", refuse)
    with Watcher([LogStream(str(tmp_path / "mail.log"))]) as watcher:
        _settle(watcher)
        assert watcher.notice is not None
        assert "watch limit" in watcher.notice
        assert _waited(watcher, 5) < 2


def test_a_network_disk_is_polled(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"none / ext4 rw 0 0\nserver:/logs {os.path.realpath(tmp_path)} nfs4 rw 0 0\n")
    assert "nfs4" in str(_silent({str(tmp_path)}, str(mounts)))
    assert _silent({"/"}, str(mounts)) is None
