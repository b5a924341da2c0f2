"""Reads golden runs, and holds what flowmon says of them against what is expected."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from flowmon.commands import opening
from flowmon.config import Config, load
from flowmon.store.reader import SqliteReader

FOLDER = Path(__file__).parent
RUNS = sorted(path.parent.name for path in FOLDER.glob("*/expected.jsonl"))

Row = dict[str, Any]
_KINDS = frozenset({"totals", "queues", "written_at"})


def expected(name: str) -> list[Row]:
    """The rows of a run's expected.jsonl."""
    return [json.loads(line) for line in (FOLDER / name / "expected.jsonl").read_text(encoding="utf-8").splitlines()]


def written_at(name: str) -> float:
    """When a run's logs were written, as the run says (epoch seconds)."""
    written = next((row["written_at"] for row in expected(name) if "written_at" in row), "2026-11-24T10:00:00+00:00")
    return datetime.fromisoformat(written).timestamp()


def copied(name: str, folder: Path) -> Path:
    """A copy of a run's logs, written when the run says so."""
    logs = folder / "logs"
    shutil.copytree(FOLDER / name / "logs", logs)
    at = written_at(name)
    for path in files(logs):
        os.utime(path, (at, at))
    return logs


def files(logs: Path) -> list[Path]:
    """The files of a run."""
    return sorted(path for path in logs.rglob("*") if path.is_file())


def as_arguments(logs: Path, *, backwards: bool = False) -> list[str]:
    """HOST=PATH for each file."""
    named = [f"{path.relative_to(logs).parts[0]}={path}" for path in files(logs)]
    return named[::-1] if backwards else named


def configured(name: str) -> Config:
    """The configuration that a run is read with: its config.toml, else none."""
    path = FOLDER / name / "config.toml"
    return load(path) if path.exists() else Config()


@contextmanager
def read(arguments: list[str], config: Config | None = None) -> Iterator[SqliteReader]:
    """The answers on logs, as every command gets them."""
    with opening.reader(arguments, config or Config()) as reader:
        yield reader


def told(reader: SqliteReader) -> list[Row]:
    """Every message, as the JSON has it, with what its Detail tells of reports and filters."""
    found = []
    details = [reader.detail(row.id) for row in reader.rows(limit=10_000, order="first_seen", descending=False)]
    ids = {detail.id: detail.message.message_id for detail in details if detail is not None}
    for detail in details:
        assert detail is not None
        message: Row = json.loads(msgspec.json.encode(detail.message))
        message["reports"] = len(detail.reports)
        message["verdicts"] = [f"{v.filter} {v.action} {v.score}" for v in detail.verdicts]
        message["report_of"] = ids[detail.report_of] if detail.report_of is not None else None
        found.append(message)
    return found


def differences(reader: SqliteReader, rows: list[Row]) -> list[str]:
    """What is wrong, in words; empty when all is as expected."""
    wanted = [row for row in rows if not _KINDS & set(row)]
    have = told(reader)
    wrong = _assign(wanted, have)
    for row in rows:
        if "totals" in row:
            totals = msgspec.structs.asdict(reader.totals())
            wrong += [f"totals: {key} is {totals[key]}, not {value}"
                      for key, value in row["totals"].items() if totals[key] != value]
        if "queues" in row:
            wrong += _queues(row["queues"], [json.loads(msgspec.json.encode(queue)) for queue in reader.queues()])
    return wrong


def _queues(want: int | list[Row], have: list[Row]) -> list[str]:
    """What is wrong with the queues: their number, or what is told of each, by host and next hop."""
    if isinstance(want, int):
        return [] if len(have) == want else [f"queues: {have}, not {want}"]
    by_way = {(queue["host"], queue["next_hop"]): queue for queue in have}
    wrong = [f"queue {way} is false" for way in by_way.keys() - {(row["host"], row["next_hop"]) for row in want}]
    for row in want:
        wrong += _compare(f"queue {row['host']} {row['next_hop']}", row, by_way.get((row["host"], row["next_hop"]), {}))
    return wrong


def _assign(wanted: list[Row], have: list[Row]) -> list[str]:
    """Give each expected message the one that it differs least from."""
    faults = {(i, j): list(_compare("", want, message))
              for (i, want), (j, message) in itertools.product(enumerate(wanted), enumerate(have))}
    wrong: list[str] = []
    free_wanted, free_have = set(range(len(wanted))), set(range(len(have)))
    for (i, j), found in sorted(faults.items(), key=lambda pair: (len(pair[1]), pair[0])):
        if i in free_wanted and j in free_have:
            free_wanted.discard(i)
            free_have.discard(j)
            wrong += [f"{_name(wanted[i])}:{fault}" for fault in found]
    wrong += [f"missing: {_name(wanted[i])}" for i in sorted(free_wanted)]
    wrong += [f"false: {_name(have[j])} {have[j]['status']}" for j in sorted(free_have)]
    return wrong


def _name(message: Row) -> str:
    recipients = ",".join(r["recipient"] for r in message["recipients"])
    return f"{message.get('message_id')} {message.get('envelope_sender')} to {recipients}"


def _compare(where: str, want: Any, have: Any) -> Iterator[str]:
    """Where `have` differs from what `want` tells of it."""
    if isinstance(want, dict) and isinstance(have, dict):
        for key, value in want.items():
            if key == "recipients":
                yield from _recipients(value, have[key])
            else:
                yield from _compare(f"{where} {key}", value, have.get(key))
    elif isinstance(want, list) and isinstance(have, list) and where.endswith("hops"):
        if len(want) != len(have):
            yield f"{where}: {len(have)}, not {len(want)}"
        for place, (one, other) in enumerate(zip(want, have, strict=False)):
            yield from _compare(f"{where}[{place}]", one, other)
    elif _value(want) != _value(have):
        yield f"{where} is {have!r}, not {want!r}"


def _value(value: Any) -> Any:
    return round(value, 2) if isinstance(value, float) else value


def _recipients(want: list[Row], have: list[Row]) -> Iterator[str]:
    by_name = {r["recipient"]: r for r in have}
    if len(by_name) != len(have):
        yield f" recipients twice: {[r['recipient'] for r in have]}"
    for name in by_name.keys() - {r["recipient"] for r in want}:
        yield f" recipient {name} is false"
    for row in want:
        if row["recipient"] in by_name:
            yield from _compare(f" {row['recipient']}", row, by_name[row["recipient"]])
        else:
            yield f" recipient {row['recipient']} is missing"
