"""flowmon in a real pseudo-terminal: start, filter, drill, return, quit; the terminal is left clean."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowmon.store.lock import collector_runs

LOG = """\
2026-11-24T09:00:00.000000+00:00 gw postfix/qmgr[7]: B10000001: from=<anna@far.example>, size=900, nrcpt=1 (queue active)
2026-11-24T09:00:01.000000+00:00 gw postfix/smtp[8]: B10000001: to=<kim@stuck.example>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, status=deferred (connect to mx.stuck.example[192.0.2.7]:25: Connection refused)
2026-11-24T09:00:02.000000+00:00 gw postfix/qmgr[7]: B10000002: from=<ben@near.example>, size=900, nrcpt=1 (queue active)
2026-11-24T09:00:03.000000+00:00 gw postfix/smtp[8]: B10000002: to=<lee@fine.example>, relay=mx.fine.example[192.0.2.8]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 77)
2026-11-24T09:00:03.100000+00:00 gw postfix/qmgr[7]: B10000002: removed
"""  # noqa: E501 - log lines
SECONDS = 20.0


class Terminal:
    """A program in a pseudo-terminal, and all that it wrote."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.written = b""
        self.process, self.fd = pty.fork()
        if self.process == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
            for name in ("COLUMNS", "LINES"):  # of the terminal that the tests run in
                os.environ.pop(name, None)
            os.environ.update(environment)
            os.execv(command[0], command)

    def read(self, seconds: float) -> bool:
        """Take what is written within a time; False where the program has ended."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            self.written += os.read(self.fd, 1 << 16)
        except OSError:
            return False
        return True

    def wait_for(self, text: str, since: int) -> None:
        """Wait until a text was written after so many bytes; positions within the text are jumped over."""
        wanted = re.compile(text.encode())
        until = time.monotonic() + SECONDS
        while not wanted.search(plain(self.written[since:])):
            assert time.monotonic() < until, f"{text} was not shown: {plain(self.written[since:])[-2000:]!r}"
            self.read(0.1)

    def press(self, keys: str, shows: str) -> None:
        """Press keys, and wait for what they show."""
        since = len(self.written)
        os.write(self.fd, keys.encode())
        self.wait_for(shows, since)

    def ended(self) -> int:
        """The exit status, once it ends."""
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            self.read(0.05)
            pid, status = os.waitpid(self.process, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
        raise AssertionError("it did not end")


def plain(written: bytes) -> bytes:
    """What was written, without colours and jumps."""
    return re.sub(rb"\x1b\[[0-9;?<>=]*[A-Za-z]|\x1b\][^\x07]*\x07", b"", written)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    log = tmp_path / "mail.log"
    log.write_text(LOG)
    found = Terminal(
        [sys.executable, "-m", "flowmon.cli", str(log)],
        {"TERM": "xterm-256color", "XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "c")},
    )
    yield found
    try:
        os.kill(found.process, 9)
        os.waitpid(found.process, 0)
    except (ProcessLookupError, ChildProcessError):
        pass
    os.close(found.fd)


def test_from_start_to_quit(terminal: Terminal) -> None:
    before = termios.tcgetattr(terminal.fd)
    terminal.wait_for("1 queue waiting, worst first", 0)
    terminal.press("3", "2 messages, newest first")
    terminal.press("/from:anna\r", "1 match")
    terminal.press("\r", "waits on gw for")
    terminal.press("r", "postfix/smtp")
    terminal.press("\x1b", "1 message, newest first")
    terminal.press("\x7f", "2 messages, newest first")
    terminal.press("2", "stuck.example")
    terminal.press("\r", "queue:gw/stuck.example")
    terminal.press("\x1b", "everything is shown")
    since = len(terminal.written)
    os.write(terminal.fd, b"q")
    assert terminal.ended() == 0
    last = terminal.written[since:]
    for on, off in (("?1049h", "?1049l"), ("?25l", "?25h"), ("?1000h", "?1000l"), ("?2004h", "?2004l")):
        assert f"\x1b[{on}".encode() in terminal.written
        assert f"\x1b[{off}".encode() in last, f"{off} was not written at the end"
    assert termios.tcgetattr(terminal.fd) == before, "the terminal has its own modes again"


def test_a_screen_that_is_told_to_end_leaves_terminal_and_collector_in_order(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.wait_for("1 queue waiting, worst first", 0)
    [store] = (tmp_path / "state" / "flowmon" / "screens").glob("*.db")
    assert collector_runs(store)
    os.kill(terminal.process, signal.SIGTERM)
    assert terminal.ended() == 0
    assert b"\x1b[?1049l" in terminal.written
    assert not collector_runs(store)


def test_a_screen_whose_terminal_is_gone_ends(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text(LOG)
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    screen = subprocess.Popen(
        [sys.executable, "-m", "flowmon.cli", str(log)], stdin=its, stdout=its, stderr=its,
        start_new_session=True,  # it is not its own terminal: no SIGHUP comes
        env={**os.environ, "TERM": "xterm-256color", "XDG_STATE_HOME": str(tmp_path / "state")},
    )
    os.close(its)
    written, until = b"", time.monotonic() + SECONDS
    while b"worst first" not in plain(written) and time.monotonic() < until:
        if select.select([ours], [], [], 0.1)[0]:
            written += os.read(ours, 1 << 16)
    assert b"worst first" in plain(written)
    os.close(ours)
    try:
        screen.wait(SECONDS)
    finally:
        screen.kill()
    [store] = (tmp_path / "state" / "flowmon" / "screens").glob("*.db")
    assert not collector_runs(store)


def test_a_terminal_that_can_show_nothing_is_told_what_can(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text(LOG)
    dumb = Terminal([sys.executable, "-m", "flowmon.cli", str(log)],
                    {"TERM": "dumb", "XDG_STATE_HOME": str(tmp_path / "state")})
    assert dumb.ended() == 2
    assert b"flowmon queues" in dumb.written
    assert b"\x1b[" not in dumb.written
    os.close(dumb.fd)
