"""Golden runs: each trap read at once, with its files in the other order, and live."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flowmon.model.answers import Detail
from flowmon.model.words import DeliveryStatus
from flowmon.store.filter import parse
from flowmon.store.reader import SqliteReader
from flowmon.tui.screens.problems import problem_filter
from flowmon.tui.screens.queues import queue_filter
from tests.golden import live, reading

NOT_YET: dict[str, str] = {}
"""Runs that are wrong, and why: each must fail, so that what mends it takes it out of here."""


ORDER_NOT_YET: dict[str, str] = {}
"""The same for runs that are wrong only with their files in the other order."""


def _runs(wrong: dict[str, str]) -> list[Any]:
    return [
        pytest.param(name, marks=pytest.mark.xfail(strict=True, reason=wrong[name])) if name in wrong else name
        for name in reading.RUNS
    ]


@pytest.fixture(autouse=True)
def _in_utc(utc: None) -> None:
    """Stamps without a zone are in the zone of this host."""


@pytest.mark.parametrize("name", _runs(NOT_YET))
def test_run(name: str, tmp_path: Path) -> None:
    logs = reading.copied(name, tmp_path)
    with reading.read([str(logs)], reading.configured(name)) as reader:
        _agree(reader, name)


@pytest.mark.parametrize("name", _runs(NOT_YET | ORDER_NOT_YET))
def test_order_of_the_files_does_not_matter(name: str, tmp_path: Path) -> None:
    logs = reading.copied(name, tmp_path)
    with reading.read(reading.as_arguments(logs, backwards=True), reading.configured(name)) as reader:
        _agree(reader, name)


def _agree(reader: SqliteReader, name: str) -> None:
    wrong = reading.differences(reader, reading.expected(name))
    wrong += [*_rows_that_differ(reader), *_groups_that_differ(reader)]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def _rows_that_differ(reader: SqliteReader) -> list[str]:
    """Rows of lists that do not say what the message itself says: they are made on another, shorter way."""
    wrong = []
    for row in reader.rows(limit=100_000):
        detail = reader.detail(row.id)
        assert detail is not None
        message = detail.message
        worst = message.recipients[0] if message.recipients else None
        told: list[object] = [row.status, row.problem, row.reason, row.recipient_count]
        meant: list[object] = [message.status, message.problem, message.reason, len(message.recipients)]
        if worst is not None and row.recipient is not None:
            told += [row.recipient, row.host]
            meant += [worst.recipient, worst.host]
        if told != meant:
            wrong.append(f"row {row.id}: the list says {told}, the message {meant}")
        wrong += _tries_that_differ(detail)
    return wrong


def _groups_that_differ(reader: SqliteReader) -> list[str]:
    """Queues and problems that count other messages than the filter finds to which a screen leads from them."""
    counted = [(queue_filter(row), row.messages) for row in reader.queues()]
    problems = [(problem_filter(row), row.messages) for row in reader.problems()]
    counted += [*problems, *((f"problem:any reason:* {text}", count) for text, count in problems)]
    found = [(text, count, reader.count(parse(text))) for text, count in counted]
    return [f"{text}: {count} counted, {more} found" for text, count, more in found if count != more]


def _tries_that_differ(detail: Detail) -> list[str]:
    """Recipients of which more or fewer failed tries are told than are counted. One that was taken was tried once more;
    of one that had another address before, or comes by a service that tells the result alone, tries are not told."""
    wrong = []
    for one in detail.message.recipients:
        told = [a for a in detail.attempts if a.recipient == one.recipient]
        failed = sum(a.count for a in told if a.problem is not None)
        counted = one.attempts - (one.status in (DeliveryStatus.DELIVERED, DeliveryStatus.RELAYED))
        if failed and failed != counted:
            wrong.append(f"{one.recipient}: {failed} failed tries are told, {counted} counted")
    return wrong


LIVE = ("forked_recipients", "deferred_then_delivered", "refused_beside_accepted", "list_sends_it_back",
        "greylisted_over_two_mx", "list_through_sendmail", "dsn_over_another_host")


@pytest.mark.parametrize("size", [97, 777])
@pytest.mark.parametrize("name", [name for name in LIVE if name not in NOT_YET])
def test_live(name: str, size: int, tmp_path: Path) -> None:
    growing = live.Growing(name, tmp_path)
    growing.grow(size)
    one = live.Live(live.builtin(), tmp_path / "store.db", growing.logs)
    while True:
        one.fold()
        one.commit()
        if not growing.grow(size):
            break
    one.end()
    reader = SqliteReader(tmp_path / "store.db")
    try:
        _agree(reader, name)
    finally:
        reader.close()
