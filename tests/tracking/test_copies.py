"""Copies of one message, which have one Message-ID, that a host of ours hands to another stay apart.

The next hop may use its queue IDs again, or tell none in its replies; its clock may be ahead.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowmon.parsing.catalogue import Catalogue
from flowmon.store.reader import SqliteReader
from tests.tracking.two_logs import ONCE, Line, stamped, tell


class Form(NamedTuple):
    """How copies go, and are logged."""

    gaps: list[int]
    """Seconds from one copy's handover to the next one's."""
    reused: bool
    """The next hop gives each copy the same queue ID."""
    named: bool
    """Its replies tell its queue IDs."""
    ahead: float
    """Seconds that its clock is ahead."""


forms = st.builds(
    Form, gaps=st.lists(st.sampled_from([5, 40, 130, 400]), max_size=3), reused=st.booleans(), named=st.booleans(),
    ahead=st.sampled_from([0.0, 0.0, 3.0, -2.0]),
)


def _logs(form: Form) -> tuple[str, str]:
    edge: list[Line] = []
    mid: list[Line] = []
    for number, at in enumerate(itertools.accumulate([100, *form.gaps])):
        id, taken_as = f"A{number}0000001", "B00000001" if form.reused else f"B{number}0000001"
        reply = f"250 2.0.0 Ok: queued as {taken_as}" if form.named else "250 2.0.0 thanks"
        edge += [
            (at - 1.0, f"smtpd[10]: {id}: client=out.far.example[203.0.113.1]"),
            (at - 0.9, f"cleanup[11]: {id}: message-id=<d@far.example>"),
            (at - 0.8, f"qmgr[12]: {id}: from=<s@far.example>, size=1000, nrcpt=1 (queue active)"),
            (at, f"smtp[13]: {id}: to=<u@acme.example>, relay=mid.acme.example[192.0.2.2]:25, delay=1, "
                 f"delays=0.1/0.1/0.1/0.1, dsn=2.0.0, status=sent ({reply})"),
            (at + 0.1, f"qmgr[12]: {id}: removed"),
        ]
        there = at + form.ahead
        mid += [
            (there - 0.2, f"smtpd[60]: {taken_as}: client=edge.acme.example[192.0.2.1]"),
            (there - 0.1, f"cleanup[61]: {taken_as}: message-id=<d@far.example>"),
            (there - 0.05, f"qmgr[62]: {taken_as}: from=<s@far.example>, size=1000, nrcpt=1 (queue active)"),
            (there + 0.2, f"lmtp[63]: {taken_as}: to=<u@acme.example>, relay=mid.acme.example[private/dovecot-lmtp], "
                          "delay=0.4, delays=0.1/0.1/0.1/0.1, dsn=2.0.0, status=sent (250 2.0.0 <u@acme.example> "
                          f"kNx1AbCdEfG{number} Saved)"),
            (there + 0.3, f"qmgr[62]: {taken_as}: removed"),
        ]
    return stamped(edge, "edge"), stamped(mid, "mid")


def _told(reader: SqliteReader) -> list[list[str | None]]:
    """The queue IDs that each message had, one after the other, with what it says of its last host."""
    found = []
    for row in reader.rows(limit=100, order="first_seen", descending=False):
        detail = reader.detail(row.id)
        assert detail is not None
        sessions = [a.reply_id for a in detail.attempts if a.host == "mid"]
        found.append([*(hop.queue_id for hop in detail.message.hops), *sessions, str(detail.message.status)])
    return found


@given(form=forms, first=st.sampled_from(["edge", "mid", ONCE]))
@settings(max_examples=60, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_they_stay_apart(catalogue: Catalogue, form: Form, first: str) -> None:
    texts = dict(zip(("edge", "mid"), _logs(form), strict=True))
    expected = [
        [f"A{n}0000001", "B00000001" if form.reused else f"B{n}0000001", f"kNx1AbCdEfG{n}", "delivered"]
        for n in range(len(form.gaps) + 1)
    ]
    assert tell(catalogue, texts, first, _told) == expected
