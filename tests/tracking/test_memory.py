"""What a collector holds does not grow with what it has read."""

from __future__ import annotations

from pathlib import Path

from tests.golden import live

_MESSAGES = 1500


def _lines() -> list[str]:
    """Messages that come every two seconds, each by a way that leaves something behind while it lasts."""
    lines = []
    for n in range(_MESSAGES):
        at = f"2026-11-24T{9 + n * 2 // 3600:02d}:{n * 2 // 60 % 60:02d}:{n * 2 % 60:02d}+00:00"
        post, queue_id = f"{at} mx postfix/", f"B6{n:07X}"
        client = f"c{n % 50}.example[192.0.2.{n % 50}]"
        if n % 3 == 0:
            lines += [  # a client that goes away before its mail is taken
                f"{post}smtpd[{n}]: connect from {client}",
                f"{post}smtpd[{n}]: {queue_id}: client={client}",
                f"{post}cleanup[9]: {queue_id}: message-id=<m{n}@far.example>",
                f"{post}smtpd[{n}]: lost connection after DATA (0 bytes) from {client}",
                f"{post}smtpd[{n}]: disconnect from {client}",
            ]
        elif n % 3 == 1:
            lines.append(  # refused, and the end of the session is not logged
                f"{post}smtpd[{n}]: NOQUEUE: reject: RCPT from {client}: 550 5.1.1 <x@acme.example>: Recipient address "
                f"rejected: User unknown; from=<spam@far.example> to=<x@acme.example> proto=ESMTP helo=<c>"
            )
        else:
            exim = f"1xVo{n // 62 // 62 % 62:02d}-{n:06d}-2i"
            lines += [
                f"{at} hub exim[5]: {exim} <= anna@far.example H=(c) [192.0.2.9] P=esmtp S=800 id=m{n}@far.example",
                f"{at} hub exim[5]: {exim} => bob@acme.example R=r T=t H=mx.far.example [198.51.100.7] C=\"250 OK\"",
                f"{at} hub exim[5]: {exim} Completed",
            ]
    return lines


def test_nothing_grows(tmp_path: Path, utc: None) -> None:
    log = tmp_path / "logs" / "mail.log"
    log.parent.mkdir()
    log.touch()
    one = live.Live(live.builtin(), tmp_path / "store.db", log.parent)
    lines = _lines()
    with log.open("a") as out:
        for start in range(0, len(lines), 200):
            out.write("".join(line + "\n" for line in lines[start : start + 200]))
            out.flush()
            one.fold()
            one.commit()
    collector = one.collector
    hosts, joiner = collector.folding.tracker.hosts, collector.keeper.joiner
    assert set(hosts) == {"mx", "hub"}
    held = {
        f"{name} {what}": len(getattr(host, what))
        for name, host in hosts.items() for what in ("hops", "in_session", "clients", "ended", "verdicts")
    }
    held["flows"] = len(joiner.table.flows)
    one.end()
    assert max(held.values()) < _MESSAGES // 5, held
