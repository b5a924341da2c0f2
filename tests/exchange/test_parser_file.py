"""The parser file proves itself by its samples, and every event-id has its place."""

from __future__ import annotations

from typing import Any

import pytest

from flowmon.parsing.check import faults, read_one
from flowmon.parsing.format import Format
from tests.exchange.reading import facts, read, tracking
from tests.exchange.writer import EX01, EX02, Log, Message, Values, accepted, between, row

MESSAGE = Message("anna@contoso.example", ["ben@contoso.example"])
FABRIKAM = {"ip": "203.0.113.50", "name": "mx.fabrikam.example"}


@pytest.fixture(scope="module")
def format() -> Format:
    """The format under test."""
    return tracking()


def test_samples_prove_every_rule(format: Format) -> None:
    assert faults(format) == []


def told(format: Format, source: str, event_id: str, *messages: Message, **values: str) -> list[dict[str, Any]]:
    """What the row of an event tells."""
    log = Log()
    for message in messages or (MESSAGE,):
        log.add("2026-11-24T09:00:00.400Z", source, event_id, message.values(7001), **values)
    events, reader = read(log.data(), format)
    assert reader.counters.unmatched == 0, list(reader.counters.samples)
    return [facts(event) for event in events]


IGNORED = (
    "NOTIFYMAPI", "NOTIFYSHADOW", "HAREDIRECT", "HARECEIVE", "HADISCARD", "HAREDIRECTFAIL", "RESUBMIT", "RESUBMITDEFER",
    "RESUBMITFAIL", "LOAD", "PROCESS", "PROCESSMEETINGMESSAGE", "DUPLICATEEXPAND", "DUPLICATEREDIRECT",
    "MODERATORAPPROVE", "AGENTINFO",
)


@pytest.mark.parametrize("event_id", IGNORED)
def test_ignored_with_a_reason(format: Format, event_id: str) -> None:
    line = row({"date-time": "2026-11-24T09:00:00.400Z", "event-id": event_id, **MESSAGE.values(7001)})
    events, taken, understood = read_one(format, line)
    assert events == []
    assert understood
    reasons = {rule.name: rule.ignored for rule, _ in format.records}
    assert reasons[taken[-1]]


STATUS = (
    ("STOREDRIVER", "SUBMIT", "relayed", "submission/7001", "ex01"),
    ("STOREDRIVER", "SUBMITDEFER", "deferred", "submission/7001", "ex01"),
    ("STOREDRIVER", "SUBMITFAIL", "bounced", "submission/7001", "ex01"),
    ("SMTP", "SEND", "relayed", "7001", "ex01"),
    ("SMTP", "SENDEXTERNAL", "relayed", "7001", "ex01"),
    ("STOREDRIVER", "DELIVER", "delivered", "delivery/7001", "ex02"),
    ("STOREDRIVER", "DUPLICATEDELIVER", "delivered", "delivery/7001", "ex02"),
    ("STOREDRIVER", "DELIVERFAIL", None, "delivery/7001", "ex02"),
    ("SMTP", "DEFER", "deferred", "7001", "ex01"),
    ("ROUTING", "DEFER", "deferred", "7001", "ex01"),
    ("SMTP", "THROTTLE", "deferred", "7001", "ex01"),
    ("SMTP", "FAIL", "bounced", "7001", "ex01"),
    ("ROUTING", "FAIL", "bounced", "7001", "ex01"),
    ("DNS", "FAIL", "bounced", "7001", "ex01"),
    ("ADMIN", "FAIL", "removed", "7001", "ex01"),
    ("ADMIN", "DROP", "removed", "7001", "ex01"),
    ("AGENT", "DROP", "discarded", "7001", "ex01"),
    ("SMTP", "SUPPRESSED", "discarded", "7001", "ex01"),
    ("PICKUP", "BADMAIL", "bounced", "7001", "ex01"),
    ("APPROVAL", "INITMESSAGECREATED", "held", "7001", "ex02"),
    ("APPROVAL", "MODERATORREJECT", "bounced", "moderation/7001", "ex02"),
    ("APPROVAL", "MODERATIONEXPIRE", "bounced", "moderation/7001", "ex02"),
    ("APPROVAL", "MODERATORSALLNDR", "bounced", "moderation/7001", "ex02"),
)


@pytest.mark.parametrize(("source", "event_id", "status", "queue_id", "host"), STATUS)
def test_status_of_the_recipient(
    format: Format, source: str, event_id: str, status: str | None, queue_id: str, host: str
) -> None:
    (event,) = told(format, source, event_id, **between(EX01, EX02))
    assert (event["kind"], event.get("status"), event["queue_id"], event["host"]) == ("attempt", status, queue_id, host)
    assert event["recipient"] == "ben@contoso.example"


FAILURES = (
    ("550 5.2.1 Message deleted by the transport rules agent", "discarded"),
    ("550 5.2.1 Content Filter agent quarantined this message", "quarantined"),
    ("550 4.4.7 QUEUE.Expired; message expired", "expired"),
    ("[{LRT=};{LED=550 4.4.7 QUEUE.Expired; message expired};{FQDN=};{IP=}]", "expired"),
    ("550 5.7.1 TRANSPORT.RULES.RejectMessage; refused by a rule", "bounced"),
    ("550 5.4.6 hop count exceeded", "bounced"),
)


@pytest.mark.parametrize(("text", "status"), FAILURES)
def test_failures_by_their_text(format: Format, text: str, status: str) -> None:
    (event,) = told(format, "AGENT", "FAIL", client_hostname="EX01", recipient_status=text)
    assert event["status"] == status


RECEIVED = (
    ("SMTP", "smtp", "7001", "EX01.contoso.example[192.0.2.11]"),
    ("PICKUP", "pickup", "7001", "EX01.contoso.example[192.0.2.11]"),
    ("STOREDRIVER", "mailbox", "submission/7001", "EX01.contoso.example[192.0.2.11]"),
    ("AGENT", "agent", "7001", None),
    ("APPROVAL", "agent", "7001", None),
    ("DSN", "report", "7001", None),
    ("MAILBOXRULE", "agent", "delivery/7001", None),
    ("SAFETYNET", None, "7001", "EX01.contoso.example[192.0.2.11]"),
)


@pytest.mark.parametrize(("source", "origin", "queue_id", "client"), RECEIVED)
def test_arrivals(format: Format, source: str, origin: str | None, queue_id: str, client: str | None) -> None:
    (event,) = told(format, source, "RECEIVE", **between(EX01, EX02))
    assert event["kind"] == "arrival"
    assert (event.get("origin"), event["queue_id"], event.get("client")) == (origin, queue_id, client)
    assert event["host"] == "ex02"
    assert event["message_id"] == "7f3a.1@ex01.contoso.example"
    assert event["network_message_id"] == "5b0c6a1e77aa4c1d9d0e08da9a5f1e01"
    assert (event["envelope_sender"], event["size"]) == ("anna@contoso.example", 8123)
    assert event["subject"] == "Quarterly figures"


def test_null_sender_is_not_an_unknown_one(format: Format) -> None:
    (null,) = told(format, "SMTP", "RECEIVE", Message("a@contoso.example", ["b@contoso.example"], return_path="<>"))
    assert null["envelope_sender"] == ""
    (bare,) = told(format, "SMTP", "RECEIVE", Message("a@contoso.example", ["b@contoso.example"], return_path=""))
    assert bare["envelope_sender"] == "a@contoso.example"


def test_the_reply_of_the_next_hop_is_kept(format: Format) -> None:
    reply = accepted(MESSAGE, 5501, EX02)
    (event,) = told(format, "SMTP", "SEND", **between(EX01, EX02), source_context="08DA9A5F1E01AAAA;" + reply)
    assert event["diagnostic"] == reply
    assert event["enhanced_status"] == "2.6.0"
    assert event["relay"] == "EX02.contoso.example[192.0.2.12]"


def test_group_and_rewrites_replace_recipients(format: Format) -> None:
    members = Message("anna@contoso.example", ["ben@contoso.example", "cleo@contoso.example"])
    group, *new = told(format, "ROUTING", "EXPAND", members, client_hostname="EX01",
                       related_recipient_address="team@contoso.example")
    assert (group["kind"], group["recipient"], group["status"]) == ("attempt", "team@contoso.example", "expanded")
    assert [(e["recipient"], e["original_recipient"]) for e in new] == [
        ("ben@contoso.example", "team@contoso.example"), ("cleo@contoso.example", "team@contoso.example")]
    old, other = told(format, "ROUTING", "REDIRECT", client_hostname="EX01",
                      related_recipient_address="dora@contoso.example")
    assert (old["recipient"], old["status"]) == ("ben@contoso.example", "expanded")
    assert (other["recipient"], other["original_recipient"]) == ("dora@contoso.example", "ben@contoso.example")


def test_a_rewrite_to_itself_replaces_nobody(format: Format) -> None:
    events = told(format, "ROUTING", "RESOLVE", client_hostname="EX01", related_recipient_address="Ben@Contoso.example")
    assert [event["kind"] for event in events] == ["identity"]


def test_fork_leaves_its_parent(format: Format) -> None:
    copy, left, goes_on = told(format, "ROUTING", "TRANSFER", client_hostname="EX01", reference="6990")
    assert (copy["kind"], copy["queue_id"], copy["copy_id"]) == ("copy", "6990", "7001")
    assert (left["queue_id"], left["recipient"], left["status"]) == ("6990", "ben@contoso.example", "expanded")
    assert (goes_on["kind"], goes_on["queue_id"], goes_on["recipient"]) == ("identity", "7001", "ben@contoso.example")


def test_report_and_its_cause(format: Format) -> None:
    bounce = Message("postmaster@contoso.example", ["anna@contoso.example"], "<n.1@ex01.contoso.example>",
                     return_path="<>")
    arrival, about = told(format, "DSN", "DSN", bounce, server_hostname="EX01", reference=MESSAGE.message_id)
    assert (arrival["kind"], arrival["origin"], arrival["envelope_sender"]) == ("arrival", "report", "")
    assert "queue_id" not in about
    assert (about["report_id"], about["report_message_id"]) == ("7001", "n.1@ex01.contoso.example")
    assert about["about_message_id"] == "7f3a.1@ex01.contoso.example"
    cause, failure = told(format, "ROUTING", "FAIL", client_hostname="EX01", reference=bounce.message_id,
                          recipient_status="550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found")
    assert (cause["kind"], cause["report_message_id"]) == ("report", "n.1@ex01.contoso.example")
    assert failure["diagnostic"] == "550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found"


def test_what_filters_say(format: Format) -> None:
    custom = ("S:AMA=SUM|v=1|action=b|error=|atch=1;S:TRA=ETR|ruleId=0f|st=x|action=Quarantine|sev=1|mode=Enforce;"
              "S:SFA=SUM|SFV=SPM|SCL=7|IPV=NLI")
    verdicts = told(format, "AGENT", "AGENTINFO", client_hostname="EX01", custom_data=custom)
    assert [(v["kind"], v["action"], v.get("score"), v.get("reason")) for v in verdicts] == [
        ("verdict", "Quarantine", None, None), ("verdict", "b", None, "virus"), ("verdict", "SPM", 7.0, None)]
    assert told(format, "AGENT", "AGENTINFO", custom_data="S:AMA=SUM|action=p|error=|atch=0") == []


def test_held(format: Format) -> None:
    (event,) = told(format, "POISONMESSAGE", "POISONMESSAGE")
    assert (event["kind"], event["status"], event["host"]) == ("change", "held", "filehost")


def test_a_probe_among_other_recipients_hides_nobody(format: Format) -> None:
    mixed = Message("anna@contoso.example", ["HealthMailbox0a1b@contoso.example", "ben@contoso.example"])
    events = told(format, "SMTP", "SEND", mixed, **between(EX01, FABRIKAM))
    assert [event["recipient"] for event in events] == mixed.recipients


def test_unknown_event_ids_are_kept_to_show(format: Format) -> None:
    line = row({"date-time": "2026-11-24T09:00:00.400Z", "event-id": "TELEPORT", "source": "SMTP"})
    log = Log(rows=[line])
    events, reader = read(log.data(), format)
    assert events == []
    assert reader.counters.unmatched == 1
    assert list(reader.counters.samples) == [line]


def test_without_ids_the_next_best_names_the_hop(format: Format) -> None:
    values: Values = {**MESSAGE.values(""), "recipient-address": "ben@contoso.example"}
    log = Log()
    log.add("2026-11-24T09:00:00.400Z", "SMTP", "SEND", values, **between(EX01, FABRIKAM))
    (event,), _ = read(log.data(), format)
    assert event.queue_id == MESSAGE.network_message_id
