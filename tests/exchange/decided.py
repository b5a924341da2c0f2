"""Flows of which somebody or something decides: moderators, transport rules, scanners, anti-spam agents."""

from __future__ import annotations

from tests.exchange.flow import EX01, STRANGER, Copy, Flow
from tests.exchange.people import ANNA, BEN, BOARD, PAT, message
from tests.exchange.writer import Message


def _decided(event_id: str) -> tuple[Flow, Copy]:
    """A message to a moderator, who decides ten minutes later."""
    flow = Flow()
    copy = flow.from_mailbox(message(BOARD), EX01)
    copy.row("APPROVAL", "INITMESSAGECREATED", server_hostname="EX01")
    flow.wait(600)
    request = Message("approval@contoso.example", [ANNA], "<a.1@ex01.contoso.example>",
                      "88888888-1111-4222-8333-08da9a5f2b02", "Request for approval")
    flow.row(EX01, "MSGTRKMA", "APPROVAL", event_id, request.values(71, copy.message.recipients),
             reference=copy.message.message_id)
    return flow, copy


def approved(network_message_id: str = "") -> Flow:
    """A moderator lets it pass: the same message comes into the queue again, perhaps under a new id."""
    flow, copy = _decided("MODERATORAPPROVE")
    copy.id = flow.new_id()
    copy.message.network_message_id = network_message_id or copy.message.network_message_id
    copy.row("APPROVAL", "RECEIVE", server_hostname="EX01")
    copy.deliver()
    return flow


def sent_once_more() -> Flow:
    """A moderator has it, and the sender sends it again in place of waiting: the same Message-ID, a message of its own.
    The first one still waits."""
    flow = Flow()
    flow.from_mailbox(message(BOARD), EX01).row("APPROVAL", "INITMESSAGECREATED", server_hostname="EX01")
    flow.wait(600)
    again = message(BOARD)
    again.network_message_id = "99999999-1111-4222-8333-08da9a5f2b02"
    flow.from_mailbox(again, EX01).deliver()
    return flow


def refused_by_moderator() -> Flow:
    """A moderator refuses it."""
    return _decided("MODERATORREJECT")[0]


def _ruled(action: str, status: str) -> Flow:
    flow = Flow()
    copy = flow.from_mailbox(message(PAT), EX01)
    copy.own_row("AGENT", "AGENTINFO", custom_data=f"S:TRA=ETR|ruleId=0f0e|st=11/24/2026 9:00:00 AM|action={action}|"
                                                   "sev=1|mode=Enforce;S:DeliveryPriority=Normal")
    copy.fail("AGENT", status)
    return flow


def rule_rejects() -> Flow:
    """A transport rule refuses it, with words of the rule's own."""
    return _ruled("RejectMessage", "550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by "
                                   "organization policy")


def rule_deletes() -> Flow:
    """A transport rule deletes it, and nobody is told."""
    return _ruled("DeleteMessage", "550 5.2.1 Message deleted by the transport rules agent")


def malware() -> Flow:
    """The malware agent finds something and the message is dropped."""
    flow = Flow()
    copy = flow.arrived(message(BEN, sender=PAT), STRANGER, EX01, original_ip=STRANGER["ip"])
    copy.own_row("AGENT", "AGENTINFO", custom_data="S:AMA=SUM|v=1|action=b|error=|atch=1;S:AMA=EV|engine=M|v=1|"
                                                   "sig=1.2.3.4|name=EICAR-Test-File|file=bill.zip;"
                                                   "S:DeliveryPriority=Normal")
    copy.fail("AGENT", "550 5.2.1 Message deleted by the malware agent")
    return flow


def agent_refuses() -> Flow:
    """Anti-spam agents refuse one message by its content and another for a recipient: the protocol log tells of the
    same sessions, the agent log why. A third message is judged, and taken."""
    flow = Flow()
    for command, reply, agent in (
        ("END", "550 5.7.1 Message rejected as spam by Content Filtering.", {
            "Recipient": BEN, "NumRecipients": "1", "Agent": "Content Filter Agent", "Event": "OnEndOfData",
            "Action": "RejectMessage", "Reason": "SclAtOrAboveRejectThreshold", "ReasonData": "8",
            "MessageId": "<x.1@fabrikam.example>"}),
        ("RCPT", "550 5.7.1 Recipient not authorized, your IP has been found on a block list", {
            "Recipient": BEN, "NumRecipients": "1", "Agent": "Connection Filtering Agent", "Event": "OnRcptCommand",
            "Action": "RejectCommand", "Reason": "BlockListProvider", "ReasonData": "bl.lists.example"}),
    ):
        session = flow.session()
        rest = (("<", "DATA"), (">", "354 Start mail input; end with <CRLF>.<CRLF>")) if command == "END" else ()
        taken = ((">", "250 2.1.5 Recipient OK"),) if command == "END" else ()
        flow.said(EX01, session, STRANGER, ("+", ""), (">", "220 EX01"), ("<", "EHLO x"), (">", "250 x"),
                  ("<", f"MAIL FROM:<{PAT}>"), (">", "250 2.1.0 Sender OK"), ("<", f"RCPT TO:<{BEN}>"), *taken, *rest)
        flow.agent(EX01, session, STRANGER, P1FromAddress=PAT, P2FromAddresses=PAT, SmtpResponse=reply, **agent)
        flow.said(EX01, session, STRANGER, (">", reply), ("-", "Remote"))
        flow.wait(30)
    mail = message(BEN, sender=PAT, number=3)
    flow.agent(EX01, flow.session(), STRANGER, P1FromAddress=PAT, P2FromAddresses=PAT, MessageId=mail.message_id,
               Recipient=BEN, NumRecipients="1", Agent="Content Filter Agent", Event="OnEndOfData",
               Action="AcceptMessage", Reason="SCL", ReasonData="1")
    flow.arrived(mail, STRANGER, EX01).deliver()
    return flow
