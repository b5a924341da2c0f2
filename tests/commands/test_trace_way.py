"""`flowmon trace` tells how long each stage took, how often a loop came round, and the last id that is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.commands.conftest import Run

Logs = Callable[[str], Path]


def test_stages_and_the_next_hops_own_id(run: Run, logs: Logs) -> None:
    out = run("trace", "m0@far.example", logs("retried_over_several_mx")).out
    assert "next hop's own id 7301" in out
    assert "sending 0.0s, delivery 5m00s (slowest)" in out


def test_a_loop_and_its_rounds(run: Run, logs: Logs) -> None:
    out = run("trace", "m0@far.example", logs("loop")).out
    assert "loop: 5 hops, 3 times at gw" in out
    assert "next hop's own id" not in out  # it never left our logs
