"""A list that a filter made shows the recipient that the filter is about, not the worst one of the message."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flowmon.commands import opening
from flowmon.config import Config
from flowmon.store.filter import parse
from tests.commands.conftest import Run
from tests.commands.test_answers import Logs


def recipients(run: Run, logs: Path) -> dict[str, str]:
    """The recipients of the forked message, by status."""
    message = json.loads(run("messages", "--format", "jsonl", logs).out.splitlines()[0])
    return {one["status"]: one["recipient"] for one in message["recipients"]}


@pytest.fixture
def forked(logs: Logs) -> Path:
    """The logs of one message with three recipients: bounced, deferred, delivered."""
    return logs("forked_recipients")


@pytest.mark.parametrize("status", ["bounced", "deferred", "delivered"])
@pytest.mark.parametrize("by", ["status:{status}", "to:{recipient}", "to:{name}", "to:{name}* status:{status}",
                                "(to:{recipient} or to:nobody@nowhere.example)"])
def test_the_recipient_that_the_filter_is_about_is_shown(run: Run, forked: Path, status: str, by: str) -> None:
    one = recipients(run, forked)[status]
    text = by.format(status=status, recipient=one, name=one.partition("@")[0])
    told = run("messages", "--filter", text, forked).out.splitlines()[1]
    assert f" {one} +2 " in told
    assert f" {status} " in told
    with opening.reader([str(forked)], Config()) as reader:
        row = next(row for row in reader.rows(parse(text)) if row.recipient_count == 3)
    assert (row.recipient, row.status.value) == (one, status)


def test_without_such_a_filter_the_worst_is_shown(run: Run, forked: Path) -> None:
    worst = recipients(run, forked)["bounced"]
    for options in ([], ["--filter=age>0s"], ["--filter=-status:held"]):
        assert f" {worst} +2 " in run("messages", *options, forked).out


def test_mail_that_waits_is_told_with_how_long_it_waits(run: Run, forked: Path) -> None:
    told = run("messages", "--filter", "status:open", forked).out.splitlines()[1]
    assert " 2.3s " in told  # from its first line to the last line of all logs


def test_advice_is_for_the_recipient_that_still_waits(run: Run, forked: Path) -> None:
    told = run("trace", "m0@acme.example", forked).out
    assert "still waits: x@sink.example on gw" in told
    assert "why: The host cannot be reached, gave no answer" in told
    bounced = recipients(run, forked)["bounced"]
    asked = run("trace", bounced, forked).out
    assert "still waits" not in asked
    assert "used up the space" in asked
