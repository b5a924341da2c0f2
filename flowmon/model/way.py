"""The way of a message to a recipient, and where its time went: by host and by stage.

Pure: answers in, answers out.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from flowmon.model.answers import WHOLE, Detail, Hop, Message, Recipient
from flowmon.model.words import OPEN_STATUSES, STATUS_BY_SEVERITY, DeliveryStatus, Stage

DONE = (DeliveryStatus.DELIVERED, DeliveryStatus.RELAYED, DeliveryStatus.EXPANDED)
_WORTH_A_WORD_SECONDS = 1.0
"""What took less is not called slow."""
_WORTH_TELLING_SECONDS = 0.001
_PARTS_TOLD = 3


def worst_first(recipients: list[Recipient]) -> list[Recipient]:
    """Recipients, the one in the greatest trouble first."""
    return sorted(recipients, key=lambda one: STATUS_BY_SEVERITY.index(one.status))


def stuck_first(recipients: list[Recipient]) -> list[Recipient]:
    """The same, but those that wait before those that failed for good: they can still be helped."""
    return sorted(worst_first(recipients), key=lambda one: one.status not in OPEN_STATUSES)


def hop_seconds(hop: Hop, now: datetime) -> float:
    """How long a host held the message, or holds it."""
    return max(0.0, ((hop.left_at or now) - hop.arrived_at).total_seconds())


def slowest_hop(message: Message, now: datetime) -> Hop | None:
    """The hop that took longest, where that was long enough to tell."""
    hops = sorted(message.hops, key=lambda hop: hop_seconds(hop, now))
    return hops[-1] if len(hops) > 1 and hop_seconds(hops[-1], now) >= _WORTH_A_WORD_SECONDS else None


def inside(detail: Detail, hop: Hop) -> str:
    """What took longest inside a server, in words: `queue to the outside 3.2s, categorizer 40ms`; "" where it does not
    tell."""
    told = [one for one in detail.latencies if (one.host, one.queue_id) == (hop.host, hop.queue_id)]
    longest = [one for one in told if one.component != WHOLE and one.seconds >= _WORTH_TELLING_SECONDS][:_PARTS_TOLD]
    return ", ".join(f"{one.words} {_short(one.seconds)}" for one in longest)


def _short(seconds: float) -> str:
    return f"{seconds:.1f}s" if seconds >= 1 else f"{round(seconds * 1000)}ms"


def hops_to(detail: Detail, recipient: Recipient | None) -> list[Hop]:
    """The hops on the way to a recipient, in order; all where that is not known."""
    message = detail.message
    ways = {one.recipient: way for one, way in zip(message.recipients, detail.ways, strict=False)}
    way = ways.get(recipient.recipient, []) if recipient is not None else []
    return [message.hops[place] for place in way] or list(message.hops)


def visits(path: list[str]) -> tuple[str, int] | None:
    """The host that a path comes to most often, and how often; None where it comes to none twice."""
    often = max(path, key=path.count, default=None)
    return (often, path.count(often)) if often is not None and path.count(often) > 1 else None


def stage_seconds(detail: Detail, recipient: Recipient | None, now: datetime) -> dict[Stage, float | None]:
    """Seconds that each stage took on the way to a recipient, or took until now; None where no log tells.

    Sending: until the first host had the whole message. Delivery: on the host that gave it into the mailbox or out of
    our logs. Routing: on the hosts between, and where a next hop has not been reached yet.
    """
    seconds: dict[Stage, float | None] = dict.fromkeys(Stage)
    message, hops = detail.message, hops_to(detail, recipient)
    for place, hop in enumerate(hops):
        last = place == len(hops) - 1
        took = max(0.0, (_left(message, recipient, hop, None if last else hops[place + 1], now)
                         - hop.arrived_at).total_seconds())
        if place == 0 and hop.delays.before_queue is not None:
            seconds[Stage.SENDING] = sent = min(hop.delays.before_queue, took)
            took -= sent
        done = recipient is not None and recipient.status in DONE
        stage = Stage.DELIVERY if last and (done or hop.stage is Stage.DELIVERY) else Stage.ROUTING
        if hop.stage is Stage.SENDING and not last and hops[place + 1].host == hop.host:
            stage = Stage.SENDING  # the part of a server that takes mail out of mailboxes
        seconds[stage] = (seconds[stage] or 0.0) + took
    return seconds


def _left(message: Message, recipient: Recipient | None, hop: Hop, after: Hop | None, now: datetime) -> datetime:
    """When this recipient's copy left a hop: others may have stayed longer."""
    left = hop.left_at or now
    if after is not None:
        return min(left, after.arrived_at) if after.arrived_at >= hop.arrived_at else left
    if recipient is None or recipient.delay_seconds is None or recipient.status in OPEN_STATUSES:
        return left
    decided = message.first_seen_at + timedelta(seconds=recipient.delay_seconds)
    return min(left, decided) if decided >= hop.arrived_at else left


def slowest_stage(seconds: dict[Stage, float | None]) -> Stage | None:
    """The stage that took longest, where that was long enough to tell."""
    told = {stage: value for stage, value in seconds.items() if value is not None}
    slowest = max(told, key=lambda stage: told[stage], default=None)
    return slowest if slowest is not None and told[slowest] >= _WORTH_A_WORD_SECONDS else None
