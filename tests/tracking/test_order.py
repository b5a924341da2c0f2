"""Whatever comes first: any interleaving and any chunking of the logs of several hosts gives the same answers."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from flowmon.collecting import Collector, collector, folding
from flowmon.config import Config
from flowmon.parsing.catalogue import Catalogue
from flowmon.sources import discover
from flowmon.store.reader import SqliteReader
from flowmon.store.writer import Writer
from tests.golden import live, reading

Growth = tuple[int, int, bool]
"""Which log grows, by how many bytes, and whether what is read is committed then."""
Answers = dict[str, list[str]]

TIMES_OF_EITHER = {"same_fact_in_two_header_forms", "same_fact_in_the_journal"}
"""Runs that tell each fact in two logs of one host, one of which writes whole seconds. Of two lines of one fact the
first one read counts, so that the fractions of its second, and nothing else, depend on which that is."""

_COLLECTED = {"in_per_minute", "out_per_minute", "velocity", "trend"}
"""Of a queue: what a collector saw come and go at its commits, which is no answer from the logs."""

_OF_SEVERAL_LOGS = [name for name in reading.RUNS if len(reading.files(reading.FOLDER / name / "logs")) > 1]

growths = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 2_500), st.booleans()), max_size=12)


@pytest.fixture(autouse=True)
def _in_utc(utc: None) -> None:
    """Stamps without a zone are in the zone of this host."""


@pytest.fixture(autouse=True)
def _as_of_the_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ages are told as of the last line, whatever the date on which the test runs."""
    monkeypatch.setattr(SqliteReader, "_clock", lambda reader: float(reader._meta("now") or 0.0))


def _answers(name: str, reader: SqliteReader) -> Answers:
    """What the commands print, line by line, up to the rows of the store."""
    found = {
        "messages": reading.told(reader), "problems": _plain(reader.problems()), "queues": _plain(reader.queues()),
        "totals": _plain([reader.totals()]),
    }
    lines = {what: sorted(json.dumps(row, sort_keys=True) for row in rows) for what, rows in found.items()}
    if name in TIMES_OF_EITHER:
        return {what: [_whole_minutes(line) for line in rows] for what, rows in lines.items()}
    return lines


def _plain(rows: Iterable[Any]) -> list[dict[str, Any]]:
    plain = [json.loads(msgspec.json.encode(row)) for row in rows]
    return [{key: value for key, value in row.items() if key not in _COLLECTED} for row in plain]


def _whole_minutes(line: str) -> str:
    """One log may have fractions of a second, and the time a moment later than the other."""
    line = re.sub(r'(?<=:\d\d):\d\d(?:\.\d+)?(?=Z")', "", line)
    return re.sub(r'("(?:delay_seconds|before_queue|queue)": )[\d.]+', r"\1", line)


@cache
def _at_once(name: str) -> Answers:
    with tempfile.TemporaryDirectory() as folder, reading.read([str(reading.copied(name, Path(folder)))]) as reader:
        return _answers(name, reader)


def _from(name: str, store: Path) -> Answers:
    reader = SqliteReader(store, temporary=True)
    try:
        return _answers(name, reader)
    finally:
        reader.close()


def _grown(
    name: str, catalogue: Catalogue, folder: Path, story: list[Growth], *, killed: bool = False
) -> Answers:
    """The answers of a collector that reads a run as the story tells, and then the rest of one log after the other;
    `killed`: after each commit it dies, and another one goes on."""
    growing = live.Growing(name, folder)
    one = live.Live(catalogue, folder / "store.db", growing.logs)
    try:
        for which, size, committed in story:
            growing.grow_one(which, size)
            one.fold()
            if committed:
                one.commit()
                if killed:
                    one.end()
                    one = live.Live(catalogue, folder / "store.db", growing.logs)
        for which in range(len(reading.files(reading.FOLDER / name / "logs"))):
            growing.grow_one(which + story[0][0] if story else which, 1_000_000)
            one.fold()
            one.commit()
    finally:
        one.end()
    return _from(name, folder / "store.db")


@given(name=st.sampled_from(reading.RUNS), story=growths)
@settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],  # making a failing story shorter takes minutes
)
def test_any_interleaving(catalogue: Catalogue, name: str, story: list[Growth]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert _grown(name, catalogue, Path(folder), story) == _at_once(name)


@given(name=st.sampled_from(_OF_SEVERAL_LOGS), story=growths)
@settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
def test_killed_after_any_commit(catalogue: Catalogue, name: str, story: list[Growth]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert _grown(name, catalogue, Path(folder), story, killed=True) == _at_once(name)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("name", _OF_SEVERAL_LOGS)
def test_one_log_after_the_other(name: str, first: int, catalogue: Catalogue, tmp_path: Path) -> None:
    assert _grown(name, catalogue, tmp_path, [(first, 1_000_000, True)]) == _at_once(name)


@pytest.mark.parametrize("name", reading.RUNS)
def test_history_in_small_chunks(
    name: str, catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large history is kept in batches of what is settled; here each chunk of a line or two makes a batch."""
    expected = _at_once(name)
    for module, limit, value in ((folding, "_CHUNK", 300), (folding, "_STEP_CHUNK", 300),
                                 (collector, "BATCH_STEPS", 1)):
        monkeypatch.setattr(module, limit, value)
    store = tmp_path / "store.db"
    discovery = discover([str(reading.copied(name, tmp_path))])
    writer = Writer(store, temporary=True)
    try:
        reader = Collector(writer, catalogue, discovery, Config())
        reader.read_all()
        writer.finish()
    finally:
        writer.close()
        discovery.close()
    assert _from(name, store) == expected
