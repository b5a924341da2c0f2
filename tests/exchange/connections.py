"""Flows in which the logs of connections and sessions tell what the tracking log does not."""

from __future__ import annotations

from tests.exchange.flow import EX01, Flow
from tests.exchange.people import PAT, message


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
