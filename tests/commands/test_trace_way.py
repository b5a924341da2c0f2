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


def test_when_deferred_mail_is_tried_again(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    tries = [
        f"2026-11-24T10:{minute:02}:00+00:00 mx postfix/smtp[8]: 4D2C3A1B5F: to=<lee@far.example>, relay=none, "
        "delay=9, delays=0/0/9/0, dsn=4.4.1, status=deferred (connect to mx.far.example[192.0.2.9]:25: timed out)"
        for minute in (0, 10)
    ]
    log.write_text("\n".join([*tries, ""]))
    assert "     next try ~2026-11-24 10:20:00, estimated from the tries so far" in run("trace", "4D2C3A1B5F", log).out
    other = "2026-11-24T10:31:00+00:00 mx postfix/smtpd[9]: 4D2C3A1B60: client=out.far.example[192.0.2.7]"
    log.write_text("\n".join([*tries, other, ""]))
    assert "next try ~2026-11-24 10:20:00 (now), estimated" in run("trace", "4D2C3A1B5F", log).out
    log.write_text("\n".join([tries[0], ""]))
    assert "next try" not in run("trace", "4D2C3A1B5F", log).out
    days_later = "2026-11-30T10:31:00+00:00 mx postfix/smtpd[9]: 4D2C3A1B60: client=out.far.example[192.0.2.7]"
    log.write_text("\n".join([*tries, days_later, ""]))
    assert "next try" not in run("trace", "4D2C3A1B5F", log).out, "it was lost sight of"
