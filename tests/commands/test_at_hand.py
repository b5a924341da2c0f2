"""Mail that waits is told with the command of its MTA that acts on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowmon.model.answers import Recipient
from flowmon.model.flow import Flow, Hop
from flowmon.model.words import DeliveryStatus
from flowmon.store.advice import next_step
from flowmon.tracking.diagnosis import Explanation
from tests.commands.conftest import Run

_TIME = "2026-11-24T10:44:52+00:00"


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


@pytest.mark.parametrize(("queue_id", "told"), [
    ("4D2C3A1B5F", "Wait. On mx: postqueue -i 4D2C3A1B5F tries it at once."), ("$(reboot)", "Wait."), ("", "Wait."),
])  # fmt: skip
def test_no_id_of_a_stranger_comes_into_a_command(queue_id: str, told: str) -> None:
    waits = Recipient("kim@far.example", None, DeliveryStatus.DEFERRED, None, None, None, None, None, 1, "mx", None,
                      None, [], [])
    flow = Flow(1, [Hop(1, "mx", "postfix", queue_id, 0.0, 0.0)])
    assert next_step(flow, waits, Explanation("It waits.", "Wait."), 0.0) == told
