"""Mail of one sender from outside, put off by two servers of ours and brought again, over whatever connections."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowmon.parsing.catalogue import Catalogue
from flowmon.store.reader import SqliteReader
from tests.tracking.two_logs import ONCE, Line, stamped, tell

_RUN_SECONDS = 300
_PEER = "out.far.example[203.0.113.1]"
_DELAYS = "delay=1, delays=0.1/0.1/0.1/0.1"


class Sent(NamedTuple):
    """A message: the queue run that tries it first, and the servers that put it off and the one that takes it."""

    first_run: int
    tried_at: tuple[str, ...]


class Form(NamedTuple):
    """How mail is brought and logged."""

    apart: float
    """Seconds between the messages of one queue run."""
    one_session: bool
    whole: bool
    """Stamps of whole seconds."""


hosts = st.sampled_from(["mx1", "mx2"])
messages = st.lists(
    st.builds(Sent, first_run=st.integers(0, 2), tried_at=st.lists(hosts, min_size=1, max_size=4).map(tuple)),
    min_size=1, max_size=4,
)
forms = st.builds(Form, apart=st.sampled_from([0.1, 3.0]), one_session=st.booleans(), whole=st.booleans())


def _logs(sent: list[Sent], form: Form) -> dict[str, str]:
    lines: dict[str, list[Line]] = {"mx1": [], "mx2": []}
    pids = set()
    for number, one in enumerate(sent):
        id, to = f"B{number}0000001", f"<u{number}@acme.example>"
        begin = one.first_run * _RUN_SECONDS + form.apart * number
        pid = 40 if form.one_session else 50 + number
        pids.add(pid)
        *refused_at, taken_at = one.tried_at
        for run, host in enumerate(refused_at):
            lines[host].append((
                begin + run * _RUN_SECONDS + 1.0,
                f"smtpd[{pid}]: NOQUEUE: reject: RCPT from {_PEER}: 450 4.2.0 {to}: Recipient address rejected: "
                f"Greylisted; from=<s@far.example> to={to} proto=ESMTP helo=<out.far.example>",
            ))
        at = begin + len(refused_at) * _RUN_SECONDS + 1.0
        lines[taken_at] += [
            (at, f"smtpd[{pid}]: {id}: client={_PEER}"),
            (at + 0.01, f"cleanup[61]: {id}: message-id=<d{number}@far.example>"),
            (at + 0.02, f"qmgr[62]: {id}: from=<s@far.example>, size=1000, nrcpt=1 (queue active)"),
            (at + 0.03, f"lmtp[63]: {id}: to={to}, relay={taken_at}.acme.example[private/dovecot-lmtp], {_DELAYS}, "
                        f"dsn=2.0.0, status=sent (250 2.0.0 {to} kNx1AbCdEfG{number} Saved)"),
            (at + 0.04, f"qmgr[62]: {id}: removed"),
        ]
    for run in range(8):
        for each in lines.values():
            each += [(run * _RUN_SECONDS + 0.5, f"smtpd[{pid}]: connect from {_PEER}") for pid in pids]
            each += [(run * _RUN_SECONDS + 60.0, f"smtpd[{pid}]: disconnect from {_PEER}") for pid in pids]
    return {host: stamped(each, host, whole=form.whole) for host, each in lines.items()}


def _told(reader: SqliteReader) -> list[tuple[str | None, list[str], list[str], int]]:
    """Message-ID, recipients, hosts that had to do with it, and tries, of each message."""
    found = []
    for row in reader.rows(limit=100, order="first_seen", descending=False):
        detail = reader.detail(row.id)
        assert detail is not None
        message = detail.message
        found.append((
            message.message_id, [one.recipient for one in message.recipients],
            [hop.host for hop in message.hops], sum(one.attempts for one in message.recipients),
        ))
    return sorted(found, key=str)


@given(sent=messages, form=forms, first=st.sampled_from(["mx1", "mx2", ONCE]))
@settings(max_examples=60, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_is_told_with_its_tries(catalogue: Catalogue, sent: list[Sent], form: Form, first: str) -> None:
    expected = [
        (f"<d{number}@far.example>", [f"u{number}@acme.example"], list(one.tried_at), len(one.tried_at))
        for number, one in enumerate(sent)
    ]
    assert tell(catalogue, _logs(sent, form), first, _told) == expected
