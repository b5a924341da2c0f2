"""How long after its log line a message stands in the store, and on a screen that runs, with a live collector.

    python -m tests.bench.latency [--messages 150] [--screen]

`--screen`: a real screen in a pseudo-terminal, on its list of messages; what it writes to the terminal is read.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import random
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from datetime import datetime
from pathlib import Path

from flowmon.errors import StoreError
from flowmon.store.filter import parse
from flowmon.store.reader import SqliteReader


def line(number: int) -> str:
    """The queue manager's line of a new message."""
    stamp = datetime.now().astimezone().isoformat(timespec="microseconds")
    what = f"from=<{sender(number)}>, size=900, nrcpt=1 (queue active)"
    return f"{stamp} mx1 postfix/qmgr[9]: {0xA0000 + number:09X}: {what}\n"


def sender(number: int) -> str:
    """Who sends a message: nobody else does."""
    return f"{name(number)}@x.example"


def name(number: int) -> str:
    """Letters of which none stands at its place in the name before: a screen writes only what changes."""
    return "".join(chr(ord("a") + (7 * number + place * (1 + number // 26)) % 26) for place in range(6))


def seen(reader: SqliteReader, number: int) -> bool:
    """Whether the store tells of a message."""
    return reader.count(parse(f"id:{0xA0000 + number:09X}")) > 0


def opened(store: Path) -> SqliteReader:
    """A reader, once the collector has made the store."""
    for _ in range(200):
        try:
            return SqliteReader(store)
        except StoreError:
            time.sleep(0.05)
    raise SystemExit("the collector did not open its store")


class Screen:
    """flowmon's screen on a store, in a pseudo-terminal."""

    def __init__(self, store: Path) -> None:
        self._process, self._terminal = pty.fork()
        if self._process == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(sys.executable, [sys.executable, "-m", "flowmon.cli", "--store", str(store)])
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.wait_for("Overview", 15.0)
        os.write(self._terminal, b"3")
        self.wait_for(name(0), 5.0)

    def wait_for(self, text: str, seconds: float = 10.0) -> None:
        """Read what is written to the terminal until it holds a text."""
        have, until = b"", time.perf_counter() + seconds
        while text.encode() not in have:
            left = until - time.perf_counter()
            if left <= 0 or not select.select([self._terminal], [], [], left)[0]:
                raise SystemExit(f"{text!r} did not come to the screen within {seconds:.0f} s")
            have = have[-200:] + os.read(self._terminal, 65536)

    def close(self) -> None:
        """End the screen."""
        os.write(self._terminal, b"q")
        while os.waitpid(self._process, os.WNOHANG)[0] == 0:
            if select.select([self._terminal], [], [], 0.05)[0]:
                try:
                    os.read(self._terminal, 65536)
                except OSError:  # the other end is closed
                    break
        os.close(self._terminal)


def write(log: Path, number: int) -> float:
    """Write the line of a message; gives when."""
    started = time.perf_counter()
    with log.open("a") as out:
        out.write(line(number))
    return started


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=150)
    parser.add_argument("--screen", action="store_true")
    options = parser.parse_args()
    waits = []
    with tempfile.TemporaryDirectory() as folder:
        log, store = Path(folder) / "mail.log", Path(folder) / "store.db"
        log.write_text(line(0))
        command = [sys.executable, "-m", "flowmon.cli", "collect", "--store", str(store), str(log)]
        collector = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            reader = opened(store)
            time.sleep(1)
            screen = Screen(store) if options.screen else None
            for number in range(1, options.messages + 1):
                time.sleep(random.uniform(0.02, 0.2))
                started = write(log, number)
                if screen is not None:
                    screen.wait_for(name(number))
                else:
                    while not seen(reader, number):
                        time.sleep(0.002)
                waits.append(1000 * (time.perf_counter() - started))
            if screen is not None:
                screen.close()
            reader.close()
        finally:
            collector.terminate()
            collector.wait()
    waits.sort()
    middle, late = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
    print(f"{len(waits)} messages: median {middle:.0f} ms, 99 % within {late:.0f} ms, at most {waits[-1]:.0f} ms")


if __name__ == "__main__":
    main()
