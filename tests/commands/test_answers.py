"""`messages`, `trace`, `queues`, `problems`, `report`: what they print, in each format."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import Run

Logs = Callable[[str], Path]

MESSAGE = {
    "message_id", "envelope_sender", "subject", "size", "client", "first_seen_at", "last_seen_at", "scenario",
    "direction", "status", "problem", "reason", "recipients", "hops",
}
RECIPIENT = {
    "recipient", "original_recipient", "status", "problem", "reason", "reply_code", "enhanced_status", "diagnostic",
    "attempts", "host", "relay", "delay_seconds", "path", "transient", "next_retry_at",
    "retry_is_exact",
}
HOP = {
    "host", "role", "stage", "queue_id", "arrived_at", "left_at", "next_hop", "link", "certainty", "delays",
}
DELAYS = {"before_queue", "queue", "connect", "transmit"}
ALIVE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
"""What a terminal would act on."""


def _objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("name", ["forked_recipients", "aborted_data", "login_tried_twice", "missing_message_id"])
def test_jsonl_has_every_key_always(run: Run, logs: Logs, name: str) -> None:
    done = run("messages", "--format", "jsonl", logs(name))
    assert done.status == 0
    assert done.err == ""
    for message in _objects(done.out):
        assert set(message) == MESSAGE
        for recipient in message["recipients"]:
            assert set(recipient) == RECIPIENT
        for hop in message["hops"]:
            assert set(hop) == HOP
            assert set(hop["delays"]) == DELAYS
        assert message["first_seen_at"].endswith("Z")


def test_jsonl_worst_recipient_first(run: Run, logs: Logs) -> None:
    fork = _objects(run("messages", "--format", "jsonl", logs("forked_recipients")).out)[0]
    assert [r["status"] for r in fork["recipients"]] == ["bounced", "deferred", "delivered"]
    assert (fork["status"], fork["problem"], fork["reason"]) == ("bounced", "delivery", "mailbox-full")


def test_csv_is_a_row_per_recipient(run: Run, logs: Logs) -> None:
    done = run("messages", "--format", "csv", logs("forked_recipients"))
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert sorted((r["recipient"], r["status"], r["path"]) for r in rows) == [
        ("bob@acme.example", "delivered", "gw hub box"), ("carol@acme.example", "delivered", "hub box"),
        ("dave@acme.example", "bounced", "gw hub"), ("x@sink.example", "deferred", "gw"),
    ]


HOSTILE = "=cmd|'/c calc'!A1@far.example"


@pytest.fixture
def hostile(logs: Logs) -> Path:
    """A sender that a spreadsheet would run, and a subject that a terminal would obey."""
    folder = logs("misleading_lines")
    log = folder / "gw" / "mail.log"
    text = log.read_text().replace("anna@far.example", HOSTILE)
    log.write_text(text.replace("plain from", "\x1b]0;owned\x07\x9b31m\u202e from"))
    return folder


@pytest.mark.parametrize("command", ["messages", "queues", "problems"])
def test_csv_holds_no_formula(run: Run, hostile: Path, command: str) -> None:
    done = run(command, "--format", "csv", hostile)
    cells = [cell for row in csv.reader(io.StringIO(done.out)) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert not ALIVE.search("".join(cells))
    if command == "messages":
        assert f"'{HOSTILE}" in cells


@pytest.mark.parametrize("arguments", [
    ["messages"], ["queues"], ["problems"], ["report"], ["report", "--format", "markdown"], ["trace", "m3@far.example"],
    ["trace", HOSTILE],
])
def test_text_holds_nothing_that_a_terminal_obeys(run: Run, hostile: Path, arguments: list[str]) -> None:
    done = run(*arguments, hostile)
    assert done.status == 0
    assert done.out
    assert not ALIVE.search(done.out)
    assert "\u202e" not in done.out


def test_jsonl_keeps_what_is_written_in_the_log(run: Run, hostile: Path) -> None:
    subjects = [m["subject"] for m in _objects(run("messages", "--format", "jsonl", hostile).out)]
    assert "\x1b[31mred\x1b[0m [bold]not bold[/bold] =cmd|calc" in subjects


@pytest.mark.parametrize("what", [
    "<m0@acme.example>", "m0@acme.example", "B10000000", "1xVo0f-00000A-2i", "C10000000", "dave@acme.example",
])
def test_trace(run: Run, logs: Logs, what: str) -> None:
    done = run("trace", what, logs("forked_recipients"))
    assert done.status == 0
    assert done.out.startswith("BOUNCED  <m0@acme.example>  (recipients: 1 bounced, 1 deferred, 1 delivered)\n")
    for part in (
        "path gw > hub > box", "joined by reply-id (certain)", "why: ", "do:  ", "B10000000: client=", "report made: ",
    ):
        assert part in done.out
    assert "(the log is gone" not in done.out


def test_trace_of_a_recipient_tells_of_that_one(run: Run, logs: Logs) -> None:
    told = run("trace", "x@sink.example", logs("forked_recipients")).out.splitlines()
    assert told[:2] == [
        "DEFERRED  <m0@acme.example>  (recipients: 1 bounced, 1 deferred, 1 delivered)", "  for x@sink.example",
    ]
    first = next(line for line in told if line.startswith("  to "))
    assert first.startswith("  to x@sink.example: deferred ")


def test_trace_by_address_gives_each_message(run: Run, logs: Logs) -> None:
    done = run("trace", "--format", "jsonl", "carol@acme.example", logs("forked_recipients"))
    found = _objects(done.out)
    ids = sorted(d["message"]["message_id"] for d in found)
    assert ids == ["<E1xVo0g-00000B-1A@hub.acme.example>", "<m0@acme.example>"]
    for detail in found:
        assert set(detail) == {
            "id", "message", "attempts", "verdicts", "evidence", "reports", "report_of", "submitted", "cause",
            "next_step", "client_program", "latencies", "login", "ways",
        }
        assert set(detail["message"]) == MESSAGE


def test_trace_of_nothing(run: Run, logs: Logs) -> None:
    done = run("trace", "nobody@nowhere.example", logs("forked_recipients"))
    assert (done.status, done.out) == (1, "")
    assert "nothing is known of 'nobody@nowhere.example'" in done.err


def test_report_json(run: Run, logs: Logs) -> None:
    done = run("report", "--format", "json", logs("forked_recipients"))
    assert done.status == 0
    report = json.loads(done.out)
    assert report["totals"] == {
        "received": 5, "delivered": 6, "forwarded": 0, "deferred": 1, "deferrals": 1, "bounced": 1, "rejected": 0,
        "reject_warnings": 0, "held": 0, "discarded": 0,
        "bytes_received": 1200 + 1500 + 1200 + 2900 + 1200,
        "bytes_delivered": 1200 * 2 + 1500 + 1200 + 2900 + 1200,
    }
    assert report["messages"] == {"bounced": 1, "delivered": 1}
    assert {p["reason"] for p in report["problems"]} == {"mailbox-full", "timeout"}
    assert [q["next_hop"] for q in report["queues"]] == ["mx.sink.example"]


def test_report_of_a_part(run: Run, logs: Logs) -> None:
    done = run("report", "--format", "json", "--filter", "from:<>", logs("forked_recipients"))
    report = json.loads(done.out)
    assert report["filter"] == "from:<>"
    assert report["messages"] == {"delivered": 1}
    assert report["totals"]["received"] == 2


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_report_for_people(run: Run, logs: Logs, form: str) -> None:
    done = run("report", "--format", form, logs("forked_recipients"))
    assert done.status == 0
    for part in ("Log facts", "Messages by outcome", "Problems", "Waiting", "mailbox-full", "mx.sink.example on gw: 1"):
        assert part in done.out


def test_queues_and_problems(run: Run, logs: Logs) -> None:
    folder = logs("forked_recipients")
    (queue,) = _objects(run("queues", "--format", "jsonl", folder).out)
    assert (queue["host"], queue["next_hop"]) == ("gw", "mx.sink.example")
    assert (queue["deferred"], queue["reason"]) == (1, "timeout")
    problems = _objects(run("problems", "--format", "jsonl", folder).out)
    assert {(p["problem"], p["reason"], p["open"]) for p in problems} == {
        ("delivery", "mailbox-full", 0), ("delivery", "timeout", 1)
    }
    assert "DELIVERY" in run("problems", folder).out
    assert "mx.sink.example" in run("queues", folder).out


@pytest.mark.parametrize("format", ["jsonl", "csv", "text"])
def test_reader_that_goes_away(logs: Logs, format: str) -> None:
    folder = logs("forked_recipients")
    line = f"{sys.executable} -m flowmon.cli messages --format {format} {folder} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=30)
    assert done.stderr == ""
    assert done.stdout.strip() == "0"


def test_frozen_mail_is_not_said_to_be_tried_again(run: Run, logs: Logs) -> None:
    frozen = logs("frozen_by_exim")
    told = run("trace", "lee@looped.example", frozen).out
    assert "It is frozen on hub: it is not tried again by itself." in told
    assert "exim -Mt 1xVo17-0000CQ-0V" in told
    assert "frozen" not in run("trace", "kim@looped.example", frozen).out.partition("evidence")[0], "it was thawed"
    queue = json.loads(run("queues", "--format", "jsonl", frozen).out)
    assert queue["next_retry_at"] is None
    assert queue["last_error"] == "frozen: lowest numbered MX record points to local host"
    assert "next try" not in told


def test_a_sender_without_end_leaves_the_table_readable(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    sender = "a" * 5000 + "@far.example"
    log.write_text(
        f"2026-11-24T10:44:26+00:00 mx postfix/qmgr[31]: 4D2C3A1B5F: from=<{sender}>, size=734, nrcpt=1 "
        "(queue active)\n"
    )
    text = run("messages", str(log)).out
    assert max(map(len, text.splitlines())) < 250
    assert "a…  " in text
    assert _objects(run("messages", "--format", "jsonl", str(log)).out)[0]["envelope_sender"] == sender


def test_a_log_read_newest_first_tells_of_no_negative_delay(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text(
        "2026-11-24T10:44:31+00:00 mx postfix/smtp[7]: 4D2C3A1B5F: to=<lee@far.example>, relay=mx.far.example"
        "[192.0.2.7]:25, delay=2.1, delays=0.1/0/1/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 77AB)\n"
        "2026-11-24T10:44:26+00:00 mx postfix/qmgr[31]: 4D2C3A1B5F: from=<kim@acme.example>, size=734, nrcpt=1 "
        "(queue active)\n"
    )
    assert " -" not in run("messages", str(log)).out.splitlines()[1]


@pytest.mark.parametrize("kept", [-100, -4])
def test_a_damaged_archive_is_told(run: Run, tmp_path: Path, kept: int) -> None:
    log = tmp_path / "mail.log.1.gz"
    line = (
        "2026-11-24T10:44:26+00:00 mx postfix/qmgr[31]: {:X}F: from=<kim@acme.example>, size=734, nrcpt=1 "
        "(queue active)\n"
    )
    log.write_bytes(gzip.compress("".join(line.format(7777777 * one) for one in range(1, 200)).encode())[:kept])
    done = run("messages", str(log))
    assert "damaged, read up to byte" in done.err
    assert done.out.count("kim@acme.example") > 100
