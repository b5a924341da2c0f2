"""What is asked about: only proper names and addresses, for logs are written by strangers."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from flowmon.checks.subject import Subject, of_message, of_problem
from flowmon.model.answers import Message, ProblemRow, Recipient
from flowmon.model.words import DeliveryStatus, Problem

AT = datetime(2026, 11, 24, 10, tzinfo=UTC)


def recipient(address: str, status: DeliveryStatus, relay: str | None) -> Recipient:
    problem = Problem.ROUTING if status is DeliveryStatus.DEFERRED else None
    return Recipient(
        recipient=address, original_recipient=None, status=status, problem=problem, reason=None, reply_code=None,
        enhanced_status=None, diagnostic=None, attempts=1, host="mx1", relay=relay, delay_seconds=1.0, path=["mx1"],
        transient=[],
    )


MESSAGE = Message(
    message_id=None, envelope_sender="Ann@Far.Example", subject=None, size=1, client="unknown[192.0.2.66]",
    first_seen_at=AT, last_seen_at=AT, scenario=None, direction=None, status=DeliveryStatus.DEFERRED,
    problem=Problem.ROUTING, reason=None, hops=[],
    recipients=[
        recipient("bob@good.example", DeliveryStatus.RELAYED, "mx.good.example[192.0.2.1]:25"),
        recipient("carol@slow.example", DeliveryStatus.DEFERRED, "mx.slow.example[2001:db8::5]:25"),
    ],
)


def test_the_worst_recipient_decides() -> None:
    assert of_message(MESSAGE) == Subject(
        recipient_domain="slow.example", sender_domain="far.example", next_hop="mx.slow.example",
        next_address="2001:db8::5", client="192.0.2.66",
    )


@pytest.mark.parametrize(
    "address", ["a@b..example", "a@-\x1b[31m.example", "a@localhost", "a@" + "x" * 64 + ".example", "root"]
)
def test_what_is_no_name_is_not_asked_for(address: str) -> None:
    message = msgspec.structs.replace(
        MESSAGE, envelope_sender=address, client=None, recipients=[recipient(address, DeliveryStatus.DEFERRED, "local")]
    )
    assert not of_message(message)


def test_a_name_in_other_letters_is_asked_for_in_its_ascii_form() -> None:
    message = msgspec.structs.replace(MESSAGE, envelope_sender="a@bücher.example", recipients=[])
    assert of_message(message).sender_domain == "xn--bcher-kva.example"


def test_a_problem_is_asked_about_by_its_next_hop_and_its_last_failures() -> None:
    row = ProblemRow(
        problem=Problem.ROUTING, reason="nxdomain", next_hop="gone.example", messages=1, recipients=1, first_at=AT,
        last_at=AT, trend=[1], senders=["ann@far.example"], sample_recipients=["bob@gone.example"], sample_reply=None,
        open=1, cause="", next_step="",
    )
    assert of_problem(row) == Subject(
        recipient_domain="gone.example", sender_domain="far.example", next_hop="gone.example"
    )
