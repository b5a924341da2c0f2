"""Diagnosis: every rule of the data takes its own samples, and what logs say comes to the right problem and reason."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flowmon.model.words import DeliveryStatus, Problem
from flowmon.parsing.hostile import cpu_seconds
from flowmon.tracking.diagnosis import (
    Diagnosis,
    Rule,
    deciding_rule,
    diagnose,
    enhanced_status,
    explain,
    knowledge,
    reasons,
    reply_code,
)
from flowmon.tracking.failure_text import take_apart

RULES = (*knowledge().provider, *knowledge().text)


def verdict(found: Diagnosis) -> str:
    return f"{found.problem}/{found.reason}"


# ---------------------------------------------------------------- the data


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_sample_is_taken_by_its_rule_and_no_earlier_one(rule: Rule) -> None:
    assert rule.samples
    for sample in rule.samples:
        taken = deciding_rule(sample)
        assert taken is rule, f"{sample!r} is taken by {taken.name if taken else None}"
        assert verdict(diagnose(sample)) == rule.means


def test_rule_names_are_unique() -> None:
    names = [rule.name for rule in (*RULES, *knowledge().login)]
    assert len(names) == len(set(names))


def test_every_meaning_has_an_explanation_of_its_own() -> None:
    known = knowledge()
    meanings = {rule.means for rule in (*RULES, *knowledge().login)} | set(known.codes.values())
    meanings |= {row.means for row in known.reply}
    unexplained = explain("unknown")
    for means in meanings:
        problem, _, reason = means.partition("/")
        Problem(problem)
        assert reason in reasons(), means
        assert reason == "unknown" or explain(reason, Problem(problem)) != unexplained, means


def test_words_to_match_are_lower_case() -> None:
    for rule in (*RULES, *knowledge().login):
        for gist in (*rule.any, *rule.all, *rule.none):
            assert gist
            assert gist == gist.lower()


def test_reasons_named_by_the_design_are_known() -> None:
    wanted = {
        Problem.DELIVERY: "user-unknown mailbox-disabled mailbox-full moved bad-address system-full busy refused "
        "timeout protocol poison mailbox-broken retry-wait unknown",
        Problem.ROUTING: "host-unknown dns-failure no-route null-mx loop expired",
        Problem.AUTHENTICATION: "spf dkim dmarc arc ptr smtp-auth tls",
        Problem.POLICY: "relay-denied restricted rate too-big greylist attachment rfc-form blocklist reputation hold "
        "discard",
        Problem.SPAM: "spam virus",
    }
    assert {reason: problem for problem, names in wanted.items() for reason in names.split()} == reasons()


def test_explanations_are_short_sentences() -> None:
    for reason in reasons():
        said = explain(reason)
        for text in (said.cause, said.next_step):
            assert text.endswith(".")
            assert 20 < len(text) < 160, text


def test_explanation_follows_the_problem_and_falls_back() -> None:
    assert explain("rfc-form", Problem.DELIVERY) != explain("rfc-form", Problem.POLICY) == explain("rfc-form")
    assert explain("user-unknown", Problem.SPAM) == explain("user-unknown")
    assert explain("no such reason") == explain("unknown")


# ---------------------------------------------------------------- whole replies

CHECK_LIST = [
    ("550 5.1.1 <x@y>: Recipient address rejected: User unknown in virtual mailbox table", "delivery/user-unknown"),
    ("550 5.4.1 Recipient address rejected: Access denied. [AM1.prod.protection.outlook.com]", "delivery/user-unknown"),
    ("550-5.7.26 Unauthenticated email from d.example is not accepted due to domain's DMARC policy. - gsmtp",
     "authentication/dmarc"),
    ("421-4.7.28 Gmail has detected an unusual rate of mail - gsmtp", "policy/rate"),
    ("550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. It is on our block list (S3150).",
     "policy/blocklist"),
    ("421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
     "policy/rate"),
    ("450 4.2.0 <x@y>: Recipient address rejected: Greylisted", "policy/greylist"),
    ("454 4.7.1 <x@y>: Relay access denied", "policy/relay-denied"),
    ("connect to mx.y.example[192.0.2.9]:25: Connection timed out", "delivery/timeout"),
    ("Host or domain name not found. Name service error for name=y.example type=MX: Host not found",
     "routing/host-unknown"),
    ("550 4.4.7 QUEUE.Expired; message expired", "routing/expired"),
    ("452 4.3.1 Insufficient system resources", "delivery/system-full"),
    ("552 5.3.4 Message size exceeds fixed limit", "policy/too-big"),
    ("554 5.4.6 Hop count exceeded - possible mail loop", "routing/loop"),
    ("550 5.7.1 RESOLVER.RST.AuthRequired; authentication required", "policy/restricted"),
    ("535 5.7.8 Error: authentication failed", "authentication/smtp-auth"),
    ("TLS is required, but was not offered by host mx.y.example[192.0.2.9]", "authentication/tls"),
    ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "policy/blocklist"),
    ("550 5.7.511 Access denied, banned sender[192.0.2.1]", "policy/blocklist"),
    ("550 5.7.23 Message rejected due to: SPF fail - not authorized.", "authentication/spf"),
]


LOGGED_STATUS = {9: "4.4.1", 10: "5.4.4", 17: "4.7.4"}
"""The enhanced codes that stand beside a text of the check list, not in it."""
TEMPORARY = {4, 6, 7, 8, 12}
WITHOUT_REPLY = {9, 10, 17}


@pytest.mark.parametrize(("number", "text", "means"), [(n, *row) for n, row in enumerate(CHECK_LIST, 1)])
def test_check_list(number: int, text: str, means: str) -> None:
    assert verdict(diagnose(text)) == means
    assert verdict(diagnose(text, enhanced_status=LOGGED_STATUS.get(number))) == means
    code = reply_code(text)
    assert (code is None) == (number in WITHOUT_REPLY)
    if code is not None:
        assert (code < 500) == (number in TEMPORARY)


@pytest.mark.parametrize(("text", "means", "code", "status"), [
    ("host mx.example.com[192.0.2.1] said: 550 5.1.1 <x@y>: User unknown (in reply to RCPT TO command)",
     "delivery/user-unknown", 550, "5.1.1"),
    ("host mx.example.com[2001:db8::1] said: 550 Nope (in reply to RCPT TO command)",
     "delivery/user-unknown", 550, None),
    ("host mx.example.com[192.0.2.1] said: 554 Nope (in reply to end of DATA command)", "policy/restricted", 554, None),
    ("host mx.example.com[192.0.2.1] refused to talk to me: 421 4.7.0 Too many connections",
     "policy/rate", 421, "4.7.0"),
    ("R=dnslookup T=remote_smtp defer (-44) H=mx.example.com [192.0.2.1]: SMTP error from remote mail server after "
     "RCPT TO:<x@example.com>: 450 4.2.1 The mailbox is busy, try again later", "delivery/busy", 450, "4.2.1"),
    ("SMTP error from remote mail server after pipelined MAIL FROM:<x@example.net> SIZE=9999: 552 Nope",
     "policy/too-big", 552, None),
    ("SMTP error from remote mail server after initial connection: 554 Nope", "policy/blocklist", 554, None),
    ("delivery temporarily suspended: connect to mx.example.com[192.0.2.1]:25: Connection refused",
     "delivery/refused", None, None),
    ("delivery temporarily suspended: host mx.example.com[192.0.2.1] refused to talk to me: 421 4.3.2 Nope",
     "delivery/refused", 421, "4.3.2"),
    ("451 4.7.1 Greylisting in action", "policy/greylist", 451, "4.7.1"),
    ("Deferred: 451 4.7.1 Greylisting in action", "policy/greylist", 451, "4.7.1"),
    ("x@example.com\n    (reason: 550 5.1.1 <x@example.com>... User unknown)", "delivery/user-unknown", 550, "5.1.1"),
    ("192.0.2.1_does_not_like_recipient./Remote_host_said:_550_5.2.2_Mailbox_full/",
     "delivery/mailbox-full", 550, "5.2.2"),
    ("[{LRT=};{LED=451 4.4.0 Primary target IP address responded with: \"421 4.3.2 Nope.\"};{FQDN=a.example};{IP=}]",
     "delivery/busy", 421, "4.3.2"),
    ("550 5.0.350 Remote server returned an error -> 552 5.2.2 Over quota", "delivery/mailbox-full", 552, "5.2.2"),
    ("smtp;550 5.1.1 Nope", "delivery/user-unknown", 550, "5.1.1"),
    ("Sorry, this is nobody (#5.1.1)", "delivery/user-unknown", None, "5.1.1"),
    ("550 #5.1.6 Gone", "delivery/moved", 550, "5.1.6"),
    ("4.7.1 Try again later", "policy/restricted", None, "4.7.1"),
    ("mail from version 5.1.1.2 at 192.0.2.1 and 5.1.1.9", "delivery/unknown", None, None),
])
def test_wrapped_replies(text: str, means: str, code: int | None, status: str | None) -> None:
    assert (verdict(diagnose(text)), reply_code(text), enhanced_status(text)) == (means, code, status)


def test_lines_of_a_reply_are_joined_without_their_prefix() -> None:
    for between in ("\n", " "):
        text = f"550-5.7.1 Your address was found on a block{between}550-5.7.1 list of ours.{between}550 5.7.1 Bye"
        assert take_apart(text).words.endswith("found on a block list of ours. bye")
        assert verdict(diagnose(text)) == "policy/blocklist"


# ---------------------------------------------------------------- what must not decide


@pytest.mark.parametrize(("text", "means"), [
    ("550 5.1.1 <spam@example.com>: User unknown", "delivery/user-unknown"),
    ('unknown user: "spf"', "delivery/user-unknown"),
    ("550 5.1.1 User unknown, help: https://support.example.com/mail/spf?dmarc=1", "delivery/user-unknown"),
    ("connect to mx.spamhaus.org[192.0.2.1]:25: Connection refused", "delivery/refused"),
    ("host dmarc.example.com[192.0.2.1] said: 452 4.2.2 Mailbox full (in reply to RCPT TO command)",
     "delivery/mailbox-full"),
    ("550 5.1.1 User unknown\nReceived-SPF: fail\nDKIM-Signature: v=1; d=example.com", "delivery/user-unknown"),
    ("550 5.1.1 User unknown (spf=pass dkim=none)", "delivery/user-unknown"),
    ("header Subject: spam and viruses from mx.example.com[192.0.2.1]; from=<x@y> to=<u@v> proto=ESMTP helo=<mx>: held "
     "for review", "policy/hold"),
    ("554 5.7.1 <spam.example.net[192.0.2.1]>: Client host rejected: Access denied; from=<x@y> to=<virus@v> "
     "proto=ESMTP helo=<dkim>", "policy/restricted"),
    ("retry time not reached for any host for 'timeout.example'", "delivery/retry-wait"),
    ("routing defer (-52): retry time not reached", "delivery/retry-wait"),
    ("550 5.7.1 Sender blocked", "policy/restricted"),
    ("550 5.7.1 <x@example.com>: Recipient address rejected: Access denied", "policy/restricted"),
    ("550 5.1.1 rejected.Unknown user", "delivery/user-unknown"),
])
def test_names_links_and_waits_decide_nothing(text: str, means: str) -> None:
    assert verdict(diagnose(text)) == means


@pytest.mark.parametrize(("text", "means"), [
    ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; none", "delivery/user-unknown"),
    ("556 5.1.10 no", "routing/host-unknown"),
    ("550-5.7.27 SPF did not pass - gsmtp", "authentication/spf"),
    ("550 5.7.27 no", "routing/host-unknown"),
    ("550-5.7.30 DKIM did not pass - gsmtp", "authentication/dkim"),
    ("550 5.7.30 no", "authentication/tls"),
    ("554 5.7.9 Not accepted for policy reasons", "spam/spam"),
    ("534 5.7.9 Too weak", "authentication/smtp-auth"),
    ("450-4.2.1 mail comes too quickly - gsmtp", "policy/rate"),
    ("550 5.2.1 no", "delivery/mailbox-disabled"),
    ("550 5.4.1 Relay access denied", "policy/relay-denied"),
    ("550 5.1.8 bad outbound sender", "policy/restricted"),
    ("550 5.1.8 no", "routing/dns-failure"),
    ("554 5.4.14 no", "routing/loop"),
    ("535-5.7.14 Please log in by browser - gsmtp", "authentication/smtp-auth"),
    ("504 5.7.40 no", "authentication/smtp-auth"),
    ("550 5.7.40 no", "authentication/dmarc"),
])
def test_codes_that_providers_use_each_in_their_own_way(text: str, means: str) -> None:
    assert verdict(diagnose(text)) == means


# ---------------------------------------------------------------- codes alone


@pytest.mark.parametrize(("status", "means"), sorted(knowledge().codes.items()))
def test_enhanced_codes_without_words(status: str, means: str) -> None:
    if "." in status:
        by_provider = {"7.40": "authentication/dmarc"}
        assert verdict(diagnose(None, enhanced_status=f"5.{status}")) == by_provider.get(status, means)


@pytest.mark.parametrize(("code", "command", "means"), [
    (421, None, "delivery/busy"),
    (450, "RCPT", "delivery/busy"),
    (454, "STARTTLS", "authentication/tls"),
    (454, "AUTH", "authentication/busy"),
    (454, "RCPT TO", "policy/relay-denied"),
    (521, "CONNECT", "routing/host-unknown"),
    (535, "AUTH", "authentication/smtp-auth"),
    (550, "RCPT TO", "delivery/user-unknown"),
    (550, "MAIL FROM", "policy/blocklist"),
    (554, "CONNECT", "policy/blocklist"),
    (554, "END-OF-MESSAGE", "policy/restricted"),
    (550, None, "delivery/unknown"),
    (552, "RCPT", "delivery/mailbox-full"),
    (552, "end of DATA", "policy/too-big"),
    (553, "MAIL", "policy/rfc-form"),
    (553, "RCPT", "delivery/bad-address"),
    (None, "CONNECT", "delivery/unknown"),
])
def test_bare_reply_codes_by_command(code: int | None, command: str | None, means: str) -> None:
    assert verdict(diagnose(None, reply_code=code, command=command)) == means
    if code is not None:
        assert verdict(diagnose(f"{code} Nope", command=command)) == means


def test_a_code_made_up_by_the_logging_program_yields_to_the_reply() -> None:
    text = "host mx.example.com[192.0.2.1] said: 550 Nope (in reply to RCPT TO command)"
    assert verdict(diagnose(text, enhanced_status="5.0.0")) == "delivery/user-unknown"
    assert verdict(diagnose("Service unavailable", enhanced_status="5.7.26")) == "authentication/dmarc"


def test_temporary_is_what_reply_code_then_enhanced_code_then_event_say() -> None:
    words = "Domain not found"
    assert verdict(diagnose(words, permanent=False)) == "routing/dns-failure"
    assert verdict(diagnose(words, permanent=True)) == "routing/host-unknown"
    assert verdict(diagnose(words)) == "routing/host-unknown"
    assert verdict(diagnose(words, enhanced_status="4.4.3", permanent=True)) == "routing/dns-failure"
    assert verdict(diagnose(f"550 4.4.3 {words}", permanent=False)) == "routing/host-unknown"


@pytest.mark.parametrize("text", [None, "", " ", "550", "host x said: ", "{LED=}", "x" * 5000, "\x00\ufffd", "5.1.1."])
def test_anything_gets_a_diagnosis(text: str | None) -> None:
    assert diagnose(text).reason in reasons()


@pytest.mark.parametrize("status", ["", "5", "5.1", "2.0.0", "x.y.z", "5.999.999", "five"])
def test_odd_codes_tell_nothing(status: str) -> None:
    assert diagnose(None, enhanced_status=status) == Diagnosis(Problem.DELIVERY, "unknown")


def test_an_unlisted_security_code_is_policy() -> None:
    assert verdict(diagnose("550 5.7.444 Nope")) == "policy/restricted"


@pytest.mark.parametrize(("text", "by_us"), [
    ("host 127.0.0.1[127.0.0.1] said: 554 5.7.0 Reject, id=12-01 - spam (in reply to end of DATA command)", True),
    ("milter-reject: END-OF-MESSAGE from mx.example.com[192.0.2.1]: 5.7.1 Spam message rejected", True),
    ("host mx.example.com[192.0.2.1] said: 554 5.7.1 Spam message rejected (in reply to end of DATA command)", False),
    ("554 5.7.1 Spam message rejected", False),
])
def test_our_own_filter_is_told_apart(text: str, by_us: bool) -> None:
    assert diagnose(text) == Diagnosis(Problem.SPAM, "spam", by_us)


# ---------------------------------------------------------------- cost


def test_data_are_read_at_first_use_only() -> None:
    code = "import flowmon.tracking.diagnosis as d; d.reply_code('550'); exit(d.knowledge.cache_info().currsize)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0


@pytest.mark.parametrize("text", [
    "550 " + "a." * 1000, "a-" * 1000, "a@" * 1000, "<" * 2000, "1." * 1000, "{LED=" * 400, "host x said: " * 160,
    "SMTP error from remote mail server after " * 50, "spf throttl " * 170, "; from=<" * 250, "(reason: " * 200,
    "header x from a[1]; from=<>" * 80, "sender address rejected: " * 80, "550-" * 500,
])
def test_hostile_texts_take_no_time(text: str) -> None:
    assert cpu_seconds(lambda: diagnose(text)) < 0.2, "once: the second time it is remembered"


def test_what_was_given_up_is_not_waited_for() -> None:
    assert "Wait" in explain("busy").next_step
    given_up = explain("busy", status=DeliveryStatus.EXPIRED)
    assert given_up.cause == explain("busy").cause
    assert "gave up" in given_up.next_step
    assert "Wait" not in given_up.next_step


def test_what_our_server_turned_away_is_in_no_queue_of_ours() -> None:
    assert "queue tries again" in explain("greylist").next_step
    assert "no queue of ours" in explain("greylist", status=DeliveryStatus.REJECTED).next_step
    assert "Sign with" in explain("dmarc", status=DeliveryStatus.BOUNCED).next_step
    assert "forges" in explain("dmarc", status=DeliveryStatus.REJECTED).next_step


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using bl.lists.example; https://lists.example/query/ip/192.0.2.9",
         "blocklist"),
        ("452 4.2.2 <a@b.example>: mailbox full, see https://help.example/?ip=2001:db8::7&case=9", "mailbox-full"),
        ("?ip=421:452 4.2.2 https://help.example/", "mailbox-full"),
    ],
)
def test_addresses_in_links_decide_nothing(text: str, reason: str) -> None:
    assert diagnose(text).reason == reason
