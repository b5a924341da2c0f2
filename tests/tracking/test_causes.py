"""Authentication and connection problems are told by their cause, not by the words an MTA wraps it in."""

from __future__ import annotations

import pytest

from flowmon.tracking.diagnosis import diagnose


@pytest.mark.parametrize(("text", "status", "means"), [
    ("SASL LOGIN authentication failed: UGFzc3dvcmQ6", None, "authentication/smtp-auth"),
    ("SASL authentication failed; cannot authenticate to server mx.example.com[192.0.2.9]: no mechanism available",
     "4.7.0", "authentication/smtp-auth"),
    ("SASL authentication failed; server mx.example.com[192.0.2.9] said: 535 5.7.0 Error: authentication failed",
     "5.7.0", "authentication/smtp-auth"),
    ("454 4.7.0 Temporary authentication failure: generic failure", None, "authentication/busy"),
    ("550 5.7.1 Message rejected due to: SPF fail - not authorized", "5.7.1", "authentication/spf"),
    ("554 5.7.1 Refused. Please see http://www.openspf.net/Why?s=helo;id=mx.example.net;ip=192.0.2.1", "5.7.1",
     "authentication/spf"),
    ("550 5.7.1 User refuses; help at http://www.openspf.net/", "5.7.1", "policy/restricted"),
    ("5.7.0 bad DKIM signature data", "5.7.0", "authentication/dkim"),
    ("550 5.7.1 rejected by DMARC policy for example.net", "5.7.1", "authentication/dmarc"),
    ("554 5.7.1 Spam message rejected: DMARC policy", "5.7.1", "authentication/dmarc"),
    ("550 5.7.1 ARC chain broken", "5.7.1", "authentication/arc"),
    ("450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]", "4.7.1", "authentication/ptr"),
    ("TLS is required, but was not offered by host mx.example.com[192.0.2.9]", "4.7.4", "authentication/tls"),
    ("Server certificate not trusted", "4.7.5", "authentication/tls"),
    ("non DNSSEC destination", "4.7.5", "authentication/tls"),
    ("TLSA lookup error for mx.example.com:25", "4.7.5", "authentication/tls"),
    ("a TLS session is required, but an attempt to establish TLS failed", None, "authentication/tls"),
    ("host mx.example.com[192.0.2.9] said: 454 TLS currently unavailable (in reply to STARTTLS command)", "4.0.0",
     "authentication/tls"),
    ("(403 4.7.0 TLS handshake failed.)", "4.7.0", "authentication/tls"),
    ("450 4.7.323 tlsa-invalid: The domain failed DANE validation", None, "authentication/tls"),
    ("lost connection with mx.example.com[192.0.2.9] while performing the EHLO handshake", "4.4.2",
     "delivery/timeout"),
    ("conversation with mx.example.com[192.0.2.9] timed out while performing the EHLO handshake", "4.4.2",
     "delivery/timeout"),
    ("451 4.3.0 <x@example.com>: Recipient address rejected: Temporary lookup failure", "4.3.0", "delivery/busy"),
])
def test_authentication_and_connection_are_told_by_their_cause(text: str, status: str | None, means: str) -> None:
    assert _means(text, status) == means


def _means(text: str, status: str | None) -> str:
    found = diagnose(text, enhanced_status=status)
    return f"{found.problem}/{found.reason}"
