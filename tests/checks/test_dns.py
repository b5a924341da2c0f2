"""What the DNS says of a message, in words; asked over real packets on the loopback address."""

from __future__ import annotations

import pytest

from flowmon.checks.dns import Finding, Tone, check
from flowmon.checks.subject import Subject
from tests.checks.zone import Zone, resolver

ZONE: Zone = {
    "far.example": {
        "MX": ["20 mx2.far.example.", "10 mx1.far.example."],
        "TXT": ['"v=spf1 mx include:_spf.far.example -all"', '"some-verification=1"'],
    },
    "mx1.far.example": {"A": ["192.0.2.10"], "AAAA": ["2001:db8::10"]},
    "mx2.far.example": {"TXT": ['"no address"']},
    "_dmarc.far.example": {"TXT": ['"v=DMARC1; p=reject; sp=quarantine"']},
    "sub.far.example": {"TXT": ['"v=spf1 ?all"']},
    "bare.example": {"A": ["192.0.2.30"]},
    "empty.example": {"TXT": ['"nothing else"']},
    "nomail.example": {"MX": ["0 ."], "TXT": ['"v=spf1 -all"', '"v=spf1 +all"']},
    "broken.example": None,
    "many.example": {"TXT": ['"v=spf1 ' + " ".join(f"include:{n}.example" for n in range(11)) + ' ~all"']},
    "10.2.0.192.in-addr.arpa": {"PTR": ["mx1.far.example."]},
    "66.2.0.192.in-addr.arpa": {"PTR": ["mx1.far.example."]},
}


async def found(subject: Subject) -> dict[str, Finding]:
    async with resolver(ZONE) as (asking, _):
        return {finding.about: finding for finding in await check(subject, asking)}


async def test_mail_servers_are_told_in_order_of_preference_with_their_addresses() -> None:
    answers = await found(Subject(recipient_domain="far.example"))
    assert answers["MX far.example"].tone is Tone.GOOD
    assert answers["MX far.example"].text == "mail goes to mx1.far.example (10), mx2.far.example (20)"
    assert answers["Address mx1.far.example"].text == "192.0.2.10, 2001:db8::10"
    assert answers["Address mx2.far.example"].tone is Tone.BAD


@pytest.mark.parametrize(
    ("domain", "tone", "words"),
    [
        ("gone.example", Tone.BAD, "does not exist"),
        ("bare.example", Tone.WARN, "no MX: mail goes to its own address 192.0.2.30"),
        ("empty.example", Tone.BAD, "neither MX nor address"),
        ("nomail.example", Tone.BAD, "takes no mail"),
        ("broken.example", Tone.UNKNOWN, "SERVFAIL"),
    ],
)
async def test_domains_that_take_no_mail_or_may_not(domain: str, tone: Tone, words: str) -> None:
    answer = (await found(Subject(recipient_domain=domain)))[f"MX {domain}"]
    assert answer.tone is tone
    assert words in answer.text


@pytest.mark.parametrize(
    ("domain", "tone", "words"),
    [
        ("far.example", Tone.GOOD, "mail from other servers is to be refused"),
        ("sub.far.example", Tone.GOOD, "of other servers it says nothing"),
        ("bare.example", Tone.WARN, "no SPF record"),
        ("nomail.example", Tone.BAD, "2 SPF records"),
        ("many.example", Tone.BAD, "11 more lookups"),
        ("broken.example", Tone.UNKNOWN, "nothing is known"),
    ],
)
async def test_who_may_send_for_a_domain(domain: str, tone: Tone, words: str) -> None:
    answer = (await found(Subject(sender_domain=domain)))[f"SPF {domain}"]
    assert answer.tone is tone
    assert words in answer.text


async def test_the_policy_of_the_organisation_holds_below_it() -> None:
    assert "reject" in (await found(Subject(sender_domain="far.example")))["DMARC far.example"].text
    assert "quarantine" in (await found(Subject(sender_domain="sub.far.example")))["DMARC far.example"].text
    assert (await found(Subject(sender_domain="bare.example")))["DMARC bare.example"].tone is Tone.WARN


async def test_an_address_has_a_name_that_leads_back_to_it() -> None:
    answers = await found(Subject(next_address="192.0.2.10", client="192.0.2.66"))
    assert answers["PTR 192.0.2.10"].tone is Tone.GOOD
    assert answers["PTR 192.0.2.66"].tone is Tone.WARN
    assert "does not lead back" in answers["PTR 192.0.2.66"].text
    assert "has no name" in (await found(Subject(client="198.51.100.1")))["PTR 198.51.100.1"].text


async def test_a_silent_name_server_leaves_things_unknown_and_takes_no_long_time() -> None:
    async with resolver({}) as (asking, _):
        asking.port = 9  # nobody answers there
        answers = await check(Subject(recipient_domain="far.example", client="192.0.2.1"), asking)
    assert {answer.tone for answer in answers} == {Tone.UNKNOWN}


async def test_one_domain_does_not_make_us_ask_without_end() -> None:
    hosts = [f"{n} mx{n}.wide.example." for n in range(40)]
    zone: Zone = {"wide.example": {"MX": hosts}} | {f"mx{n}.wide.example": {"A": ["192.0.2.1"]} for n in range(40)}
    async with resolver(zone) as (asking, asked):
        await check(Subject(recipient_domain="wide.example"), asking)
    assert len(asked) == 1 + 2 * 4
