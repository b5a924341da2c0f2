"""How long after its log line a message stands in the store, and on a screen that runs, with a live collector."""

from __future__ import annotations

import random
import subprocess
import time
from datetime import datetime
from pathlib import Path

from flowmon.errors import StoreError
from flowmon.store.filter import parse
from flowmon.store.reader import SqliteReader
from tests.bench.screen import Terminal
from tests.bench.tools import FLOWMON, ROOT, environment


def line(number: int) -> str:
    """The queue manager's line of a new message."""
    stamp = datetime.now().astimezone().isoformat(timespec="microseconds")
    what = f"from=<{name(number)}@x.example>, size=900, nrcpt=1 (queue active)"
    return f"{stamp} mx1 postfix/qmgr[9]: {0xA0000 + number:09X}: {what}\n"


def name(number: int) -> str:
    """Letters of which none stands at its place in the name before: a screen writes only what changes."""
    return "".join(chr(ord("a") + (7 * number + place * (1 + number // 26)) % 26) for place in range(6))


def opened(store: Path) -> SqliteReader:
    """A reader, once the collector has made the store."""
    for _ in range(200):
        try:
            return SqliteReader(store)
        except StoreError:
            time.sleep(0.05)
    raise SystemExit("the collector did not open its store")


def collector(folder: Path, log: Path, store: Path) -> subprocess.Popen[bytes]:
    """A collector that follows a log."""
    command = [*FLOWMON, "collect", "--store", str(store), str(log)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=ROOT, env=environment(folder))


def waits(folder: Path, messages: int, *, screen: bool) -> list[float]:
    """Milliseconds from a line's writing until its message is in the store, or on the screen; in order of size."""
    log, store = folder / f"live{screen}.log", folder / f"live{screen}.db"
    log.write_text(line(0))
    process = collector(folder, log, store)
    found = []
    try:
        reader = opened(store)
        time.sleep(1)
        terminal = _shown(folder, store) if screen else None
        for number in range(1, messages + 1):
            time.sleep(random.uniform(0.02, 0.2))
            began = time.perf_counter()
            with log.open("a") as out:
                out.write(line(number))
            if terminal is None:
                while reader.count(parse(f"id:{0xA0000 + number:09X}")) == 0:
                    time.sleep(0.002)
            elif terminal.wait_for(name(number).encode(), 10.0) is None:
                raise SystemExit(f"{name(number)!r} did not come to the screen within 10 s")
            found.append(1e3 * (time.perf_counter() - began))
        if terminal is not None:
            terminal.close()
        reader.close()
    finally:
        process.terminate()
        process.wait()
    return sorted(found)


def _shown(folder: Path, store: Path) -> Terminal:
    """A screen on its list of messages."""
    terminal = Terminal([*FLOWMON, "--store", str(store)], **environment(folder))
    for text, key in ((b"Overview", b"3"), (name(0).encode(), b"")):
        if terminal.wait_for(text, 15.0) is None:
            raise SystemExit(f"{text!r} did not come to the screen within 15 s")
        terminal.press(key)
    return terminal
