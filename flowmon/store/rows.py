"""From a flow to its rows: the columns of `messages`, its terms, what it holds in queues, and its failures."""

from __future__ import annotations

from typing import Any

import msgspec

from flowmon.model.flow import Flow, Hop, Link
from flowmon.model.words import OPEN_STATUSES, STATUS_BY_SEVERITY, DeliveryStatus, Direction, Scenario
from flowmon.store import terms
from flowmon.tracking.cause import cause, reply
from flowmon.tracking.flows import lost
from flowmon.tracking.hosts import KnownHosts
from flowmon.tracking.linking import LIFETIME_SECONDS
from flowmon.tracking.refusals import refused_login
from flowmon.tracking.replies import relay_name
from flowmon.tracking.scenario import classify, domain_of
from flowmon.tracking.summary import SEVERITY, Outcome, at_work, frozen, outcomes, shown, unnamed

_DECIDED_HERE = frozenset({
    DeliveryStatus.REJECTED, DeliveryStatus.HELD, DeliveryStatus.QUARANTINED, DeliveryStatus.DISCARDED,
})
MESSAGE_COLUMNS = (
    "id", "first_at", "last_at", "status", "statuses", "problem", "reason", "reasons", "scenario",
    "direction", "sender", "recipient", "recipients", "host", "hops", "attempts", "size", "subject", "client", "login",
    "open", "body",
)
UNKNOWN_NEXT_HOP = "(not known yet)"
"""Next hop of mail that no server has tried to hand on."""

SCENARIO_PLACES: dict[Scenario | None, int] = {scenario: place for place, scenario in enumerate(Scenario)}
DIRECTION_PLACES: dict[Direction | None, int] = {direction: place for place, direction in enumerate(Direction)}

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[list[Hop], list[Link]])
_D = DeliveryStatus

Value = str | int | float | bytes | None


class Rows(msgspec.Struct, gc=False):
    """All rows of one message."""

    id: int
    message: tuple[Value, ...]
    """Its columns but the last one."""
    body: bytes
    terms: str
    """See flowmon.store.terms; "" where nobody will look for it by them."""
    queue: list[tuple[Value, ...]]
    failures: list[tuple[Value, ...]]
    waits_until: float | None
    """Time at which the rows must be made anew though no line comes: see HANDOVER_WAIT_SECONDS."""


def encode(flow: Flow) -> bytes:
    """The body of a message's row."""
    return _encoder.encode((flow.hops, flow.links))


def decode(id: int, body: bytes) -> Flow:
    """The flow of a row."""
    hops, links = _decoder.decode(body)
    return Flow(id, hops, links)


def hop_status(hop: Hop) -> DeliveryStatus:
    """Status of a hop of which no recipient is known."""
    if hop.state is not None:
        return hop.state
    if hop.aborted or hop.refused is not None:
        return _D.REJECTED
    return _D.QUEUED if hop.left_at is None else _D.REMOVED


def make(flow: Flow, known: KnownHosts, now: float, *, keyed: bool = True) -> Rows:
    """The rows of a flow as things stand at `now` (log time). `keyed`: with terms."""
    if len(flow.hops) == 1:
        plain = _plain(flow, flow.hops[0], known, keyed)
        if plain is not None:
            return plain
    found = outcomes(flow, known, now)
    first, last = flow.hops[0], flow.hops[-1]
    first_at = first.arrived_at
    last_at = first.last_at if first is last else max(h.last_at for h in flow.hops)
    statuses, reasons, attempts, waits = 0, "", 0, None
    queue: dict[tuple[str, str], list[Value]] = {}
    failures: dict[tuple[str, str, str | None], list[Value]] = {}
    worst: Outcome | None = None
    worst_place = len(STATUS_BY_SEVERITY)
    more = unnamed(flow) if found else None
    for outcome in found if more is None else [*found, more]:
        place = SEVERITY[outcome.status]
        statuses |= 1 << place
        if outcome.attempts > attempts:
            attempts = outcome.attempts
        if place < worst_place:
            worst, worst_place = outcome, place
        if outcome.waits_until is not None:
            waits = max(waits or 0.0, outcome.waits_until)
        if outcome.status is _RELAYED or outcome.status is _DELIVERED:
            continue
        _explain(outcome)
        if outcome.problem is not None:
            reasons = _add_word(reasons, outcome.reason or "unknown")
            _failure(failures, flow, outcome, now)
        if outcome.status in OPEN_STATUSES and not lost(outcome.hop, now):
            _in_queue(queue, flow.id, outcome)
    if worst is None:
        worst = _without_recipients(flow, last, queue, failures, now)
        worst_place = SEVERITY[worst.status]
        statuses = 1 << worst_place
        if worst.problem is not None:
            reasons = f" {worst.reason} "
    sender = _first(flow.hops, "sender")
    scenario, direction = classify(sender, [o.recipient for o in found], known)
    still = [hop.last_at for hop in flow.hops if at_work(hop) and not lost(hop, now)]
    is_open = 1 if queue else 2 if still else 0  # see schema
    message: tuple[Value, ...] = (
        flow.id, first_at, last_at, worst_place, statuses, worst.problem, worst.reason, reasons or None,
        SCENARIO_PLACES.get(scenario), DIRECTION_PLACES.get(direction), sender.lower() if sender is not None else None,
        worst.recipient or None, len(found), worst.hop.host, len(shown(flow)), attempts, _first(flow.hops, "size"),
        _first(flow.hops, "subject"), first.client, refused_login(flow), is_open,
    )
    return Rows(flow.id, message, encode(flow), terms.of(flow) if keyed else "", [tuple(q) for q in queue.values()],
                [tuple(f) for f in failures.values()],
                max(still) + LIFETIME_SECONDS if still and waits is None else waits)


def _first(hops: list[Hop], name: str) -> Any:
    """The first value that is known of something, among hops."""
    for hop in hops:
        value = getattr(hop, name)
        if value is not None:
            return value
    return None


_RELAYED, _DELIVERED = _D.RELAYED, _D.DELIVERED  # an attribute of an enumeration costs ten times a global
_RELAYED_BIT, _DELIVERED_BIT = (1 << SEVERITY[status] for status in (_RELAYED, _DELIVERED))


def _plain(flow: Flow, hop: Hop, known: KnownHosts, keyed: bool) -> Rows | None:
    """The rows of what most messages are: one hop, everything delivered or relayed at the first try. Else None."""
    fates = hop.fates
    if not fates or hop.refused is not None or hop.tries is not None or hop.left_at is None:
        return None
    statuses = 0
    worst = None
    for fate in fates.values():
        if fate.count != 1 or fate.earlier is not None:
            return None
        if fate.status is _RELAYED:
            if known.takes(fate.relay, hop.host):
                return None
            if not statuses & _RELAYED_BIT:
                worst = fate
            statuses |= _RELAYED_BIT
        elif fate.status is _DELIVERED:
            statuses |= _DELIVERED_BIT
        else:
            return None
    worst = worst or next(iter(fates.values()))
    sender = hop.sender
    scenario, direction = classify(sender, fates, known)
    id, first_at, last_at = flow.id, hop.arrived_at, hop.last_at
    message: tuple[Value, ...] = (
        id, first_at, last_at, SEVERITY[worst.status], statuses, None, None, None, SCENARIO_PLACES.get(scenario),
        DIRECTION_PLACES.get(direction), sender.lower() if sender is not None else None, worst.recipient, len(fates),
        hop.host, 1, 1, hop.size, hop.subject, hop.client, None, 0,
    )
    return Rows(id, message, encode(flow), terms.of(flow) if keyed else "", _NONE, _NONE, None)


_NONE: list[Any] = []
"""For the many rows that have none of these; nobody adds to it."""


def _explain(outcome: Outcome) -> None:
    diagnosis = cause(outcome)
    if diagnosis is not None:
        outcome.problem, outcome.reason = diagnosis.problem, diagnosis.reason


def _without_recipients(
    flow: Flow, hop: Hop, queue: dict[tuple[str, str], list[Value]],
    failures: dict[tuple[str, str, str | None], list[Value]], now: float,
) -> Outcome:
    """What became of a message of which no recipient is known; notes where it waits and why it failed."""
    status = hop_status(hop)
    text = hop.state_text
    if hop.aborted and text is None:
        text = "lost connection: the client went away before the message was accepted"
    outcome = Outcome("", status, hop, None, [hop], None, hop.last_at, 1, diagnostic=text)
    _explain(outcome)
    if outcome.problem is not None:
        _failure(failures, flow, outcome, now)
    if status in OPEN_STATUSES and not lost(hop, now):
        queue[hop.host, UNKNOWN_NEXT_HOP] = [flow.id, hop.host, UNKNOWN_NEXT_HOP, status, hop.arrived_at,
                                             None, None, None, None, hop.queue_id]
    return outcome


def _add_word(words: str, word: str) -> str:
    return words if f" {word} " in words else f"{words or ' '}{word} "


def _next_hop(outcome: Outcome) -> str:
    relay = relay_name(outcome.fate.relay) if outcome.fate is not None else None
    return relay or domain_of(outcome.recipient) or UNKNOWN_NEXT_HOP


def next_try(outcome: Outcome) -> float | None:
    """When a deferred recipient is tried again, by the spacing of the tries so far; None where that is not known."""
    hop, fate = outcome.hop, outcome.fate
    if fate is None or outcome.status is not _D.DEFERRED or frozen(hop):
        return None
    count = fate.count + sum(t.count for t in fate.earlier or ())
    since = fate.earlier[0].first_at if fate.earlier else fate.since
    return fate.at + (fate.at - since) / (count - 1) if count > 1 else None


def _in_queue(queue: dict[tuple[str, str], list[Value]], id: int, outcome: Outcome) -> None:
    hop, next_hop = outcome.hop, _next_hop(outcome)
    error = reply(outcome) if outcome.status is not _D.QUEUED else None
    if frozen(hop):  # it waits as deferred mail does, but is not tried again: a queue has no other place to say so
        error = f"frozen: {error}" if error else "frozen"
    row: list[Value] = [
        id, hop.host, next_hop, outcome.status, hop.arrived_at, next_try(outcome),
        error, outcome.problem, outcome.reason, hop.queue_id,
    ]
    have = queue.get((hop.host, next_hop))
    if have is None or SEVERITY[outcome.status] < SEVERITY[DeliveryStatus(str(have[3]))]:
        queue[hop.host, next_hop] = row


def _failure(
    failures: dict[tuple[str, str, str | None], list[Value]], flow: Flow, outcome: Outcome, now: float
) -> None:
    relay = relay_name(outcome.fate.relay) if outcome.fate is not None else None
    next_hop = relay or (domain_of(outcome.recipient) if outcome.status not in _DECIDED_HERE else None)
    next_hop = next_hop or outcome.hop.host
    key = (str(outcome.problem), outcome.reason or "unknown", next_hop)
    have = failures.get(key)
    status = outcome.status if not lost(outcome.hop, now) else _D.BOUNCED  # as far as is known nothing waits
    if have is not None:
        have[4] = int(have[4] or 0) + 1
        if status in OPEN_STATUSES:
            have[10] = status
        return
    sender = next((h.sender or h.login for h in flow.hops if h.sender is not None or h.login is not None), None)
    since = outcome.fate.since if outcome.fate is not None else outcome.at
    failures[key] = [flow.id, key[0], key[1], next_hop, 1, outcome.at, since or outcome.at, sender,
                     outcome.recipient or None, reply(outcome), status]
