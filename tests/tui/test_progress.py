"""How far history is read, and how long the rest takes."""

from __future__ import annotations

import msgspec
import pytest

from flowmon.tui.format import span
from flowmon.tui.progress import Progress
from flowmon.tui.widgets.health import progress
from tests.tui.conftest import MakeApp
from tests.tui.driving import lines, settle
from tests.tui.fakes import FakeReader
from tests.tui.mail import HEALTH


def test_the_time_left_goes_by_the_pace_of_the_last_seconds(reader: FakeReader) -> None:
    now = 100.0
    taken = Progress(clock=lambda: now)
    left = None
    for second in range(8):
        now = 100.0 + second
        reader.state = msgspec.structs.replace(HEALTH, backlog_bytes=50_000_000 - second * 5_000_000)
        left = taken.pulse(reader).left_seconds
    assert left == pytest.approx(3.0)
    now += 1
    reader.state = HEALTH
    assert taken.pulse(reader).left_seconds is None


def test_the_first_look_knows_no_pace(reader: FakeReader) -> None:
    reader.state = msgspec.structs.replace(HEALTH, backlog_bytes=50_000_000)
    pulse = Progress().pulse(reader)
    assert pulse.left_seconds is None
    told = "".join(text for phrase in progress(pulse) for text, _ in phrase)
    assert told == "50M left to read"


async def test_the_health_line_says_it(make_app: MakeApp, reader: FakeReader) -> None:
    reader.state = msgspec.structs.replace(HEALTH, backlog_bytes=50_000_000)
    async with make_app().run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "50M left to read" in lines(pilot)[2]
    assert span(75) == "1m15"
