"""News reach the screen by themselves: told by the collector through a pipe, or looked for where nobody tells."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from flowmon.errors import StoreError
from flowmon.model.words import DeliveryStatus
from flowmon.tui import app, beat
from flowmon.tui.screens import base
from tests.tui.conftest import MakeApp
from tests.tui.driving import Driver, lines, press, settle, text
from tests.tui.fakes import FakeReader
from tests.tui.mail import message_row

PATIENCE_SECONDS = 20.0
"""How long a slow machine may take; what does not come waits for hours."""
HOURS = 10_000.0


class Pipe:
    """A collector's pipe."""

    def __init__(self) -> None:
        self.inward, self._out = os.pipe()

    def tell(self) -> None:
        os.write(self._out, b".")

    def end(self) -> None:
        os.close(self._out)
        self._out = -1

    def close(self) -> None:
        os.close(self.inward)
        if self._out >= 0:
            os.close(self._out)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


@pytest.fixture
def told_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is looked for that the collector does not tell."""
    monkeypatch.setattr(beat, "SAFETY_SECONDS", HOURS)
    monkeypatch.setattr(app, "look_seconds", lambda refresh_seconds: HOURS)


def arrives(reader: FakeReader, number: int) -> str:
    """A message comes; gives what its row says."""
    row = message_row(number, DeliveryStatus.QUEUED, f"new{number}@corp.example", "ben@corp.example")
    reader.message_rows.insert(0, row)
    reader.commit()
    return f"new{number}@corp"


async def shown(pilot: Driver, what: str) -> bool:
    """Whether something comes to stand on the screen by itself."""
    until = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while what not in text(pilot):
        if asyncio.get_running_loop().time() > until:
            return False
        await pilot.pause(0.02)
    return True


async def gone(pilot: Driver, what: str) -> bool:
    """Whether something goes from the screen by itself."""
    until = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while what in text(pilot):
        if asyncio.get_running_loop().time() > until:
            return False
        await pilot.pause(0.02)
    return True


async def test_where_nobody_tells_they_are_looked_for(make_app: MakeApp, reader: FakeReader) -> None:
    async with make_app(refresh_seconds=0.2).run_test(size=(120, 40)) as pilot:
        await press(pilot, "3")
        for number in (1000, 1001):
            assert await shown(pilot, arrives(reader, number))


@pytest.mark.usefixtures("told_only")
@pytest.mark.parametrize("age_seconds", [0.9, 0.0], ids=["ages later", "ages due"])
async def test_what_is_told_is_shown_once_the_last_answer_has_rested(
    make_app: MakeApp, reader: FakeReader, pipe: Pipe, monkeypatch: pytest.MonkeyPatch, age_seconds: float
) -> None:
    monkeypatch.setattr(base, "AGE_SECONDS", age_seconds)
    async with make_app(refresh_seconds=0.3, news=pipe.inward).run_test(size=(120, 40)) as pilot:
        await press(pilot, "3")
        for number in range(1000, 1004):  # each while the answer to the one before rests
            new = arrives(reader, number)
            pipe.tell()
            assert await shown(pilot, new)


@pytest.mark.usefixtures("told_only")
async def test_what_is_told_while_a_question_is_being_answered_is_shown_after_it(
    make_app: MakeApp, reader: FakeReader, pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, asked, rows = threading.Event(), threading.Event(), reader.rows
    questions = []

    def slow(*args: Any, **named: Any) -> Any:
        found = rows(*args, **named)
        questions.append(args)
        asked.set()
        assert answered.wait(PATIENCE_SECONDS)
        return found

    async with make_app(refresh_seconds=0.1, news=pipe.inward).run_test(size=(120, 40)) as pilot:
        await press(pilot, "3")
        monkeypatch.setattr(reader, "rows", slow)
        arrives(reader, 1000)
        pipe.tell()
        assert await asyncio.to_thread(asked.wait, PATIENCE_SECONDS)
        new = arrives(reader, 1001)  # the answer under way does not have it
        pipe.tell()
        await pilot.pause(0.2)
        assert new not in text(pilot)
        assert len(questions) == 1, "a slow question comes to its end"
        answered.set()
        assert await shown(pilot, new)


@pytest.mark.usefixtures("told_only")
async def test_what_came_under_a_dialog_is_shown_when_it_is_left(
    make_app: MakeApp, reader: FakeReader, pipe: Pipe
) -> None:
    async with make_app(refresh_seconds=0.1, news=pipe.inward).run_test(size=(120, 40)) as pilot:
        await press(pilot, "3", "question_mark")
        new = arrives(reader, 1000)
        pipe.tell()
        await pilot.pause(0.2)
        await press(pilot, "escape")
        assert await shown(pilot, new)


@pytest.mark.usefixtures("told_only")
async def test_what_came_in_a_pause_is_shown_after_it(make_app: MakeApp, reader: FakeReader, pipe: Pipe) -> None:
    async with make_app(refresh_seconds=0.1, news=pipe.inward).run_test(size=(120, 40)) as pilot:
        await press(pilot, "3", "space")
        new = arrives(reader, 1000)
        pipe.tell()
        await pilot.pause(0.2)
        assert new not in text(pilot)
        await press(pilot, "space")
        assert await shown(pilot, new)


async def test_ages_are_of_now_after_a_pause(make_app: MakeApp, reader: FakeReader) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await press(pilot, "2")
        oldest = lines(pilot)[4]
        assert "3h07" in oldest
        await press(pilot, "space")
        reader.clock += timedelta(minutes=10)
        await press(pilot, "space")
        assert "3h17" in lines(pilot)[4]


async def test_a_collector_that_ended_is_not_waited_for(make_app: MakeApp, reader: FakeReader, pipe: Pipe) -> None:
    async with make_app(refresh_seconds=0.2, news=pipe.inward).run_test(size=(120, 40)) as pilot:
        await press(pilot, "3")
        pipe.end()
        assert await shown(pilot, arrives(reader, 1000))


async def test_a_store_that_tells_no_version_for_once(
    make_app: MakeApp, reader: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> int:
        raise StoreError("store.db: disk I/O error")

    async with make_app(refresh_seconds=0.2).run_test(size=(120, 40)) as pilot:
        await press(pilot, "3")
        with monkeypatch.context() as patched:
            patched.setattr(reader, "version", fails)
            assert await shown(pilot, "query failed")
            await press(pilot, "o")  # another order, which cannot be asked for now
        assert await gone(pilot, "query failed"), "though nothing is written meanwhile"
        assert await shown(pilot, arrives(reader, 1000))


async def test_nothing_is_asked_while_nothing_comes(make_app: MakeApp, reader: FakeReader) -> None:
    async with make_app(refresh_seconds=0.1).run_test(size=(120, 40)) as pilot:
        await press(pilot, "3")
        await settle(pilot)
        asked = len(reader.asked)
        await pilot.pause(0.5)
        assert len(reader.asked) == asked
        assert "live" in lines(pilot)[0]
