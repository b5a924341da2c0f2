"""The DNS is asked when a key says so, and its answers are shown as harmless as log text."""

from __future__ import annotations

import pytest

from flowmon.checks import dns
from tests.checks.zone import Zone, resolver
from tests.tui.conftest import MakeApp
from tests.tui.driving import press, text

ZONE: Zone = {
    "corp.example": {"MX": ["10 mx.corp.example."], "TXT": [r'"v=spf1 \027[31m[bold]ip4:192.0.2.1[/] -all"']},
    "mx.corp.example": {"A": ["192.0.2.10"]},
}


async def test_a_key_asks_the_dns_and_nothing_else_does(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    async with resolver(ZONE) as (asking, asked):
        monkeypatch.setattr(dns, "system_resolver", lambda: asking)
        async with make_app().run_test(size=(120, 40)) as pilot:
            await press(pilot, "4")
            await press(pilot, "1")
            await press(pilot, "3")
            await press(pilot, "down", "down", "enter")
            assert asked == []
            await press(pilot, "d")
            shown = text(pilot)
            assert asked
            assert "What the DNS says now" in shown
            assert "\x1b" not in shown
            await press(pilot, "escape", "escape", "4")
            await press(pilot, "d")
            assert "What the DNS says now" in text(pilot)


async def test_what_hinders_asking_is_said(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_configured() -> dns.Resolver:
        raise OSError("no name server is configured here")

    monkeypatch.setattr(dns, "system_resolver", none_configured)
    async with make_app().run_test(size=(80, 24)) as pilot:
        await press(pilot, "3")
        await press(pilot, "down", "down", "enter")
        await press(pilot, "d")
        assert "no name server is configured here" in text(pilot)
