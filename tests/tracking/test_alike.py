"""Messages that look alike, from one sender to one recipient, put off by another host of ours, stay apart."""

from __future__ import annotations

from pathlib import Path

from tests.golden import reading


def edge(number: int, minute: int) -> str:
    """A message that edge takes, hands to mid without success, and hands over seven minutes later."""
    head, id = f"2026-11-24T10:{minute:02}", f"A{number}0000001"
    later = f"2026-11-24T10:{minute + 7:02}"
    tried = "to=<u@acme.example>, relay=mid.acme.example[192.0.2.2]:25, delay=1, delays=0.1/0.1/0.1/0.1"
    said = "host mid.acme.example[192.0.2.2] said: 450 4.2.0 <u@acme.example>: Recipient address rejected: Greylisted"
    return "".join(f"{line}\n" for line in (
        f"{head}:00.000000+00:00 edge postfix/smtpd[10]: {id}: client=out.far.example[203.0.113.1]",
        f"{head}:00.100000+00:00 edge postfix/cleanup[11]: {id}: message-id=<d{number}@far.example>",
        f"{head}:00.200000+00:00 edge postfix/qmgr[12]: {id}: from=<s@far.example>, size=1000, nrcpt=1 (queue active)",
        f"{head}:01.000000+00:00 edge postfix/smtp[13]: {id}: {tried}, dsn=4.2.0, status=deferred ({said} "
        "(in reply to RCPT TO command))",
        f"{later}:01.000000+00:00 edge postfix/smtp[13]: {id}: {tried}, dsn=2.0.0, status=sent (250 2.0.0 Ok: "
        f"queued as B{number}0000001)",
        f"{later}:01.100000+00:00 edge postfix/qmgr[12]: {id}: removed",
    ))


def mid(number: int, minute: int) -> str:
    """What mid tells of it: a refusal in a session of its own, and the later arrival."""
    head, id = f"2026-11-24T10:{minute:02}", f"B{number}0000001"
    later = f"2026-11-24T10:{minute + 7:02}"
    peer, pid = "edge.acme.example[192.0.2.1]", 40 + number
    return "".join(f"{line}\n" for line in (
        f"{head}:00.500000+00:00 mid postfix/smtpd[{pid}]: connect from {peer}",
        f"{head}:00.900000+00:00 mid postfix/smtpd[{pid}]: NOQUEUE: reject: RCPT from {peer}: 450 4.2.0 "
        "<u@acme.example>: Recipient address rejected: Greylisted; from=<s@far.example> to=<u@acme.example> "
        "proto=ESMTP helo=<edge.acme.example>",
        f"{head}:01.100000+00:00 mid postfix/smtpd[{pid}]: disconnect from {peer}",
        f"{later}:00.800000+00:00 mid postfix/smtpd[60]: {id}: client={peer}",
        f"{later}:00.900000+00:00 mid postfix/cleanup[61]: {id}: message-id=<d{number}@far.example>",
        f"{later}:00.950000+00:00 mid postfix/qmgr[62]: {id}: from=<s@far.example>, size=1000, nrcpt=1 (queue active)",
        f"{later}:01.200000+00:00 mid postfix/lmtp[63]: {id}: to=<u@acme.example>, "
        "relay=mid.acme.example[private/dovecot-lmtp], delay=0.4, delays=0.1/0.1/0.1/0.1, dsn=2.0.0, status=sent "
        "(250 2.0.0 <u@acme.example> kNx1AbCdEfGh Saved)",
        f"{later}:01.300000+00:00 mid postfix/qmgr[62]: {id}: removed",
    ))


def test_put_off_by_a_host_of_ours_they_do_not_become_one(tmp_path: Path) -> None:
    (tmp_path / "edge.log").write_text(edge(0, 0) + edge(1, 1) + edge(2, 3))
    (tmp_path / "mid.log").write_text(mid(0, 0) + mid(1, 1) + mid(2, 3))
    (tmp_path / "mid.log").write_text("".join(sorted((tmp_path / "mid.log").read_text().splitlines(keepends=True))))
    (tmp_path / "edge.log").write_text("".join(sorted((tmp_path / "edge.log").read_text().splitlines(keepends=True))))
    with reading.read([str(tmp_path / "edge.log"), str(tmp_path / "mid.log")]) as reader:
        found = sorted((m.message_id, m.status.value, [h.host for h in m.hops]) for m in reader.messages())
    assert found == [(f"<d{n}@far.example>", "delivered", ["edge", "mid", "mid"]) for n in range(3)]
