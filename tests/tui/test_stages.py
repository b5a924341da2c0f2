"""Stages, links, loops and the next hop's own id: on the Message screen and in `flowmon trace`, of golden runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from textual.theme import Theme

from flowmon.model.answers import Detail
from flowmon.model.way import hops_to, slowest_stage, stage_seconds, visits
from flowmon.model.words import DeliveryStatus, Stage
from flowmon.tui.glyphs import UNICODE
from flowmon.tui.look import Look
from flowmon.tui.palette import Palette
from flowmon.tui.picture import nodes_of, picture
from flowmon.tui.story import Story
from flowmon.tui.widgets.document import plain_text
from tests.golden import reading
from tests.tui.mail import NOW as MAIL_NOW
from tests.tui.mail import STUCK

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
LOOK = Look(Palette(Theme("plain", primary="#ffffff"), {}), UNICODE, NOW, UTC)
Read = Callable[[str, str], Detail]


@pytest.fixture
def read(tmp_path: Path, utc: None) -> Read:
    """What is known of a message of a run, by its message-id."""

    def reading_(name: str, message_id: str) -> Detail:
        with reading.read([str(reading.copied(name, tmp_path))], reading.configured(name)) as reader:
            detail = reader.detail(reader.find(message_id)[0])
        assert detail is not None
        return detail

    return reading_


def _shown(detail: Detail) -> str:
    return "\n".join("".join(text for text, _ in line.line) for line in Story(detail, []).lines(140, LOOK))


def test_each_stage_shows_its_time(read: Read) -> None:
    detail = read("scenarios_with_domains_given", "n2@acme.example")
    told = stage_seconds(detail, detail.message.recipients[0], NOW)
    assert {stage: round(value or 0, 2) for stage, value in told.items()} == {
        Stage.SENDING: 0.03, Stage.ROUTING: 0.78, Stage.DELIVERY: 0.39}
    assert slowest_stage(told) is None  # none took a second
    assert "sending 0.0s, routing 0.8s, delivery 0.4s" in _shown(detail)


@pytest.mark.parametrize(("message_id", "told"), [
    ("a1@acme.example", "submitted with login bob"), ("a3@acme.example", "made on all itself"),
])
def test_how_a_client_handed_it_in_is_told(message_id: str, told: str, read: Read) -> None:
    assert told in _shown(read("one_host_is_all", message_id))


def test_what_another_server_brought_was_not_submitted(read: Read) -> None:
    assert read("one_host_is_all", "a2@far.example").submitted is None


def test_the_slowest_stage_is_marked_and_waiting_is_not_the_clients(read: Read) -> None:
    detail = read("retried_over_several_mx", "m0@far.example")
    told = stage_seconds(detail, detail.message.recipients[0], NOW)
    assert told[Stage.SENDING] == pytest.approx(0.03)
    assert told[Stage.DELIVERY] == pytest.approx(300.46)
    assert slowest_stage(told) is Stage.DELIVERY
    assert "(slowest)" in _shown(detail)


def test_what_waits_for_its_next_hop_is_being_routed_until_now(read: Read) -> None:
    detail = read("one_host_is_all", "a4@acme.example")
    told = stage_seconds(detail, detail.message.recipients[0], NOW)
    assert slowest_stage(told) is Stage.ROUTING
    assert told[Stage.ROUTING] == pytest.approx(3569.97)
    assert told[Stage.DELIVERY] is None


def test_one_recipients_wait_is_not_anothers(read: Read) -> None:
    detail = read("through_sendmail", "m0@far.example")
    there = next(r for r in detail.message.recipients if r.recipient == "bob@acme.example")
    assert slowest_stage(stage_seconds(detail, there, NOW)) is None


def test_two_queues_of_one_host_are_two_steps(read: Read) -> None:
    detail = read("exchange_queue_in_retry", "7f3a.1@ex01.contoso.example")
    (one,) = detail.message.recipients
    hops = hops_to(detail, one)
    assert [hop.queue_id for hop in hops] == ["submission/993", "64712272257894"]
    assert hops[-1].left_at is None
    told = stage_seconds(detail, one, NOW)
    assert told[Stage.SENDING] == pytest.approx(0.1)
    assert slowest_stage(told) is Stage.ROUTING
    boxes = "\n".join("".join(text for text, _ in line) for line in picture(detail, NOW, 118, UNICODE))
    assert "64712272257894" in boxes
    assert "waits 59m" in boxes


def test_copies_for_several_recipients_on_one_host_are_told_apart(read: Read) -> None:
    detail = read("split_by_policy", "s701@far.example")
    ways = {one.recipient: [hop.queue_id for hop in hops_to(detail, one)] for one in detail.message.recipients}
    assert ways == {"kim@beta.example": ["701", "703"], "bob@acme.example": ["701", "702"],
                    "lee@acme.example": ["701", "702"]}


def test_a_loop_is_shown_with_its_rounds(read: Read) -> None:
    detail = read("loop", "m0@far.example")
    assert visits(detail.message.recipients[0].path) == ("gw", 3)
    shown = _shown(detail)
    assert "Loop" in shown
    assert "5 hops: it came to gw 3 times" in shown


def test_a_way_without_a_loop_is_none(read: Read) -> None:
    shown = _shown(read("alias_to_several_hosts", "m0@far.example"))
    assert "Loop" not in shown
    assert "Came again" not in shown


@pytest.mark.parametrize(("name", "link"), [
    ("alias_to_several_hosts", "linked by reply-id (certain)"),
    ("forward", "linked by queue-id (certain)"),
    ("list_through_sendmail", "linked by queue-id (certain)"),
    ("one_message_id_without_reply_ids", "linked by message-id (probable)"),
    ("greylisted_over_two_mx", "linked by session (strong)"),
])
def test_each_link_tells_its_basis_and_how_sure_it_is(name: str, link: str, read: Read) -> None:
    with reading.read([str(reading.FOLDER / name / "logs")]) as reader:
        details = [reader.detail(row.id) for row in reader.rows()]
    assert any(link in _shown(detail) for detail in details if detail is not None)


def test_the_next_hops_own_id_is_the_last_trace(read: Read) -> None:
    shown = _shown(read("providers_ids_are_the_last_trace", "m0@acme.example"))
    assert "next hop's own id: 5b1f17b1804b1-4a5d3f0e5si123.90" in shown
    assert "next hop's own id: 5471" in shown


def test_the_headline_tells_when_those_it_speaks_of_came_to_their_end() -> None:
    message = STUCK.message
    gone = msgspec.structs.replace(
        message.recipients[0], status=DeliveryStatus.BOUNCED, reason="user-unknown", delay_seconds=2.0
    )
    told = msgspec.structs.replace(
        message, status=DeliveryStatus.BOUNCED, reason="user-unknown", recipients=[gone, *message.recipients[1:]]
    )
    shown = _shown(msgspec.structs.replace(STUCK, message=told))
    assert "bounced   1 of 3 recipients: " in shown
    assert "(user-unknown), 2.0s after it was first seen" in shown, "not when others were last told of"


@pytest.mark.parametrize("width", [140, 80])
def test_a_step_that_fails_has_the_sign_of_what_became_of_it(width: int) -> None:
    message = STUCK.message
    for status in (DeliveryStatus.DEFERRED, DeliveryStatus.BOUNCED):
        one = msgspec.structs.replace(message.recipients[0], status=status)
        alone = msgspec.structs.replace(message, status=status, recipients=[one])
        drawn = picture(msgspec.structs.replace(STUCK, message=alone), MAIL_NOW, width, UNICODE)
        signs = {sign for line in drawn for text, _ in line for sign in text} & {*UNICODE.status.values()}
        assert signs == {UNICODE.status[status]}


def test_mail_that_was_not_tried_yet_does_not_seem_to_be_refused() -> None:
    waits = msgspec.structs.replace(STUCK.message, status=DeliveryStatus.QUEUED, reason=None, recipients=[])
    assert "None is named yet" in _shown(msgspec.structs.replace(STUCK, message=waits))
    over = msgspec.structs.replace(waits, status=DeliveryStatus.REJECTED)
    assert "before the session ended" in _shown(msgspec.structs.replace(STUCK, message=over))


def test_what_waits_is_drawn_before_what_failed_for_good(read: Read) -> None:
    detail = read("forked_recipients", "m0@acme.example")
    assert detail.message.status is DeliveryStatus.BOUNCED
    drawn = "\n".join("".join(text for text, _ in line) for line in picture(detail, NOW, 140, UNICODE))
    assert drawn.index("mx.sink.example") < drawn.index("dave@acme.example")
    assert "deferred" in drawn


@pytest.mark.parametrize("width", [80, 140])
def test_tries_of_several_recipients_name_them(width: int, read: Read) -> None:
    story = Story(read("forked_recipients", "m0@acme.example"), [])
    told = ["".join(text for text, _ in line.line) for line in story.attempts(width, LOOK)]
    assert sum("for dave@acme.example" in line for line in told) == 2  # at the relay and at the mailbox store
    assert max(map(len, told)) <= width


def test_tries_of_one_recipient_do_not_name_it(read: Read) -> None:
    alone = read("deferred_then_delivered", reading.expected("deferred_then_delivered")[0]["message_id"])
    assert len(alone.message.recipients) == 1
    assert "  for " not in "".join(text for line in Story(alone, []).attempts(140, LOOK) for text, _ in line.line)


def test_a_long_verdict_is_told_whole(read: Read) -> None:
    story = Story(read("forked_recipients", "m0@acme.example"), [])
    whole, narrow = (
        " ".join("".join(text for text, _ in line.line).strip() for line in story.verdict(width, LOOK)[:place])
        for width, place in ((140, 1), (60, 3))
    )
    assert narrow == whole


def test_mail_whose_other_recipients_are_not_named_says_so(read: Read) -> None:
    detail = read("partly_tried_mail_waits", "m1@acme.example")
    assert detail.message.status is DeliveryStatus.QUEUED
    assert "took it for 2 recipients and names 1 of them" in str(detail.cause)
    assert "look for 4F1A2B3C1E in the queue of mx" in str(detail.next_step)


def test_when_deferred_mail_is_tried_again() -> None:
    def shown(**last: object) -> str:
        """The recipients of the stuck message, the last one of them told otherwise."""
        message = STUCK.message
        changed = [*message.recipients[:-1], msgspec.structs.replace(message.recipients[-1], **last)]
        story = Story(msgspec.structs.replace(STUCK, message=msgspec.structs.replace(message, recipients=changed)), [])
        return "\n".join(map(plain_text, story.lines(140, replace(LOOK, now=MAIL_NOW))))

    one = shown()
    assert " Next try    09:53:30 (~12m), estimated from the tries so far\n" in one
    assert one.count("next try 09:53:30") == 1, "with the recipient, as there are others"
    both = shown(status=DeliveryStatus.DEFERRED, next_retry_at=MAIL_NOW, retry_is_exact=True)
    assert " Next try    09:41:30 (now), as the MTA has it, for archive@corp.example\n" in both
    assert "next try 09:41:30 (now), as the MTA has it" in both
    assert "next try 09:53:30 (~12m), estimated from the tries so far" in both


@pytest.mark.parametrize(("status", "beyond"), [
    (DeliveryStatus.BOUNCED, ["relay1", "nowhere.example"]), (DeliveryStatus.HELD, ["edge", "relay1"]),
])  # fmt: skip
def test_what_was_tried_nowhere_is_drawn_at_no_server_of_another(status: DeliveryStatus, beyond: list[str]) -> None:
    first, *others = STUCK.message.recipients
    unknown = msgspec.structs.replace(first, recipient="kim@nowhere.example", status=status, relay=None)
    message = msgspec.structs.replace(STUCK.message, recipients=[unknown, *others])
    drawn = nodes_of(msgspec.structs.replace(STUCK, message=message), unknown, MAIL_NOW)
    assert [node.name for node in drawn][-2:] == beyond
