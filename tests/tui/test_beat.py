"""The beat: when it looks, and what wakes it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from flowmon.tui.beat import Beat, look_seconds


class Looks:
    """Counts looks; `wait` is what each gives."""

    def __init__(self, wait: float | None = None) -> None:
        self.count = 0
        self.wait = wait

    def __call__(self) -> float | None:
        self.count += 1
        return self.wait


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
        beat = Beat(looks, 0.01)
        beat.start()
        await asyncio.sleep(0.2)
        beat.stop()
        seen = looks.count
        assert 3 <= seen <= 21
        await asyncio.sleep(0.05)
        assert looks.count == seen

    asyncio.run(run())


def test_it_looks_when_what_waits_is_to_be_shown() -> None:
    async def run() -> None:
        looks = Looks(0.05)
        beat = Beat(looks, 60)
        beat.start()
        assert looks.count == 1
        looks.wait = None
        await asyncio.sleep(0.2)
        assert looks.count == 2
        beat.stop()

    asyncio.run(run())


def test_news_wake_it_and_nothing_else_does(pipe: tuple[int, int]) -> None:
    inward, out = pipe

    async def run() -> None:
        looks = Looks()
        beat = Beat(looks, 0.01, inward)
        beat.start()
        await asyncio.sleep(0.1)
        assert looks.count == 1
        os.write(out, b"...")
        await asyncio.sleep(0.05)
        assert looks.count == 2
        beat.stop()

    asyncio.run(run())


def test_a_collector_that_ended_tells_no_more(pipe: tuple[int, int]) -> None:
    inward, out = pipe

    async def run() -> None:
        looks = Looks()
        beat = Beat(looks, 0.02, inward)
        beat.start()
        os.close(out)
        await asyncio.sleep(0.3)
        beat.stop()
        assert 3 <= looks.count <= 20, "as often as without a pipe, and not at each turn of the loop"

    asyncio.run(run())


def test_what_stopped_does_not_strike() -> None:
    async def run() -> None:
        looks = Looks()
        beat = Beat(looks, 60)
        beat.strike()
        beat.start()
        beat.stop()
        beat.strike()
        assert looks.count == 1

    asyncio.run(run())
