"""A dozen messages, as the store would write them, and what a filter finds among them."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

from flowmon.model.words import STATUS_BY_SEVERITY, DeliveryStatus, Direction, Scenario
from flowmon.store.filter import Filter, parse
from flowmon.store.schema import Key

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC).timestamp()
"""When the filters are asked."""
D = DeliveryStatus


def at(text: str) -> float:
    return datetime.fromisoformat(f"2026-11-{text}:00+00:00").timestamp()


class Row:
    """A message as the store would write it, with what the tests vary."""

    def __init__(
        self, first: str, last: str, *statuses: DeliveryStatus, sender: str | None = "a@one.example", to: str = "",
        problems: str | None = None, reasons: str | None = None, subject: str | None = None, size: int | None = 1000,
        client: str | None = None, direction: str | None = "inbound",
        scenario: str | None = "internet", keys: tuple[tuple[Key, str], ...] = (), next_hop: str | None = None,
    ) -> None:
        self.columns = {
            "first_at": at(first), "last_at": at(last), "status": min(STATUS_BY_SEVERITY.index(s) for s in statuses),
            "statuses": sum(1 << STATUS_BY_SEVERITY.index(s) for s in statuses), "reasons": reasons,
            "scenario": list(Scenario).index(Scenario(scenario)) if scenario else None,
            "direction": list(Direction).index(Direction(direction)) if direction else None,
            "sender": sender, "recipients": 1,
            "host": "mx1", "hops": 1, "attempts": 1, "size": size, "subject": subject, "client": client,
            "body": b"",
            "open": int(any(s in (D.QUEUED, D.DEFERRED, D.HELD) for s in statuses)),
        }  # fmt: skip
        self.next_hop = next_hop
        self.failures = list(zip((problems or "").split(), (reasons or "").split(), strict=True))
        self.keys = list(keys)
        if sender is not None:
            self.keys.append((Key.SENDER, sender))
            if sender:
                self.keys.append((Key.SENDER_DOMAIN, sender.partition("@")[2]))
        for recipient in to.split():
            self.keys.append((Key.RECIPIENT, recipient))
            self.keys.append((Key.RECIPIENT_DOMAIN, recipient.partition("@")[2]))


ROWS = {
    1: Row("24T10:00", "24T10:01", D.DELIVERED, to="bob@ours.example", subject="Quarterly report", size=10_240,
           client="mail.one.example[192.0.2.10]", direction="inbound",
           keys=((Key.MESSAGE_ID, "m1@one.example"), (Key.QUEUE_ID, "4F1"), (Key.HOST, "mx1"), (Key.HOST, "mbx"))),
    2: Row("24T11:00", "24T11:50", D.DEFERRED, sender="alice@ours.example", to="x@gmail.example", direction="outbound",
           problems=" delivery ", reasons=" mailbox-full ", next_hop="mx.gmail.example", subject="Rechnung 100%",
           keys=((Key.QUEUE_ID, "4bXyz1"), (Key.HOST, "mx2"), (Key.NEXT_HOP, "mx.gmail.example"),
                 (Key.NEXT_HOP, "198.51.100.7"))),
    3: Row("24T11:58", "24T11:59", D.BOUNCED, D.DELIVERED, sender="alice@sub.ours.example",
           to="nobody@one.example bob@one.example", problems=" delivery routing ", reasons=" user-unknown loop ",
           direction="outbound", scenario="inter-organisation", keys=((Key.HOST, "mx1"), (Key.REPLY_ID, "1abc-DEF"))),
    4: Row("23T09:00", "23T09:05", D.BOUNCED, sender="", to="alice@ours.example", subject="Undelivered Mail",
           direction="internal", scenario="intra-organisation", keys=((Key.HOST, "mx1"),)),
    5: Row("22T22:30", "22T23:30", D.EXPIRED, sender="malice@ours.example", to="info@two.example", size=6_000_000,
           problems=" routing ", reasons=" host-unknown ", client="gateway (203.0.113.9)"),
    6: Row("24T11:30", "24T11:30", D.REJECTED, sender=None, subject=None, size=None, client="unknown[2001:db8::25]",
           problems=" authentication ", reasons=" smtp-auth ", direction=None, scenario=None),
    7: Row("24T08:00", "24T08:01", D.HELD, sender="o'brien@three.example", to="bob@ours.example",
           problems=" policy ", reasons=" restricted ", subject='Hold "this" (now) and_then'),
    8: Row("24T11:59", "24T11:59", D.QUEUED, sender="alice.b@ours.example", to="carol@waiting.example",
           next_hop="waiting.example", direction="outbound", client="192.0.2.100"),
    9: Row("24T07:00", "24T07:01", D.RELAYED, sender="srs[1]*x@one.example", to="bob@ours.example", subject="Grüße",
           keys=((Key.NETWORK_MESSAGE_ID, "0f3a1b2c4d5e60718293a4b5c6d7e8f9"), (Key.HOST, "mx10"))),
    10: Row("24T07:10", "24T07:11", D.DISCARDED, sender="a@xone.example", to="bob@ours.example list@ours.example",
            problems=" spam ", reasons=" virus ", subject="GRÜSSE 100 mal"),
}  # fmt: skip


def parsed(text: str) -> Filter:
    found = parse(text)
    assert found is not None
    return found


def found(db: sqlite3.Connection, text: str, now: float = NOW) -> list[int]:
    condition, parameters = parsed(text).sql(now)
    return [id for (id,) in db.execute(f"SELECT m.id FROM messages m WHERE {condition} ORDER BY m.id", parameters)]


def without(*ids: int) -> list[int]:
    return [id for id in ROWS if id not in ids]
