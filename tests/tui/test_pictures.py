"""The screens as pictures. Look at each SVG before `pytest --snapshot-update` makes it the truth."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.tui.conftest import MakeApp
from tests.tui.driving import press, settle, write

Compare = Callable[..., bool]
WIDE, SMALL = (120, 40), (80, 24)


def keys(*pressed: str) -> Callable[[Pilot[None]], object]:
    """Presses keys, each after the answer to the one before."""

    async def run(pilot: Pilot[None]) -> None:
        await settle(pilot)
        for key in pressed:
            await press(pilot, key)

    return run


SCREENS = {
    "overview": (),
    "queues": ("2", "down"),
    "messages": ("3", "down", "right", "right"),
    "message": ("3", "down", "down", "enter"),
    "problems": ("4",),
    "sources": ("5", "down"),
}
LOOKS: dict[str, dict[str, object]] = {"dark": {}, "light": {"theme": "flowmon-light"}, "ascii": {"ascii": True}}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
@pytest.mark.parametrize("screen", SCREENS)
def test_screen(make_app: MakeApp, snap_compare: Compare, screen: str, size: tuple[int, int], look: str) -> None:
    assert snap_compare(make_app(**LOOKS[look]), terminal_size=size, run_before=keys(*SCREENS[screen]))


def test_faulty_filter(make_app: MakeApp, snap_compare: Compare) -> None:
    async def run(pilot: Pilot[None]) -> None:
        await press(pilot, "3", "slash")
        await write(pilot, "from:@corp.example reson:refused")

    assert snap_compare(make_app(), terminal_size=SMALL, run_before=run)
