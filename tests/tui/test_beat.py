"""The beat: when it looks, and what wakes it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from flowmon.tui import beat
from flowmon.tui.beat import Beat, look_seconds

HOURS = 10_000.0


class Looks:
    """Counts looks."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1

    async def come_to(self, count: int) -> bool:
        """Whether there are so many, sooner or later."""
        for _ in range(2_000):
            if self.count >= count:
                return True
            await asyncio.sleep(0.01)
        return False


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    inward, out = os.pipe()
    yield inward, out
    os.close(inward)
    try:
        os.close(out)
    except OSError:  # a test closed it
        return


@pytest.mark.parametrize(("shown", "looked"), [(0.25, 0.1), (0.5, 0.1), (0.05, 0.05), (1.0, 1.0), (3600.0, 3600.0)])
def test_news_are_looked_for_more_often_than_they_are_shown(shown: float, looked: float) -> None:
    assert look_seconds(shown) == looked


def test_it_looks_again_and_again() -> None:
    async def run() -> None:
        looks = Looks()
        told = Beat(looks, 0.01)
        told.start()
        assert await looks.come_to(5)
        told.stop()
        seen = looks.count
        await asyncio.sleep(0.05)
        assert looks.count == seen

    asyncio.run(run())


def test_it_looks_sooner_when_something_waits() -> None:
    async def run() -> None:
        looks = Looks()
        told = Beat(looks, HOURS)
        told.start()
        assert looks.count == 1
        told.strike_in(0.02)
        assert await looks.come_to(2)
        await asyncio.sleep(0.1)
        assert looks.count == 2
        told.stop()

    asyncio.run(run())


def test_news_wake_it_and_nothing_else_does(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    inward, out = pipe
    monkeypatch.setattr(beat, "SAFETY_SECONDS", HOURS)

    async def run() -> None:
        looks = Looks()
        told = Beat(looks, 0.01, inward)
        told.start()
        await asyncio.sleep(0.1)
        assert looks.count == 1
        os.write(out, b"...")
        assert await looks.come_to(2)
        await asyncio.sleep(0.05)
        assert looks.count == 2
        told.stop()

    asyncio.run(run())


def test_where_news_are_told_it_looks_once_a_second_too(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beat, "SAFETY_SECONDS", 0.05)

    async def run() -> None:
        looks = Looks()
        told = Beat(looks, 0.01, pipe[0])
        told.start()
        assert await looks.come_to(3)
        told.stop()

    asyncio.run(run())


def test_a_collector_that_ended_tells_no_more(pipe: tuple[int, int]) -> None:
    inward, out = pipe

    async def run() -> None:
        looks = Looks()
        told = Beat(looks, 0.1, inward)
        told.start()
        os.close(out)
        assert await looks.come_to(4), "as often as where nobody tells"
        seen = looks.count
        await asyncio.sleep(0.25)
        assert looks.count <= seen + 3, "and not with each turn of the loop"
        told.stop()

    asyncio.run(run())


def test_what_stopped_does_not_strike() -> None:
    async def run() -> None:
        looks = Looks()
        told = Beat(looks, HOURS)
        told.strike()
        told.start()
        told.stop()
        told.strike()
        told.strike_in(0.0)
        await asyncio.sleep(0.05)
        assert looks.count == 1

    asyncio.run(run())
