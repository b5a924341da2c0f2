"""Pressing keys and reading the screen."""

from __future__ import annotations

from textual.pilot import Pilot
from textual.widgets import Input

from flowmon.tui.app import FlowmonApp
from flowmon.tui.screens.base import Page

Driver = Pilot[None]


async def settle(pilot: Driver) -> None:
    """Let every question be answered and shown."""
    for _ in range(3):
        await pilot.pause(0)
        await pilot.app.workers.wait_for_complete()
    await pilot.pause(0)


async def press(pilot: Driver, *keys: str) -> None:
    """Press keys, and wait for what they ask for."""
    await pilot.press(*keys)
    await settle(pilot)


async def write(pilot: Driver, text: str) -> None:
    """Write a text into the filter bar."""
    pilot.app.screen.query_one(Input).insert_text_at_cursor(text)
    await pilot.pause()


async def poll(pilot: Driver) -> None:
    """What the beat does when the last answer was shown for long enough."""
    page = pilot.app.screen
    assert isinstance(page, Page)
    page._rest_until = 0.0
    page.look()
    await settle(pilot)


def lines(pilot: Driver) -> list[str]:
    """What stands on the screen."""
    compositor = pilot.app.screen._compositor
    return ["".join(segment.text for segment in strip) for strip in compositor.render_strips()]


def text(pilot: Driver) -> str:
    """The whole screen in one text."""
    return "\n".join(lines(pilot))


def terms(pilot: Driver) -> list[str]:
    """The filter's terms."""
    return list(app_of(pilot).terms)


def app_of(pilot: Driver) -> FlowmonApp:
    """The application, typed."""
    assert isinstance(pilot.app, FlowmonApp)
    return pilot.app


def notified(pilot: Driver) -> str:
    """What was told at the edge of the screen."""
    return "\n".join(notification.message for notification in pilot.app._notifications)
