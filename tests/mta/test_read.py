"""The lists of each MTA, read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from flowmon.mta import exim, opensmtpd, postfix, sendmail
from flowmon.mta.commands import MtaError, runner
from tests.mta import samples


def test_postfix() -> None:
    deferred, active, held = postfix.read(samples.POSTFIX, postfix.tries(samples.POSTFIX_TRIES))
    assert (deferred.queue_id, deferred.recipients) == ("E7C2E216371", ["lee39@close.direct.example"])
    assert (deferred.deferred, deferred.held, deferred.next_retry_at) == (True, False, 1795642498.0)
    assert (deferred.reason or "").startswith("lost connection with mx-close.sinknet.example[198.51.100.22]")
    assert (active.deferred, active.held, active.next_retry_at, active.reason) == (False, False, None, None)
    assert (held.deferred, held.held, held.envelope_sender) == (False, True, "")


def test_exim() -> None:
    hints = exim.Hints()
    hints.retry(samples.EXIM_RETRY, UTC)
    hints.wait(samples.EXIM_WAIT)
    hanging, partly, frozen = exim.read(samples.EXIM, hints)
    assert datetime.fromtimestamp(hanging.arrived_at, UTC) == datetime(2026, 11, 25, 21, 34, 1, tzinfo=UTC)
    assert (hanging.reason, hanging.size) == ("Connection timed out", 1638)
    assert hanging.next_retry_at == datetime(2026, 11, 25, 21, 34, 46, tzinfo=UTC).timestamp()
    assert (partly.envelope_sender, partly.recipients) == ("", ["kim58@busy.example"])
    assert partly.next_retry_at == datetime(2026, 11, 25, 21, 34, 43, tzinfo=UTC).timestamp()
    assert (partly.deferred, partly.held) == (True, False)
    assert (frozen.held, frozen.next_retry_at) == (True, None)


def test_exim_of_today_has_longer_ids() -> None:
    (one,) = exim.read("12h   12K 1rQ0Yb-00000002Abc-1XyZ <a@b.example>\n          c@d.example\n\n", exim.Hints())
    assert (one.queue_id, one.size, one.deferred) == ("1rQ0Yb-00000002Abc-1XyZ", 12288, False)


def test_sendmail() -> None:
    first, second = sendmail.read(samples.SENDMAIL, datetime(2026, 11, 25, 21, 40, tzinfo=UTC))
    assert first.recipients == ["info49@grey.sm.example", "info50@grey.sm.example"]
    assert first.reason == "451 4.7.1 Greylisting in action, please come back later"
    assert (first.deferred, first.arrived_at) == (True, datetime(2026, 11, 25, 21, 35, tzinfo=UTC).timestamp())
    assert (second.queue_id, second.envelope_sender, second.deferred) == ("6APLglk4000242", "", False)
    assert datetime.fromtimestamp(second.arrived_at, UTC).year == 2025, "a day to come is one of last year"


def test_opensmtpd() -> None:
    waits, bounce = opensmtpd.read(samples.OPENSMTPD, now=1795642685.0)
    assert (waits.queue_id, waits.recipients) == ("23dc2fe0", ["info48@grey.os.example", "kim83@busy.os.example"])
    assert (waits.arrived_at, waits.next_retry_at, waits.deferred) == (1795642682.0, 1795643075.0, True)
    assert (bounce.envelope_sender, bounce.next_retry_at) == ("", None)


def test_what_is_no_list_is_said() -> None:
    with pytest.raises(MtaError, match="no envelope"):
        list(opensmtpd.read("smtpctl: need root privileges\n", 0.0))


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(MtaError, match="cannot access"):
        runner()("ls", "/no/such/queue")
    with pytest.raises(MtaError, match="no such program"):
        runner(("no-such-wrapper",))("postqueue", "-j")
