"""The screens in a browser: whom it lets in, and that a visit has its screen."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from flowmon.commands import serve
from flowmon.errors import FlowmonError
from flowmon.tui.app import FlowmonApp
from flowmon.tui.screens.queues import QueuesPage
from tests.tui.driving import press
from tests.tui.fakes import FakeReader

LINE = ("2026-11-24T09:00:00.000000+00:00 gw postfix/qmgr[7]: B10000001: from=<a@far.example>, size=9, nrcpt=1 "
        "(queue active)\n")


@pytest.mark.parametrize(("host", "told"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
                                            ("192.0.2.1", False), ("mx1", False)])
def test_only_this_machine_counts_as_loopback(host: str, told: bool) -> None:
    assert serve.is_loopback(host) is told


def test_what_a_visitor_starts_is_quoted() -> None:
    words = shlex.split(serve.command(["a b;rm", "-"], 'subject:"x y"', None, Path("/s t.db"), None))
    assert words[1:3] == ["-m", "flowmon.cli"]
    assert words[3:] == ["--filter", 'subject:"x y"', "--store", "/s t.db", "a b;rm", "-"]


def test_a_port_in_use_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(FlowmonError, match="choose another with --host and --port"):
            serve.run([], None, None, None, host="127.0.0.1", port=taken.getsockname()[1], theme=None)


async def test_a_visitor_writes_no_file_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FlowmonApp, "is_web", True)
    app = FlowmonApp(FakeReader())
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "e")
        assert isinstance(app.screen, QueuesPage), "no question where to write to"


async def test_a_visit_sees_the_screens(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text(LINE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    server = subprocess.Popen(
        [sys.executable, "-m", "flowmon.cli", "serve", "--port", str(port), str(log)], env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )
    try:
        assert b"far.example" in await visited(port)
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=15)


async def visited(port: int) -> bytes:
    """What a browser gets until the message of the log is in it."""
    have = b""
    async with aiohttp.ClientSession() as session:
        for _ in range(100):
            try:
                async with session.get(f"http://127.0.0.1:{port}/") as page:
                    assert page.status == 200
                break
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)
        async with session.ws_connect(f"http://127.0.0.1:{port}/ws?width=120&height=40") as line:
            async with asyncio.timeout(20):
                async for message in line:
                    have += message.data if isinstance(message.data, bytes) else b""
                    if b"far.example" in have:
                        break
    return have
