"""What the screen costs on the line, and how soon it answers a key: in a pseudo-terminal, against Textual's DataTable.

    python -m tests.bench.screen [--keys 500] [--seconds 12]

A log grows by 1,000 messages (5,000 lines) a second while bytes are counted and keys are pressed; then keys are pressed
while a backlog loads. Nothing here is a test: the figures are of this machine.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import threading
import time
from datetime import datetime
from pathlib import Path

from tests.bench.tools import FLOWMON, ROOT, environment

RATE = 1_000
"""Messages a second."""
LINES = 5
"""Lines of a message."""
MARK = "▌".encode()
"""The cursor of a table: a key that moves it is answered when this is written."""
OUTCOMES = (
    ("mx.one.example", "2.0.0", "sent (250 2.0.0 Ok: queued as 4F1)"),
    ("mx.two.example", "2.0.0", "sent (250 ok)"),
    ("mx.one.example", "2.0.0", "sent (250 2.0.0 Ok: queued as 4F2)"),
    ("mx.full.example", "4.2.2", "deferred (host mx.full.example[198.51.100.9] said: 452 4.2.2 Mailbox full)"),
    ("mx.gone.example", "5.1.1", "bounced (host mx.gone.example[198.51.100.8] said: 550 5.1.1 User unknown)"),
)


def message(number: int, stamp: str) -> str:
    """The lines of one message."""
    queue_id = f"{0xB00000000 + number:X}"
    relay, code, what = OUTCOMES[0 if number % 40 else number // 40 % len(OUTCOMES)]
    head = f"{stamp} mx1 postfix"
    ends = "" if "deferred" in what else f"{head}/qmgr[4]: {queue_id}: removed\n"
    return (
        f"{head}/smtpd[{number % 90 + 100}]: {queue_id}: client=mail.example[192.0.2.{number % 200 + 1}]\n"
        f"{head}/cleanup[3]: {queue_id}: message-id=<{number}@mail.example>\n"
        f"{head}/qmgr[4]: {queue_id}: from=<user{number % 500}@ours.example>, size=4242, nrcpt=1 (queue active)\n"
        f"{head}/smtp[5]: {queue_id}: to=<kim{number % 700}@far.example>, relay={relay}[198.51.100.7]:25, delay=0.4, "
        f"delays=0.1/0/0.1/0.2, dsn={code}, status={what}\n{ends}"
    )


def waiting(number: int, stamp: str) -> str:
    """The lines of a message that its next hop does not take: one of 200."""
    queue_id, hop = f"{0xC00000000 + number:X}", f"mx.far{number % 200}.example[198.51.100.7]:25"
    head = f"{stamp} mx1 postfix"
    return (
        f"{head}/smtpd[{number % 90 + 100}]: {queue_id}: client=mail.example[192.0.2.{number % 200 + 1}]\n"
        f"{head}/cleanup[3]: {queue_id}: message-id=<stuck{number}@mail.example>\n"
        f"{head}/qmgr[4]: {queue_id}: from=<user{number % 500}@ours.example>, size=4242, nrcpt=1 (queue active)\n"
        f"{head}/smtp[5]: {queue_id}: to=<kim{number % 700}@far{number % 200}.example>, relay={hop}, delay=0.4, "
        f"delays=0.1/0/0.1/0.2, dsn=4.4.1, status=deferred (connect to {hop}: Connection timed out)\n"
    )


class Traffic(threading.Thread):
    """Appends messages to a log at the rate, until `end`."""

    def __init__(self, log: Path, first: int = 0) -> None:
        super().__init__(daemon=True)
        self._log, self._number, self._over = log, first, threading.Event()

    def run(self) -> None:
        began, start = time.monotonic(), self._number
        with self._log.open("a") as out:
            while not self._over.wait(0.05):
                due = start + int((time.monotonic() - began) * RATE)
                stamp = datetime.now().astimezone().isoformat(timespec="microseconds")
                out.write("".join(message(n, stamp) for n in range(self._number, due)))
                out.flush()
                self._number = due

    def end(self) -> None:
        """Write no more."""
        self._over.set()
        self.join()


class Terminal:
    """A program in a pseudo-terminal of 120 by 40."""

    def __init__(self, command: list[str], **variables: str) -> None:
        self.started = time.perf_counter()
        self._process, self._fd = pty.fork()
        if self._process == 0:
            os.chdir(ROOT)
            os.environ.update(variables | {"TERM": "xterm-256color", "COLORTERM": "truecolor"})
            os.execv(command[0], command)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    @property
    def pid(self) -> int:
        """The program's process."""
        return self._process

    def read(self, seconds: float) -> bytes:
        """What is written within a time."""
        have, until = b"", time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            if select.select([self._fd], [], [], left)[0]:
                have += os.read(self._fd, 1 << 16)
        return have

    def wait_for(self, text: bytes, seconds: float) -> float | None:
        """Seconds until a text was written; None when it was not."""
        have, began = b"", time.perf_counter()
        while (left := began + seconds - time.perf_counter()) > 0:
            if select.select([self._fd], [], [], left)[0]:
                have = have[-64:] + os.read(self._fd, 1 << 16)
                if text in have:
                    return time.perf_counter() - began
        return None

    def press(self, key: bytes) -> None:
        """Press a key."""
        os.write(self._fd, key)

    def latencies(self, keys: int, mark: bytes) -> list[float]:
        """Milliseconds from each of many keys to its answer: the cursor goes up and down."""
        found = []
        for number in range(keys):
            while select.select([self._fd], [], [], 0)[0]:
                os.read(self._fd, 1 << 16)
            self.press(b"\x1b[B" if number % 20 < 10 else b"\x1b[A")
            took = self.wait_for(mark, 2.0)
            found.append(2_000.0 if took is None else took * 1e3)
            time.sleep(0.02)
        return found

    def close(self) -> None:
        """End the program."""
        os.kill(self._process, signal.SIGTERM)
        deadline = time.monotonic() + 5
        while os.waitpid(self._process, os.WNOHANG)[0] == 0:
            if select.select([self._fd], [], [], 0.05)[0]:
                try:
                    os.read(self._fd, 1 << 16)
                except OSError:
                    time.sleep(0.05)
            if time.monotonic() > deadline:
                os.kill(self._process, signal.SIGKILL)
                os.waitpid(self._process, 0)
                break
        os.close(self._fd)


def told(name: str, value: str, bar: str) -> None:
    """One line of the table."""
    print(f"{name:<66} {value:>16}   {bar}", flush=True)


def quantiles(values: list[float]) -> str:
    """Median and 99th percentile."""
    return f"{statistics.median(values):5.0f} / {statistics.quantiles(values, n=100)[98]:4.0f} ms"


def traffic(folder: Path, seconds: float, keys: int) -> None:
    """Bytes and keys while messages come in, ours and a DataTable's."""
    log, rows = folder / "mail.log", [message(n, datetime.now().astimezone().isoformat()) for n in range(5_000)]
    log.write_text("".join(rows))
    for name, command, variables, bar in (
        ("main screen, 1 Hz", [*FLOWMON, "--fps", "1", str(log)], {}, "4,000"),
        ("main screen, as over SSH (2 Hz)", [*FLOWMON, str(log)], {"SSH_CONNECTION": "x"}, "10,000"),
        ("main screen, as at home (4 Hz)", [*FLOWMON, str(log)], {}, "10,000"),
        ("Textual's DataTable, 20 rows of 8 cells, 1 Hz", [sys.executable, "-m", "tests.bench.datatable", "1"], {}, ""),
        ("Textual's DataTable, 4 Hz", [sys.executable, "-m", "tests.bench.datatable", "4"], {}, ""),
    ):
        screen = Terminal(command, XDG_STATE_HOME=str(folder / "state"), **variables)
        screen.read(5.0)
        writer = Traffic(log, first=int(time.time()) % 10**6 * 10_000)
        writer.start()
        screen.read(3.0)
        count = len(screen.read(seconds))
        told(f"bytes/s, 1,000 messages/s: {name}", f"{count / seconds:,.0f}", bar)
        if "4 Hz" in name:
            mark = MARK if "DataTable" not in name else b"\x1b["
            if "DataTable" not in name:
                screen.press(b"3")
                screen.read(1.5)
            told(f"key to paint, 5,000 lines/s, median / p99: {name}", quantiles(screen.latencies(keys, mark)), "50 ms")
        writer.end()
        screen.read(4.0)
        if "4 Hz" in name and "DataTable" not in name:
            screen.press(b"1")
            screen.read(3.0)
            idle = screen.read(10.0)
            clock = len(re.findall(rb"\d", idle))
            told("bytes/s, idle", f"{len(idle) / 10:,.1f}", f"0 (ages still grow: {clock} digits)")
        screen.close()


def backlog(folder: Path, keys: int) -> None:
    """Keys while history is read."""
    log = folder / "backlog.log"
    with log.open("w") as out:
        for number in range(1_500_000):
            out.write(message(number, f"2026-11-24T{number // 100_000:02}:{number // 2_000 % 60:02}:00.000000+00:00"))
    screen = Terminal([*FLOWMON, "--no-mouse", str(log)], XDG_STATE_HOME=str(folder / "state2"))
    screen.read(3.0)
    screen.press(b"3")
    screen.read(1.0)
    told("key to paint while a backlog loads, median / p99", quantiles(screen.latencies(keys, MARK)), "100 ms")
    screen.close()


def painted(store: Path, log: Path, runs: int) -> tuple[float, float]:
    """Median seconds from the start of the program to the first whole screen, and to one with all answers.

    `store`: what `flowmon collect --once` made of the log.
    """
    frames: list[float] = []
    answers: list[float] = []
    for _ in range(runs):
        screen = Terminal([*FLOWMON, "--store", str(store), str(log)], **environment(store.parent))
        for text, found in ((b"Overview", frames), (b"waiting, worst first", answers)):
            took = screen.wait_for(text, 20.0)
            found.append(20.0 if took is None else time.perf_counter() - screen.started)
        screen.close()
        time.sleep(5.0)  # its collector ends behind it
    return statistics.median(frames), statistics.median(answers)


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--only", choices=("traffic", "backlog"))
    wanted = parser.parse_args()
    told("", "", "asked")
    with tempfile.TemporaryDirectory(prefix="flowmon-bench-") as folder:
        if wanted.only in (None, "traffic"):
            traffic(Path(folder), wanted.seconds, wanted.keys)
        if wanted.only in (None, "backlog"):
            backlog(Path(folder), wanted.keys)


if __name__ == "__main__":
    main()
