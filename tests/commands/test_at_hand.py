"""Mail that waits is told with the command of its MTA that acts on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowmon.model.flow import Fate, Flow, Hop
from flowmon.model.listed import Listed, Listing
from flowmon.model.words import DeliveryStatus
from flowmon.store.advice import next_step
from flowmon.store.assemble import diagnosed, message
from flowmon.store.listings import NOTHING, Listings
from flowmon.tracking.diagnosis import Explanation
from flowmon.tracking.hosts import KnownHosts
from tests.commands.conftest import Run

D = DeliveryStatus
_TIME = "2026-11-24T10:44:52+00:00"
WAIT = Explanation("It waits.", "Wait.")


@pytest.mark.parametrize(("line", "said"), [
    ("mx postfix/smtp[9]: 4D2C3A1B5F: to=<kim@far.example>, relay=none, delay=5, delays=1/0/4/0, dsn=4.4.1, "
     "status=deferred (connect to mx.far.example[198.51.100.8]:25: Connection refused)",
     "On mx: postqueue -i 4D2C3A1B5F tries it at once."),
    ("mx postfix/cleanup[9]: 4D2C3A1B5F: hold: header X-Look: yes from a.example[192.0.2.7]; from=<lee@acme.example> "
     "to=<kim@far.example> proto=ESMTP helo=<a.example>",
     "On mx: postcat -vq 4D2C3A1B5F shows it, postsuper -H 4D2C3A1B5F releases it, "
     "postsuper -d 4D2C3A1B5F deletes it."),
    ("mx sendmail[67]: 6AMAibbj000067: to=<kim@far.example>, delay=00:00:01, xdelay=00:00:01, mailer=esmtp, pri=30751, "
     "relay=mx.far.example., dsn=4.0.0, stat=Deferred: Connection timed out with mx.far.example.",
     "On mx: sendmail -v -qI6AMAibbj000067 tries it at once."),
    ('mx smtpd[30]: e54c0312e9ddd190 mta event=delivery evpid=e87974e2a103789f from=<lee@acme.example> '
     'to=<kim@far.example> rcpt=<-> source="192.0.2.50" relay="198.51.100.13 (198.51.100.13)" delay=0s '
     'result="TempFail" stat="451 4.7.1 Try again later"',
     "On mx: smtpctl schedule e87974e2 tries it at once."),
    ("mx exim[8]: 1xVo17-0000CQ-0V == kim@far.example R=dnslookup T=remote_smtp defer (111): Connection refused",
     "On mx: exim -M 1xVo17-0000CQ-0V tries it at once."),
    ("mx postfix/smtp[9]: 4D2C3A1B5F: to=<kim@far.example>, relay=mx.far.example[198.51.100.8]:25, delay=5, "
     "delays=1/0/4/0, dsn=5.1.1, status=bounced (host mx.far.example[198.51.100.8] said: 550 5.1.1 unknown)", ""),
])  # fmt: skip
def test_what_waits_is_told_with_the_command_of_its_mta(run: Run, tmp_path: Path, line: str, said: str) -> None:
    log = tmp_path / "mail.log"
    log.write_text(f"{_TIME} {line}\n")
    told = run("trace", "kim@far.example", str(log)).out
    assert f"{said}\n" in told if said else "On mx:" not in told


def test_the_command_is_for_the_queue_id_that_waits(run: Run, tmp_path: Path) -> None:
    """A filter gives the mail back to its host: one copy is held there, the other recipient waits in the first."""
    log = tmp_path / "mail.log"
    log.write_text("".join(f"2026-11-24T10:44:0{line}\n" for line in (
        "0+00:00 mx postfix/smtpd[1]: AAAAAA1111: client=a.example[192.0.2.7]",
        "0+00:00 mx postfix/cleanup[2]: AAAAAA1111: message-id=<m1@acme.example>",
        "0+00:00 mx postfix/qmgr[3]: AAAAAA1111: from=<lee@acme.example>, size=1000, nrcpt=2 (queue active)",
        "1+00:00 mx postfix/smtp[9]: AAAAAA1111: to=<zoe@far.example>, relay=none, delay=5, delays=1/0/4/0, dsn=4.4.1, "
        "status=deferred (connect to mx.far.example[198.51.100.8]:25: Connection refused)",
        "1+00:00 mx postfix/smtpd[11]: BBBBBB2222: client=localhost[127.0.0.1]",
        "1+00:00 mx postfix/cleanup[4]: BBBBBB2222: hold: header X-Look: yes from localhost[127.0.0.1]; "
        "from=<lee@acme.example> to=<amy@near.example> proto=ESMTP helo=<a.example>",
        "1+00:00 mx postfix/cleanup[4]: BBBBBB2222: message-id=<m1@acme.example>",
        "2+00:00 mx postfix/smtp[9]: AAAAAA1111: to=<amy@near.example>, relay=127.0.0.1[127.0.0.1]:10025, delay=1, "
        "delays=0/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as BBBBBB2222)",
    )))  # fmt: skip
    told = run("trace", "m1@acme.example", str(log)).out
    assert "For amy@near.example, on mx: postcat -vq BBBBBB2222 shows it, postsuper -H BBBBBB2222" in told
    assert "For zoe@far.example, on mx: postqueue -i AAAAAA1111 tries it at once." in told
    assert "-d AAAAAA1111" not in told


def _told(flow: Flow, listings: Listings = NOTHING) -> str | None:
    return next_step(flow, diagnosed(flow, KnownHosts(), 100.0), WAIT, 100.0, listings)


def _waiting(*queue_ids: str, system: str = "postfix", status: DeliveryStatus = D.DEFERRED) -> Flow:
    """A message that waits under each of these IDs, for a recipient each."""
    return Flow(1, [
        Hop(number, f"mx{number}", system, queue_id, 100.0, 100.0, began=True, queued=True, message_id="m@acme.example",
            fates={f"k{number}@far.example": Fate(f"k{number}@far.example", status, 100.0, since=100.0)})
        for number, queue_id in enumerate(queue_ids, 1)
    ])  # fmt: skip


@pytest.mark.parametrize("queue_id", ["$(reboot)", "", "ALL", "-d", "é1é1é1é1", "4D2C3A1B5F;reboot"])
def test_no_text_of_a_stranger_comes_into_a_command(queue_id: str) -> None:
    for system in ("postfix", "exim", "sendmail", "opensmtpd"):
        assert _told(_waiting(queue_id, system=system)) == "Wait."


def test_mail_that_waits_on_many_hosts_names_whom_each_is_for() -> None:
    told = _told(_waiting("AAAAAA1", "AAAAAA2", "AAAAAA3", "AAAAAA4", "AAAAAA5"))
    assert told is not None
    assert told.startswith("Wait. For k1@far.example, on mx1: postqueue -i AAAAAA1 tries it at once. For k2@far.")
    assert told.endswith("on mx3: postqueue -i AAAAAA3 tries it at once. And so for 2 more.")


def test_the_list_of_the_mta_says_more_than_its_log() -> None:
    def listed(*messages: Listed) -> Listings:
        return Listings([Listing("mx1", "postfix", 500.0, messages=list(messages))])

    def told(listings: Listings) -> str | None:
        return _told(_waiting("AAAAAA1111"), listings)

    held = Listed("AAAAAA1111", "lee@acme.example", ["k1@far.example"], 100.0, held=True)
    assert told(NOTHING) == "Wait. On mx1: postqueue -i AAAAAA1111 tries it at once."
    assert "postsuper -H AAAAAA1111 releases it" in (told(listed(held)) or "")
    assert told(listed()) == "Wait.", "the MTA does not have it any more"


def test_what_its_mta_holds_is_not_tried_again() -> None:
    flow = _waiting("AAAAAA1111")
    fate = flow.hops[0].fates["k1@far.example"]
    fate.since, fate.count = 0.0, 3
    held = Listed("AAAAAA1111", "lee@acme.example", ["k1@far.example"], 0.0, held=True)
    for listings, retry in ((NOTHING, 150.0), (Listings([Listing("mx1", "postfix", 500.0, messages=[held])]), None)):
        at = message(flow, KnownHosts(), 100.0, listings).recipients[0].next_retry_at
        assert (at.timestamp() if at else None) == retry
