"""The golden runs of Exchange: each flow that is described here is written out below tests/golden.

`python -m tests.exchange.runs` writes them anew; a test holds that the files are what is described. What flowmon must
make of them is argued and written by hand, in each run's expected.jsonl.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.exchange.connections import agent_refuses_beside, queue_in_retry, session_refuses_one, session_sends
from tests.exchange.decided import (
    agent_refuses,
    approved,
    malware,
    refused_by_moderator,
    rule_deletes,
    rule_rejects,
    sent_once_more,
)
from tests.exchange.flow import EDGE, EX01, EX02, FABRIKAM, GATEWAY, STRANGER, Flow, bounce
from tests.exchange.people import BEN, CLEO, NOT_FOUND, PAT, message
from tests.exchange.writer import between

GOLDEN = Path(__file__).parents[1] / "golden"


def one_server() -> Flow:
    """From mailbox to mailbox on one server."""
    flow = Flow()
    flow.from_mailbox(message(BEN), EX01).deliver()
    return flow


def two_servers() -> Flow:
    """From a mailbox on one server to one on the other."""
    flow = Flow()
    flow.from_mailbox(message(BEN), EX01, "OWA").send(EX02).deliver()
    return flow


def three_sites() -> Flow:
    """From one site to another by way of a server in a third, which finds no room for it at first."""
    flow = Flow()
    middle = {"ip": "192.0.2.13", "name": "EX03.contoso.example"}
    hub = flow.from_mailbox(message(BEN), EX01).send(middle)
    hub.own_row("SMTP", "THROTTLE", reference="throttled: too many deliveries at once")
    flow.wait(20)
    hub.send(EX02).deliver()
    return flow


def shadow() -> Flow:
    """The other server keeps a copy, and drops it; a second message finds nobody to keep one."""
    flow = Flow()
    copy = flow.from_mailbox(message(BEN), EX01)
    id = copy.shadow(EX02)
    copy.deliver()
    flow.row(EX02, "MSGTRK", "SMTP", "HADISCARD", copy.message.values(id), **between(EX01, EX02))
    alone = flow.from_mailbox(message(CLEO, number=2), EX01)
    alone.row("SMTP", "HAREDIRECTFAIL", server_hostname="EX01", source_context="no server takes a shadow copy")
    alone.deliver()
    return flow


def through_edge() -> Flow:
    """From the Internet to an Edge server, from there to a mailbox server."""
    flow = Flow()
    mail = message(BEN, sender=PAT)
    edge = flow.arrived(mail, STRANGER, EDGE, original_ip=STRANGER["ip"])
    edge.send(EX01, connector="EdgeSync - Inbound to Site1").deliver()
    return flow


def out_by_connector() -> Flow:
    """To the Internet through a send connector."""
    flow = Flow()
    copy = flow.from_mailbox(message(PAT), EX01)
    copy.send_out(FABRIKAM, "250 2.0.0 Ok: queued as 4F1A2B3C4D")
    return flow


def out_through_edge() -> Flow:
    """To the Internet by way of an Edge server."""
    flow = Flow()
    edge = flow.from_mailbox(message(PAT), EX01).send(EDGE, connector="EdgeSync - Site1 to Internet")
    edge.send_out(FABRIKAM, "250 2.0.0 Ok: queued as 4F1A2B3C4D", "EdgeSync - Site1 to Internet")
    return flow


def out_through_postfix() -> Flow:
    """To the Internet through a Postfix gateway, whose log is written by hand beside this one."""
    flow = Flow()
    flow.from_mailbox(message(PAT), EX01).send_out(
        GATEWAY, "250 2.0.0 Ok: queued as 4F1A2B3C4D", "To the gateway", "SEND")
    return flow


def group() -> Flow:
    """A group within a group, a member who is in both, an alias that the directory resolves."""
    flow = Flow()
    copy = flow.from_mailbox(message("all@contoso.example", "c.old@contoso.example"), EX01)
    copy.resolve("c.old@contoso.example", CLEO)
    copy.expand("all@contoso.example", ["team@contoso.example", "dora@contoso.example"])
    copy.expand("team@contoso.example", [BEN])
    copy.own_row("ROUTING", "DUPLICATEEXPAND", [CLEO], related_recipient_address="team@contoso.example")
    there = copy.send(EX02, [CLEO, "dora@contoso.example"])
    copy.deliver([BEN])
    there.deliver()
    return flow


def redirect() -> Flow:
    """Mail to Ben goes to Cleo."""
    flow = Flow()
    copy = flow.from_mailbox(message(BEN), EX01)
    copy.redirect(BEN, CLEO)
    copy.deliver()
    return flow


def deferred() -> Flow:
    """Put off twice by the far server, then taken."""
    flow = Flow()
    copy = flow.from_mailbox(message(PAT), EX01)
    status = ("[{LRT=11/24/2026 9:00:01 AM};{LED=451 4.7.1 Greylisted; try again later};"
              "{FQDN=mx.fabrikam.example};{IP=203.0.113.50}]")
    copy.defer("SMTP", status)
    flow.wait(60)
    copy.defer("SMTP", status)
    flow.wait(300)
    copy.send_out(FABRIKAM, "250 2.0.0 Ok: queued as 4F1A2B3C4D")
    return flow


def waits() -> Flow:
    """Put off as the far domain's name servers do not answer; a delay report goes to the sender; it still waits."""
    flow = Flow()
    mail = message(PAT)
    copy = flow.from_mailbox(mail, EX01)
    report = bounce(mail, EX01)
    copy.defer("DNS", "[{LRT=};{LED=451 4.4.0 DNS query failed. The error was: SMTPSEND.DNS.ServerFailure; server "
                      "failure};{FQDN=fabrikam.example};{IP=}]")
    flow.wait(1800)
    copy.defer("QUEUE", "400 4.4.7 Message delayed", reference=report.message_id)
    copy.report(report).deliver()
    return flow


def failed() -> Flow:
    """One recipient is unknown and the sender gets a report; the other has the mail."""
    flow = Flow()
    mail = message(BEN, "nobody@contoso.example")
    copy = flow.from_mailbox(mail, EX01)
    report = copy.fail("ROUTING", NOT_FOUND, ["nobody@contoso.example"], report=bounce(mail, EX01))
    copy.deliver([BEN])
    assert report is not None
    report.deliver()
    return flow


def refused_outside() -> Flow:
    """The far server refuses one of two recipients. The row of the report comes before that of the failure."""
    flow = Flow()
    mail = message(PAT, "kim@fabrikam.example")
    copy = flow.from_mailbox(mail, EX01)
    copy.send_out(FABRIKAM, "250 2.0.0 Ok: queued as 4F1A2B3C4D", recipients=["kim@fabrikam.example"])
    report = copy.report(bounce(mail, EX01))
    copy.fail("SMTP", "[{LRT=11/24/2026 9:00:01 AM};{LED=550 5.1.1 <pat@fabrikam.example>: no such user};"
                      "{FQDN=mx.fabrikam.example};{IP=203.0.113.50}]", [PAT])
    report.deliver()
    return flow


def expired() -> Flow:
    """Two days of connections that nobody takes (here an hour), then given up."""
    flow = Flow()
    mail = message(PAT)
    copy = flow.from_mailbox(mail, EX01)
    copy.defer("SMTP", "[{LRT=};{LED=441 4.4.1 Error encountered while communicating with primary target IP address: "
                       "Failed to connect. Winsock error code: 10060};{FQDN=mx.fabrikam.example};{IP=203.0.113.50}]")
    flow.wait(3000)
    report = copy.fail("QUEUE", "550 4.4.7 QUEUE.Expired; message expired", report=bounce(mail, EX01))
    assert report is not None
    report.deliver()
    return flow


def fork() -> Flow:
    """The far recipient goes on in a copy of its own, and is refused there; the other has the mail."""
    flow = Flow()
    copy = flow.from_mailbox(message(BEN, PAT), EX01)
    away = copy.fork([PAT])
    copy.deliver()
    away.fail("SMTP", "[{LRT=};{LED=552 5.2.2 mailbox full};{FQDN=mx.fabrikam.example};{IP=203.0.113.50}]")
    return flow


def poison() -> Flow:
    """The service ended twice while it had this one: an administrator must look at it."""
    flow = Flow()
    copy = flow.from_mailbox(message(BEN), EX01)
    copy.row("POISONMESSAGE", "POISONMESSAGE", source_context="the service ended while it had the message")
    return flow


def resubmitted() -> Flow:
    """Safety Net sends again what was delivered: the mailbox has it already."""
    flow = Flow()
    mail = message(BEN)
    copy = flow.from_mailbox(mail, EX01)
    copy.deliver()
    flow.wait(900)
    copy.id = flow.new_id()
    copy.row("SAFETYNET", "RESUBMIT", server_hostname="EX01")
    copy.row("SAFETYNET", "RECEIVE", server_hostname="EX01")
    copy.deliver(event_id="DUPLICATEDELIVER")
    return flow


def clients() -> Flow:
    """Outlook, OWA, a phone, and a printer over SMTP."""
    flow = Flow()
    for number, client in enumerate(("MOMT", "OWA", "AirSync"), 1):
        flow.from_mailbox(message(BEN, number=number), EX01, client, f"198.51.100.{number}").deliver()
    printer = {"ip": "198.51.100.4", "name": "printer.contoso.example"}
    flow.arrived(message(BEN, number=4), printer, EX01, connector=r"EX01\Devices").deliver()
    return flow


def taken_later() -> Flow:
    """The Front End put it off, then took it: its own log, written by hand beside this one, tells of the first try."""
    flow = Flow(now=301.0)
    flow.arrived(message(BEN, sender=PAT), EX01, EX01, original_ip=STRANGER["ip"]).deliver()
    return flow


RUNS: dict[str, Callable[[], Flow]] = {
    "exchange_one_server": one_server, "exchange_two_servers": two_servers, "shadow_redundancy": shadow,
    "exchange_three_sites": three_sites, "exchange_in_through_edge": through_edge,
    "exchange_out_by_connector": out_by_connector,
    "exchange_out_through_edge": out_through_edge, "exchange_out_through_postfix": out_through_postfix,
    "exchange_group_in_group": group, "exchange_redirected": redirect, "exchange_deferred": deferred,
    "exchange_delay_report": waits, "exchange_one_of_two_unknown": failed,
    "exchange_report_before_failure": refused_outside, "exchange_expired": expired, "exchange_copy_fails": fork,
    "exchange_approved": approved,
    "exchange_approved_under_new_id": partial(approved, "99999999-1111-4222-8333-08da9a5f2b02"),
    "exchange_held_and_sent_once_more": sent_once_more, "exchange_refused_by_moderator": refused_by_moderator,
    "exchange_rule_rejects": rule_rejects, "exchange_rule_deletes": rule_deletes, "exchange_malware": malware,
    "exchange_poison": poison, "safety_net_resubmission": resubmitted, "exchange_clients": clients,
    "exchange_refused_at_the_front": taken_later, "exchange_agent_refuses_once": agent_refuses,
    "exchange_queue_in_retry": queue_in_retry, "exchange_session_refuses_one": session_refuses_one,
    "exchange_session_sends": session_sends, "exchange_agent_refuses_beside": agent_refuses_beside,
}


def main() -> None:
    """Write the runs out."""
    for name in sys.argv[1:] or RUNS:
        RUNS[name]().write(GOLDEN / name / "logs")


if __name__ == "__main__":
    main()
