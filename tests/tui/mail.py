"""A morning of mail: the answers of the fake reader, at a fixed time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from flowmon.model.answers import (
    Attempt,
    Delays,
    Detail,
    Evidence,
    Health,
    Hop,
    Message,
    MessageRow,
    ProblemRow,
    QueueRow,
    Recipient,
    SourceRow,
    Verdict,
)
from flowmon.model.outcomes import Outcomes
from flowmon.model.words import (
    Certainty,
    DeliveryStatus,
    Direction,
    LinkBasis,
    Problem,
    Role,
    Scenario,
    Stage,
)

NOW = datetime(2026, 3, 10, 9, 41, 30, tzinfo=UTC)
HOSTILE = "[bold red]not markup[/] \x1b[31mred\x1b[0m \x9b2J \u202egnp.exe\u202c tab\there"


def ago(**span: float) -> datetime:
    """A time before NOW."""
    return NOW - timedelta(**span)


HEALTH = Health(
    collecting=True, backlog_bytes=0, lag_seconds=0.4, lines_per_second=124.2, unparsed_share=0.002, sources=5,
    stale_sources=1, failed_sources=1, open_messages=61, notices=[],
)  # fmt: skip


def queue(next_hop: str, host: str, messages: int, minutes: float, **more: Any) -> QueueRow:
    """A queue whose oldest message waits so many minutes."""
    values: dict[str, Any] = {
        "deferred": messages, "held": 0, "in_per_minute": 0.4, "out_per_minute": 0.1, "velocity": -0.3,
        "next_retry_at": NOW + timedelta(minutes=4), "last_error": None, "problem": None, "reason": None,
        "trend": [messages * n // 20 for n in range(20)], "ages": [messages, *[0] * 9], **more,
    }  # fmt: skip
    return QueueRow(next_hop=next_hop, host=host, messages=messages, oldest_at=ago(minutes=minutes), **values)


QUEUES = [
    queue(
        "mx.partner.example", "relay1", 42, 187, problem=Problem.DELIVERY, reason="refused", velocity=-3.2,
        in_per_minute=3.4, out_per_minute=0.2,
        last_error="connect to mx.partner.example[192.0.2.25]:25: Connection refused",
        ages=[6, 8, 9, 7, 5, 4, 3, 0, 0, 0],
    ),
    queue(
        "mbx2.corp.example", "relay1", 11, 64, problem=Problem.DELIVERY, reason="mailbox-full", velocity=1.5,
        last_error="452 4.2.2 <lena@corp.example> mailbox full", ages=[1, 2, 4, 3, 1, 0, 0, 0, 0, 0],
    ),
    queue(
        "nowhere.example", "relay2", 5, 320, problem=Problem.ROUTING, reason="dns-failure", velocity=0.0,
        last_error="Host or domain name not found. Name service error for name=nowhere.example type=MX",
        ages=[0, 0, 1, 0, 0, 2, 1, 1, 0, 0],
    ),
    queue("gmail.com", "edge", 2, 3, deferred=1, reason="greylist", problem=Problem.POLICY, velocity=None,
          last_error="450 4.7.1 Greylisted, try again later", ages=[2, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    queue("filter.corp.example", "edge", 1, 0.3, deferred=0, velocity=12.0, next_retry_at=None,
          ages=[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
]  # fmt: skip


def problem(kind: Problem, reason: str, next_hop: str | None, messages: int, **more: Any) -> ProblemRow:
    """A group of failures."""
    values: dict[str, Any] = {
        "recipients": messages + messages // 3, "first_at": ago(hours=3), "last_at": ago(minutes=messages % 7 + 1),
        "trend": [messages * (n % 5) // 8 for n in range(24)], "senders": ["anna@corp.example", "billing@corp.example"],
        "sample_recipients": ["orders@partner.example"], "sample_reply": None, "open": 0,
        "cause": "The cause is told here.", "next_step": "What to do is told here.",
    }  # fmt: skip
    return ProblemRow(problem=kind, reason=reason, next_hop=next_hop, messages=messages, **{**values, **more})


PROBLEMS = [
    problem(
        Problem.DELIVERY, "refused", "mx.partner.example", 42, open=42,
        cause="The server of the next hop refuses connections on port 25: it is down, or a firewall stands before it.",
        next_step="Ask the administrator of partner.example; mail goes out by itself once it answers.",
        sample_reply="connect to mx.partner.example[192.0.2.25]:25: Connection refused",
    ),
    problem(
        Problem.DELIVERY, "mailbox-full", "mbx2.corp.example", 11, open=11,
        cause="The mailbox has reached its quota.", next_step="Ask the user to clear space, or raise the quota.",
        sample_reply="452 4.2.2 <lena@corp.example> mailbox full",
    ),
    problem(Problem.DELIVERY, "user-unknown", "mbx1.corp.example", 7, sample_reply="550 5.1.1 User unknown"),
    problem(Problem.ROUTING, "dns-failure", "nowhere.example", 5, open=5, sample_reply="Name service error"),
    problem(Problem.ROUTING, "loop", "relay2", 1, sample_reply="554 5.4.6 Too many hops"),
    problem(
        Problem.AUTHENTICATION, "dmarc", "mx.bank.example", 9,
        sample_reply="550 5.7.26 Unauthenticated email from corp.example is not accepted due to DMARC policy",
    ),
    problem(Problem.AUTHENTICATION, "smtp-auth", None, 38, senders=[], sample_recipients=[]),
    problem(Problem.POLICY, "greylist", "gmail.com", 4, open=1),
    problem(Problem.POLICY, "blocklist", None, 17),
    problem(Problem.SPAM, "spam", None, 23, sample_reply=HOSTILE),
]


def message_row(number: int, status: DeliveryStatus, sender: str | None, to: str | None, **more: Any) -> MessageRow:
    """A message that was first seen so many times eleven seconds ago."""
    values: dict[str, Any] = {
        "first_seen_at": ago(seconds=11 * number), "last_seen_at": ago(seconds=10 * number), "recipient_count": 1,
        "problem": None, "reason": None, "host": "relay1", "hops": 2, "attempts": 1, "size": 4096 + number * 731,
        "subject": "Minutes of the meeting",
    }  # fmt: skip
    return MessageRow(id=number, envelope_sender=sender, recipient=to, status=status, **{**values, **more})


_S = DeliveryStatus
ROWS = [
    message_row(1, _S.DELIVERED, "anna@corp.example", "ben@corp.example", host="mbx1"),
    message_row(2, _S.RELAYED, "anna@corp.example", "carol@gmail.com", host="edge", subject="Grüße aus Köln — 你好"),
    message_row(
        3, _S.DEFERRED, "billing@corp.example", "orders@partner.example", problem=Problem.DELIVERY, reason="refused",
        attempts=14, recipient_count=3, first_seen_at=ago(hours=3, minutes=7), subject="Invoice 2026-0311",
    ),
    message_row(
        4, _S.REJECTED, "win@prize.example", "ben@corp.example", problem=Problem.SPAM, reason="spam", host="edge",
        hops=1, attempts=0, subject=HOSTILE,
    ),
    message_row(
        5, _S.BOUNCED, "dora@corp.example", "typo@corp.example", problem=Problem.DELIVERY, reason="user-unknown",
        subject="Lunch?",
    ),
    message_row(6, _S.DELIVERED, "", "dora@corp.example", subject="Mail Returned to Sender", size=9_400_000),
    message_row(7, _S.QUEUED, "ben@corp.example", "list@corp.example", recipient_count=120, host="edge", attempts=0),
    message_row(8, _S.HELD, "ben@corp.example", "press@news.example", reason="hold", host="edge"),
    message_row(9, _S.QUARANTINED, "info@shady.example", "anna@corp.example", problem=Problem.SPAM, reason="virus"),
    message_row(10, _S.EXPIRED, "dora@corp.example", "x@nowhere.example", problem=Problem.ROUTING,
                reason="dns-failure"),
    message_row(11, _S.DISCARDED, "robot@ads.example", "ben@corp.example", subject=None, size=None),
    message_row(12, _S.REJECTED, None, None, problem=Problem.AUTHENTICATION, reason="smtp-auth", recipient_count=0,
                host="edge", hops=1, attempts=0, size=None, subject=None),
    *(
        message_row(
            number, _S.DELIVERED if number % 3 else _S.RELAYED, f"user{number % 17}@corp.example",
            f"friend{number}@{'gmail.com' if number % 3 == 0 else 'corp.example'}",
        )
        for number in range(13, 400)
    ),
]  # fmt: skip


def hop(host: str, role: Role, stage: Stage, queue_id: str, minutes: float, took: float | None, **more: Any) -> Hop:
    """A hop that a message reached so many minutes ago and left after `took` seconds."""
    at = ago(minutes=minutes)
    left = None if took is None else at + timedelta(seconds=took)
    values: dict[str, Any] = {"next_hop": None, "link": None, "certainty": None, "delays": Delays()}
    return Hop(
        host=host, role=role, stage=stage, queue_id=queue_id, arrived_at=at, left_at=left, **{**values, **more}
    )


def recipient(address: str, status: DeliveryStatus, **more: Any) -> Recipient:
    """A recipient."""
    values: dict[str, Any] = {
        "original_recipient": None, "problem": None, "reason": None, "reply_code": None, "enhanced_status": None,
        "diagnostic": None, "attempts": 1, "host": "relay1", "relay": None, "delay_seconds": None,
        "path": ["edge", "relay1"], "transient": [],
    }  # fmt: skip
    return Recipient(recipient=address, status=status, **{**values, **more})


EDGE_LOG = "/var/log/flowmon-test/edge/mail.log"

STUCK = Detail(
    id=3,
    message=Message(
        message_id="<3.20260310@corp.example>", envelope_sender="billing@corp.example", subject="Invoice 2026-0311",
        size=6289, client="192.0.2.17", first_seen_at=ago(minutes=187), last_seen_at=ago(minutes=1),
        scenario=Scenario.INTER, direction=Direction.OUTBOUND, status=_S.DEFERRED, problem=Problem.DELIVERY,
        reason="refused",
        recipients=[
            recipient(
                "orders@partner.example", _S.DEFERRED, problem=Problem.DELIVERY, reason="refused", attempts=14,
                enhanced_status="4.4.1", relay="mx.partner.example",
                diagnostic="connect to mx.partner.example[192.0.2.25]:25: Connection refused",
                next_retry_at=NOW + timedelta(minutes=12),
            ),
            recipient(
                "ben@corp.example", _S.DELIVERED, reply_code=250, enhanced_status="2.1.5", relay="mbx1",
                delay_seconds=2.4, path=["edge", "relay1", "mbx1"], diagnostic="250 2.1.5 Ok", host="mbx1",
            ),
            recipient(
                "archive@corp.example", _S.DELIVERED, original_recipient="all@corp.example", relay="mbx2",
                delay_seconds=421.0, path=["edge", "relay1", "mbx2"], transient=[Problem.POLICY], attempts=2,
                host="mbx2", diagnostic="250 2.0.0 <archive@corp.example> Saved",
            ),
        ],
        hops=[
            hop("edge", Role.GATEWAY, Stage.SENDING, "4Xk2mQ1zVz", 187, 0.8, next_hop="relay1",
                delays=Delays(before_queue=0.3, queue=0.1, connect=0.1, transmit=0.3)),
            hop("relay1", Role.RELAY, Stage.ROUTING, "7FA0C20119", 186.98, None, next_hop="mx.partner.example",
                link=LinkBasis.REPLY_ID, certainty=Certainty.CERTAIN, delays=Delays(before_queue=0.2)),
            hop("mbx1", Role.SERVER, Stage.DELIVERY, "mbx1-5512", 186.95, 0.3,
                link=LinkBasis.REPLY_ID, certainty=Certainty.CERTAIN),
            hop("mbx2", Role.SERVER, Stage.DELIVERY, "mbx2-0077", 180, 0.2,
                link=LinkBasis.MESSAGE_ID, certainty=Certainty.PROBABLE),
        ],
    ),
    attempts=[
        Attempt("orders@partner.example", "relay1", "7FA0C20119", "mx.partner.example", _S.DEFERRED, Problem.DELIVERY,
                "refused", "connect to mx.partner.example[192.0.2.25]:25: Connection refused", 14, ago(minutes=186),
                ago(minutes=1)),
        Attempt("ben@corp.example", "relay1", "7FA0C20119", "mbx1", _S.DELIVERED, None, None, "250 2.1.5 Ok", 1,
                ago(minutes=186.95), ago(minutes=186.95)),
        Attempt("archive@corp.example", "relay1", "7FA0C20119", "mbx2", _S.DEFERRED, Problem.POLICY, "greylist",
                "450 4.7.1 Try again later", 1, ago(minutes=186.9), ago(minutes=186.9)),
        Attempt("archive@corp.example", "relay1", "7FA0C20119", "mbx2", _S.DELIVERED, None, None,
                "250 2.0.0 <archive@corp.example> Saved", 1, ago(minutes=180), ago(minutes=180)),
    ],
    verdicts=[
        Verdict(ago(minutes=187), "edge", "rspamd", "no action", 1.2, "R_SPF_ALLOW, R_DKIM_ALLOW, DMARC_POLICY_ALLOW"),
    ],
    evidence=[
        Evidence(None, "edge", EDGE_LOG, 10240, "Mar 10 06:34:30 edge postfix/smtpd[811]: "
                 "4Xk2mQ1zVz: client=pc17.corp.example[192.0.2.17], sasl_username=billing"),
        Evidence(None, "edge", EDGE_LOG, 10771, "Mar 10 06:34:30 edge postfix/cleanup[812]: "
                 "4Xk2mQ1zVz: message-id=<3.20260310@corp.example>"),
        Evidence(None, "relay1", "/var/log/flowmon-test/relay1/mail.log", 88031, None),
        Evidence(None, "relay1", "/var/log/flowmon-test/relay1/mail.log", 99999, HOSTILE),
    ],
    reports=[],
    report_of=None, submitted=None, ways=[[0, 1], [0, 1, 2], [0, 1, 3]],
    cause="The server of the next hop refuses connections on port 25: it is down, or a firewall stands before it.",
    next_step="Ask the administrator of partner.example; mail goes out by itself once it answers.",
)  # fmt: skip


SOURCES = [
    SourceRow("/var/log/edge/mail.log", "edge", "postfix+rspamd", 8_412_331, 8_412_331, 0, 61_204, 12, 902, 88.1,
              ago(seconds=1), ago(seconds=0), None,
              ["Mar 10 09:41:02 edge postfix/smtpd[811]: strange line " + HOSTILE]),
    SourceRow("/var/log/relay1/mail.log", "relay1", "postfix", 31_010_200, 31_010_200, 0, 210_883, 0, 0, 36.0,
              ago(seconds=2), ago(seconds=0), None, []),
    SourceRow("/var/log/mbx1/dovecot.log", "mbx1", "dovecot", 410_200, 1_820_000, 1_409_800, 4_118, 0, 0, 812.0,
              ago(hours=4), ago(seconds=0), None, []),
    SourceRow("/var/log/mbx2/maillog", "mbx2", None, 0, 0, 0, 0, 0, 0, None, None, None,
              "Permission denied: this account may not read it. Add it to the group adm, or start with sudo.", []),
    SourceRow("/var/log/old/mainlog.2.gz", "old", "exim", 52_000, 52_000, 0, 900, 3, 0, None, ago(days=12),
              ago(minutes=5), None, ["2026-02-26 10:00:00 unusual words"]),
]  # fmt: skip


def minutes(count: int) -> list[Outcomes]:
    """A morning: mail rises and falls, and refusals come in two waves."""
    last = NOW.replace(second=0)
    return [
        Outcomes(
            last - timedelta(minutes=place),
            delivered=30 + place * 7 % 23 + (count - place) // 3,
            relayed=8 + place * 5 % 11,
            deferred=place * 3 % 4 if place < 40 else 0,
            bounced=2 if place % 17 == 0 else 0,
            rejected=9 - place % 9 if 20 < place < 50 else 0,
        )
        for place in range(count - 1, -1, -1)
    ]  # fmt: skip


def raw_detail(path: Path, offset: int) -> Detail:
    """The stuck message, with one line of evidence in a real file."""
    return msgspec.structs.replace(STUCK, evidence=[Evidence(None, "relay1", str(path), offset, None)])
