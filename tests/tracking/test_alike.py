"""Messages that look alike, from one sender to two recipients, put off by another host of ours, stay apart.

A queue run tries what waits over one connection: the host that refuses tells of a session, not of messages.
"""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowmon.parsing.catalogue import Catalogue
from flowmon.store.reader import SqliteReader
from tests.tracking.two_logs import ONCE, Line, stamped, tell

_RUN_SECONDS = 300
_PEER = "edge.acme.example[192.0.2.1]"
_DELAYS = "delay=1, delays=0.1/0.1/0.1/0.1"


class Sent(NamedTuple):
    """A message: its recipient, the queue run that tries it first, and at which it is taken (None: at none)."""

    to: str
    first_run: int
    refused: int
    taken: bool


class Form(NamedTuple):
    """How mail is tried and logged."""

    apart: float
    """Seconds between the messages of one queue run."""
    one_session: bool
    whole: bool
    """Stamps of whole seconds."""


forms = st.builds(Form, apart=st.sampled_from([0.1, 3.0]), one_session=st.booleans(), whole=st.booleans())
messages = st.lists(
    st.builds(Sent, to=st.sampled_from(["u", "v"]), first_run=st.integers(0, 3), refused=st.integers(0, 3),
              taken=st.booleans()),
    min_size=1, max_size=4,
)


def _logs(sent: list[Sent], form: Form) -> tuple[str, str]:
    """The logs of edge, which has the messages, and of mid, which puts them off and takes them."""
    edge: list[Line] = []
    mid: list[Line] = []
    for number, one in enumerate(sent):
        id, taken_as, to = f"A{number}0000001", f"B{number}0000001", f"<{one.to}@acme.example>"
        begin = one.first_run * _RUN_SECONDS + form.apart * number
        edge += [
            (begin, f"smtpd[10]: {id}: client=out.far.example[203.0.113.1]"),
            (begin + 0.1, f"cleanup[11]: {id}: message-id=<d{number}@far.example>"),
            (begin + 0.2, f"qmgr[12]: {id}: from=<s@far.example>, size=1000, nrcpt=1 (queue active)"),
        ]
        tried = f"smtp[13]: {id}: to={to}, relay=mid.acme.example[192.0.2.2]:25, {_DELAYS}"
        refusal = f"450 4.2.0 {to}: Recipient address rejected: Greylisted"
        for run in range(one.refused + one.taken):
            at, session = begin + run * _RUN_SECONDS + 1.0, f"smtpd[{40 if form.one_session else 50 + number}]"
            if run < one.refused:
                edge.append((at, f"{tried}, dsn=4.2.0, status=deferred (host mid.acme.example[192.0.2.2] said: "
                                 f"{refusal} (in reply to RCPT TO command))"))
                mid.append((at - 0.1, f"{session}: NOQUEUE: reject: RCPT from {_PEER}: {refusal}; from=<s@far.example> "
                                      f"to={to} proto=ESMTP helo=<edge.acme.example>"))
                continue
            edge += [(at, f"{tried}, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {taken_as})"),
                     (at + 0.1, f"qmgr[12]: {id}: removed")]
            mid += [
                (at - 0.2, f"{session}: {taken_as}: client={_PEER}"),
                (at - 0.1, f"cleanup[61]: {taken_as}: message-id=<d{number}@far.example>"),
                (at - 0.05, f"qmgr[62]: {taken_as}: from=<s@far.example>, size=1000, nrcpt=1 (queue active)"),
                (at + 0.2, f"lmtp[63]: {taken_as}: to={to}, relay=mid.acme.example[private/dovecot-lmtp], {_DELAYS}, "
                           f"dsn=2.0.0, status=sent (250 2.0.0 {to} kNx1AbCdEfG{number} Saved)"),
                (at + 0.3, f"qmgr[62]: {taken_as}: removed"),
            ]
    pids = {40} if form.one_session else {50 + number for number in range(len(sent))}
    for run in range(8):
        mid += [(run * _RUN_SECONDS + 0.5, f"smtpd[{pid}]: connect from {_PEER}") for pid in pids]
        mid += [(run * _RUN_SECONDS + 60.0, f"smtpd[{pid}]: disconnect from {_PEER}") for pid in pids]
    return stamped(edge, "edge", whole=form.whole), stamped(mid, "mid", whole=form.whole)


def _true(number: int, one: Sent) -> tuple[str, str, list[str], int]:
    """What must be said of a message: its status, its path, and how many lines of mid's are about it."""
    status = "delivered" if one.taken else "deferred" if one.refused else "queued"
    path = ["edge", "mid"] if one.taken or one.refused else ["edge"]
    return f"<d{number}@far.example>", status, path, one.refused + 5 * one.taken


def _told(reader: SqliteReader) -> list[tuple[str, str, list[str], int]]:
    found = []
    for row in reader.rows(limit=100, order="first_seen", descending=False):
        detail = reader.detail(row.id)
        assert detail is not None
        message = detail.message
        lines = sum(line.host == "mid" for line in detail.evidence)
        path = message.recipients[0].path if message.recipients else [message.hops[0].host]
        found.append((message.message_id or "", str(message.status), path, lines))
    return sorted(found)


@given(sent=messages, form=forms, first=st.sampled_from(["edge", "mid", ONCE]))
@settings(max_examples=60, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_they_stay_apart(catalogue: Catalogue, sent: list[Sent], form: Form, first: str) -> None:
    texts = dict(zip(("edge", "mid"), _logs(sent, form), strict=True))
    expected = [_true(number, one) for number, one in enumerate(sent)]
    assert tell(catalogue, texts, first, _told) == expected
