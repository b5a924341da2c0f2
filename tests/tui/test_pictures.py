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


@pytest.mark.parametrize(
    ("pressed", "size", "settings"),
    [
        pytest.param((), WIDE, {}, id="overview"),
        pytest.param((), SMALL, {}, id="overview-small"),
        pytest.param((), SMALL, {"ascii": True}, id="overview-ascii"),
        pytest.param((), WIDE, {"theme": "flowmon-light"}, id="overview-light"),
        pytest.param(("2", "down"), WIDE, {}, id="queues"),
        pytest.param(("3", "down", "right", "right"), SMALL, {}, id="messages-small"),
        pytest.param(("4",), WIDE, {}, id="problems"),
        pytest.param(("5", "down"), SMALL, {}, id="sources-small"),
        pytest.param(("3", "down", "down", "enter"), WIDE, {}, id="message"),
        pytest.param(("3", "down", "down", "enter"), SMALL, {}, id="message-small"),
    ],
)
def test_screen(
    make_app: MakeApp,
    snap_compare: Compare,
    pressed: tuple[str, ...],
    size: tuple[int, int],
    settings: dict[str, object],
) -> None:
    assert snap_compare(make_app(**settings), terminal_size=size, run_before=keys(*pressed))


def test_faulty_filter(make_app: MakeApp, snap_compare: Compare) -> None:
    async def run(pilot: Pilot[None]) -> None:
        await press(pilot, "3", "slash")
        await write(pilot, "from:@corp.example reson:refused")

    assert snap_compare(make_app(), terminal_size=SMALL, run_before=run)
