"""Messages of one hop and one recipient, as the tracker would hand them over."""

from __future__ import annotations

from flowmon.model.flow import Fate, Flow, Hop
from flowmon.model.words import DeliveryStatus as D


def flow_of(
    id: int, at: float, status: D, *, sender: str = "a@one.example", host: str = "mx1", ended: bool = True
) -> Flow:
    text = "host mx.two.example[192.0.2.2] said: 550 5.1.1 no such user" if status is not D.RELAYED else "250 ok"
    fate = Fate("b@two.example", status, at, None, "mx.two.example[192.0.2.2]:25", text, since=at)
    return Flow(id, [Hop(id, host, "postfix", f"{id:X}", at, at, left_at=at if ended else None, sender=sender,
                         message_id=f"M{id}@one.example", fates={fate.recipient: fate}, began=True, queued=True)])
