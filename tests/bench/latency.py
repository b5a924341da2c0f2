"""How long after its log line a message stands in the store, with a live collector.

    python -m tests.bench.latency [--messages 150]

A screen asks four times a second: what it shows is at most a quarter of a second older than these figures.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from flowmon.errors import StoreError
from flowmon.store.filter import parse
from flowmon.store.reader import SqliteReader


def line(number: int) -> str:
    """The queue manager's line of a new message."""
    stamp = datetime.now().astimezone().isoformat(timespec="microseconds")
    queue_id = f"{0xA0000 + number:09X}"
    return f"{stamp} mx1 postfix/qmgr[9]: {queue_id}: from=<a@far.example>, size=900, nrcpt=1 (queue active)\n"


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


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=150)
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
            for number in range(1, options.messages + 1):
                time.sleep(random.uniform(0.02, 0.2))
                started = time.perf_counter()
                with log.open("a") as out:
                    out.write(line(number))
                while not seen(reader, number):
                    time.sleep(0.002)
                waits.append(1000 * (time.perf_counter() - started))
            reader.close()
        finally:
            collector.terminate()
            collector.wait()
    waits.sort()
    middle, late = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
    print(f"{len(waits)} messages: median {middle:.0f} ms, 99 % within {late:.0f} ms, at most {waits[-1]:.0f} ms")


if __name__ == "__main__":
    main()
