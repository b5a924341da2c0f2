"""Flows in which the logs of connections and sessions tell what the tracking log does not."""

from __future__ import annotations

from tests.exchange.flow import EX01, EX02, FABRIKAM, STRANGER, Flow
from tests.exchange.people import BEN, CLEO, NOT_FOUND, PAT, message
from tests.exchange.writer import accepted


def queue_in_retry() -> Flow:
    """Two far servers cannot be reached, and one can again: the tracking log has no word of it. Mail for a fourth
    domain has only just come."""
    flow = Flow()
    kim, lee = "kim@adatum.example", "lee@tailspin.example"
    flow.from_mailbox(message(PAT), EX01)
    flow.from_mailbox(message(kim, number=2), EX01)
    flow.from_mailbox(message(lee, number=3), EX01)
    begin = ("+", "DnsConnectorDelivery 8d6ab8e6-0000-4000-8000-000000000001;QueueLength=TQ=1;AN=1;. ")
    for number in (1, 2):
        again = flow.stamp(flow.now + 623)
        flow.connected(EX01, "fabrikam.example", begin, (">", "mx.fabrikam.example[203.0.113.50]"), (">", (
            "Failed connection to 203.0.113.50:25 (TimedOut:0000274C)[TargetHost:mx.fabrikam.example:25|"
            f"MarkedUnhealthy|FailureCount:{number}|NextRetryTime:{again}][TargetIPAddress:203.0.113.50:25|"
            f"MarkedUnhealthy|FailureCount:{number}|NextRetryTime:{again}]")), ("-", "Messages: 0 Bytes: 0 (Retry)"))
        flow.connected(EX01, "adatum.example", begin, (">", (
            "DNS server failure reported by 192.0.2.53. [Domain:Result] = adatum.example:ErrorRetry;")))
        flow.connected(EX01, "tailspin.example", begin, (">", "mx.tailspin.example[203.0.113.60]"),
                       (">", "Failed connection to 203.0.113.60:25 (ConnectionRefused:0000274D)"),
                       ("-", "Messages: 0 Bytes: 0 (Retry)"))
        flow.wait(600)
    flow.connected(EX01, "tailspin.example", begin, (">", "mx.tailspin.example[203.0.113.60]"),
                   (">", "Established connection to 203.0.113.60"), ("-", "Messages: 3 Bytes: 24369 (Success)"))
    flow.from_mailbox(message("mia@litware.example", number=4), EX01)
    return flow


NOBODY = "nobody@contoso.example"
GO_ON = "354 Start mail input; end with <CRLF>.<CRLF>"


def session_refuses_one() -> Flow:
    """One session at the front brings three messages to the other server: of the first and of the third a recipient is
    refused."""
    flow = Flow()
    session = flow.session()
    flow.said(EX01, session, STRANGER, ("+", ""), (">", "220 EX01.contoso.example ready"),
              ("<", "EHLO mail.fabrikam.example"), (">", "250  EX01.contoso.example Hello [203.0.113.9]"))
    for number, (good, bad) in enumerate(((BEN, NOBODY), (CLEO, None), (BEN, "noone@contoso.example")), 1):
        mail = message(good, sender=PAT, number=number)
        flow.said(EX01, session, STRANGER, ("<", f"MAIL FROM:<{PAT}> SIZE=8123"), (">", "250 2.1.0 Sender OK"),
                  *((("<", f"RCPT TO:<{bad}>"), (">", NOT_FOUND)) if bad else ()),
                  ("<", f"RCPT TO:<{good}>"), (">", "250 2.1.5 Recipient OK"), ("<", "DATA"), (">", GO_ON))
        copy = flow.arrived(mail, EX02, EX02, original_ip=STRANGER["ip"])
        flow.said(EX01, session, STRANGER, (">", accepted(mail, copy.id, EX02)))
        copy.deliver()
    flow.said(EX01, session, STRANGER, ("<", "QUIT"), (">", "221 2.0.0 Service closing"), ("-", "Local"))
    return flow


def session_sends() -> Flow:
    """Two messages go out in one session; the far server puts off the second and the tracking log says so."""
    flow = Flow()
    session = flow.session()
    first, second = (flow.from_mailbox(message(PAT, number=number), EX01) for number in (1, 2))
    flow.sent(EX01, session, FABRIKAM, ("*", "attempting to connect"), ("+", ""), ("<", "220 mx.fabrikam.example"),
              (">", "EHLO EX01.contoso.example"), ("<", "250 mx.fabrikam.example"),
              ("*", f"sending message with RecordId {first.id} and InternetMessageId {first.message.message_id}"),
              (">", f"MAIL FROM:<{first.message.sender}> SIZE=8123"), (">", f"RCPT TO:<{PAT}>"),
              ("<", "250 2.1.0 Ok"), ("<", "250 2.1.5 Ok"), (">", "DATA"), ("<", "354 go on"),
              ("<", "250 2.0.0 Ok: queued as 4F1A2B3C4D"))
    first.send_out(FABRIKAM, "250 2.0.0 Ok: queued as 4F1A2B3C4D")
    flow.sent(EX01, session, FABRIKAM,
              ("*", f"sending message with RecordId {second.id} and InternetMessageId {second.message.message_id}"),
              (">", f"MAIL FROM:<{second.message.sender}> SIZE=8123"), (">", f"RCPT TO:<{PAT}>"),
              ("<", "250 2.1.0 Ok"), ("<", "452 4.2.2 The mailbox is full"), (">", "RSET"), ("<", "250 2.0.0 Ok"),
              (">", "QUIT"), ("<", "221 2.0.0 Bye"), ("-", "Local"))
    second.defer("SMTP", "[{LRT=11/24/2026 9:00:01 AM};{LED=452 4.2.2 The mailbox is full};{FQDN=mx.fabrikam.example};"
                         "{IP=203.0.113.50}]")
    return flow


def agent_refuses_beside() -> Flow:
    """One session brings three messages of one sender: of the second and of the third an agent refuses a recipient. The
    protocol log tells of which message, the agent log why."""
    flow = Flow()
    session = flow.session()
    for number, (good, bad) in enumerate(((BEN, None), (CLEO, NOBODY), (BEN, "noone@contoso.example")), 1):
        mail = message(good, sender=PAT, number=number)
        flow.said(EX01, session, STRANGER, ("<", f"MAIL FROM:<{PAT}> SIZE=8123"), (">", "250 2.1.0 Sender OK"))
        if bad:
            reply = "550 5.1.1 User unknown"
            flow.said(EX01, session, STRANGER, ("<", f"RCPT TO:<{bad}>"))
            flow.agent(EX01, session, STRANGER, P1FromAddress=PAT, Recipient=bad, NumRecipients="1",
                       Agent="Recipient Filter Agent", Event="OnRcptCommand", Action="RejectCommand",
                       SmtpResponse=reply, Reason="RecipientDoesNotExist")
            flow.said(EX01, session, STRANGER, (">", reply))
        flow.said(EX01, session, STRANGER, ("<", f"RCPT TO:<{good}>"), (">", "250 2.1.5 Recipient OK"), ("<", "DATA"),
                  (">", GO_ON))
        copy = flow.arrived(mail, STRANGER, EX01)
        flow.said(EX01, session, STRANGER, (">", accepted(mail, copy.id, EX01)))
        copy.deliver()
    return flow
