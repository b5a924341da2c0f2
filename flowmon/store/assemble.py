"""From a stored flow to the answers of the model: messages, recipients, hops, attempts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from msgspec.structs import replace

from flowmon.model import answers
from flowmon.model.flow import Fate, Flow, Hop, Said
from flowmon.model.words import (
    OPEN_STATUSES,
    STATUS_BY_SEVERITY,
    Certainty,
    DeliveryStatus,
    LinkBasis,
    Problem,
    Stage,
)
from flowmon.store.listings import NOTHING, Listings
from flowmon.store.rows import hop_status, next_try
from flowmon.tracking import linking
from flowmon.tracking.cause import cause, reply
from flowmon.tracking.diagnosis import diagnose, enhanced_status, reply_code
from flowmon.tracking.flows import lost
from flowmon.tracking.hosts import KnownHosts
from flowmon.tracking.latency import parts, words
from flowmon.tracking.replies import last_trace, relay_name
from flowmon.tracking.scenario import classify
from flowmon.tracking.summary import SEVERITY, Outcome, decided, is_answer, outcomes, shown, told_by_sender, unnamed

_D = DeliveryStatus
_CERTAINTIES = tuple(Certainty)
_BASES = tuple(LinkBasis)
_ROUNDING_SECONDS = 2.0
"""How far Postfix's delays may be from what whole seconds of stamps tell."""


def instant(at: float) -> datetime:
    """Epoch seconds as an aware datetime."""
    return datetime.fromtimestamp(at, UTC)


def message_id(flow: Flow) -> str | None:
    """The Message-ID of a flow, in angle brackets."""
    return next((f"<{hop.message_id}>" for hop in flow.hops if hop.message_id is not None), None)


def message(flow: Flow, known: KnownHosts, now: float, listings: Listings = NOTHING) -> answers.Message:
    """The message of a flow as things stand at `now` (log time). `listings`: what MTAs say of their queues."""
    return message_with_ways(flow, diagnosed(flow, known, now), known, now, listings)[0]


def diagnosed(flow: Flow, known: KnownHosts, now: float) -> list[Outcome]:
    """What became of each recipient, and why; the worst first."""
    found = outcomes(flow, known, now)
    for outcome in found:
        diagnosis = cause(outcome)
        if diagnosis is not None:
            outcome.problem, outcome.reason = diagnosis.problem, diagnosis.reason
    return sorted(found, key=lambda outcome: SEVERITY[outcome.status])


def message_with_ways(
    flow: Flow, found: list[Outcome], known: KnownHosts, now: float, listings: Listings
) -> tuple[answers.Message, list[list[int]]]:
    """The same of outcomes that were `diagnosed`, and for each recipient the places of the hops on the way there."""
    recipients = [_recipient(flow, outcome, *_retry(outcome, now, listings)) for outcome in found]
    passed = shown(flow)
    hops = flow.hops
    sender = next((h.sender for h in hops if h.sender is not None), None)
    scenario, direction = classify(sender, [o.recipient for o in found], known)
    if recipients:
        status, problem, reason = recipients[0].status, recipients[0].problem, recipients[0].reason
        more = unnamed(flow)
        if more is not None and SEVERITY[more.status] < SEVERITY[status]:
            status, problem, reason = more.status, None, None
    else:
        status, problem, reason = _bare(hops[-1])
    places = {hop.serial: place for place, hop in enumerate(passed)}
    ways = [
        list(dict.fromkeys(places[hop.serial] for hop in outcome.way if hop.serial in places)) for outcome in found
    ]
    told = answers.Message(
        message_id=message_id(flow),
        envelope_sender=sender,
        subject=next((h.subject for h in hops if h.subject is not None), None),
        size=next((h.size for h in hops if h.size is not None), None),
        client=hops[0].client,
        first_seen_at=instant(hops[0].arrived_at),
        last_seen_at=instant(max(h.last_at for h in hops)),
        scenario=scenario, direction=direction, status=status, problem=problem, reason=reason,
        recipients=recipients, hops=[_hop(flow, hop, known) for hop in passed],
    )
    return told, ways


def _bare(hop: Hop) -> tuple[DeliveryStatus, Problem | None, str | None]:
    """Status, problem and reason of a message of which no recipient is known."""
    status = hop_status(hop)
    text = hop.state_text
    if hop.aborted and text is None:
        text = "lost connection: the client went away before the message was accepted"
    diagnosis = cause(Outcome("", status, hop, None, [hop], None, hop.last_at, 1, diagnostic=text))
    return status, diagnosis.problem if diagnosis else None, diagnosis.reason if diagnosis else None


def _retry(outcome: Outcome, now: float, listings: Listings) -> tuple[float | None, bool]:
    """When it is tried again, and whether its MTA says so itself."""
    hop = outcome.hop
    if outcome.status is not _D.DEFERRED or lost(hop, now):
        return None, False
    listed = listings.messages.get((hop.host, hop.queue_id or ""))
    if listed is not None and listed.held:
        return None, False
    if listed is not None and listed.next_retry_at is not None:
        return listed.next_retry_at, True
    return next_try(outcome), False


def _recipient(flow: Flow, outcome: Outcome, retry: float | None, exact: bool) -> answers.Recipient:
    fate = outcome.fate
    text = reply(outcome)
    final = outcome.status not in OPEN_STATUSES
    return answers.Recipient(
        recipient=outcome.recipient,
        original_recipient=outcome.original,
        status=outcome.status, problem=outcome.problem, reason=outcome.reason,
        reply_code=reply_code(text),
        enhanced_status=(fate.enhanced_status if fate is not None else None) or enhanced_status(text),
        diagnostic=text,
        attempts=outcome.attempts,
        host=outcome.hop.host,
        relay=fate.relay if fate is not None else None,
        delay_seconds=round(max(outcome.at - flow.hops[0].arrived_at, 0.0), 3),
        path=_squeezed([hop.host for hop in outcome.way]),
        transient=list(outcome.transient) if final else [],
        next_retry_at=instant(retry) if retry is not None else None,
        retry_is_exact=exact,
    )


def _squeezed(hosts: list[str]) -> list[str]:
    """Hosts without immediate repeats."""
    return [host for place, host in enumerate(hosts) if place == 0 or hosts[place - 1] != host]


def _hop(flow: Flow, hop: Hop, known: KnownHosts) -> answers.Hop:
    link, certainty = _link(flow, hop)
    relay = next((f.relay for f in hop.fates.values() if f.relay), None)
    left_at = hop.left_at
    if left_at is None and (after := decided(hop)) is not None:
        left_at = next((h.arrived_at for h in flow.hops if h.serial == after), None)
    return answers.Hop(
        host=hop.host, role=known.role(hop.host), stage=stage(flow, hop), queue_id=_shown_id(hop),
        arrived_at=instant(hop.arrived_at), left_at=instant(left_at) if left_at is not None else None,
        next_hop=relay_name(relay),
        link=link, certainty=certainty,
        delays=_delays(hop),
    )


def _link(flow: Flow, hop: Hop) -> tuple[LinkBasis | None, Certainty | None]:
    """What joins a hop to the one before it: the surest, whichever was found first."""
    by_serial = {h.serial: h for h in flow.hops}
    found = [
        (linking.certainty(link, hop, by_serial[link.parent]), link.basis)
        for link in flow.links if link.child == hop.serial and link.parent in by_serial
    ]
    if not found:
        return None, None
    certainty, basis = min(found, key=lambda one: (_CERTAINTIES.index(one[0]), _BASES.index(one[1])))
    return basis, certainty


def _shown_id(hop: Hop) -> str | None:
    """The queue ID; an LMTP session is none."""
    return None if hop.queue_id is None or hop.queue_id == hop.session else hop.queue_id


def stage(flow: Flow, hop: Hop) -> Stage:
    """Which part of the way a hop is: sending where a client handed it in, delivery where it ended."""
    if any(f.transport == "mailbox" or (f.status is _D.RELAYED and not f.next) for f in hop.fates.values()):
        return Stage.DELIVERY
    if hop is flow.hops[0] and (hop.login is not None or hop.origin in ("pickup", "mailbox")):
        return Stage.SENDING
    return Stage.ROUTING


def submitted(flow: Flow) -> str | None:
    """How the client handed a message in; None where the log does not tell, or another server brought it."""
    first = flow.hops[0]
    if first.login is not None and first.refused is None:
        return f"submitted with login {first.login}"
    return f"made on {first.host} itself" if first.origin == "pickup" else None


def _delays(hop: Hop) -> answers.Delays:
    """The longest delays of a hop, from what its log tells.

    Postfix counts what a deferred message waited as time before the queue; where the log tells when the queue had it
    first, that is put right.
    """
    best: list[float] | None = None
    for fate in hop.fates.values():
        parts = fate.delays.split("/") if fate.delays else []
        try:
            numbers = [float(p) for p in parts]
        except ValueError:
            continue
        if len(numbers) == 4 and (best is None or sum(numbers) > sum(best)):
            best = numbers
    if best is None:
        return answers.Delays()
    before, queue = best[0], best[1]
    if hop.queued_at is not None and hop.began:
        first = max(hop.queued_at - hop.arrived_at, 0.0)
        if before > first + _ROUNDING_SECONDS:
            before, queue = round(first, 3), round(queue + before - first, 3)
    return answers.Delays(before_queue=before, queue=queue, connect=best[2], transmit=best[3])


def latencies(flow: Flow) -> Iterator[answers.Latency]:
    """Where the time went inside each server that tells: of a hop's tries the one that took longest."""
    for hop in flow.hops:
        told = [list(parts(fate.delays)) for fate in hop.fates.values() if fate.delays and "=" in fate.delays]
        longest = max(told, key=lambda one: sum(seconds for _, seconds in one), default=[])
        for code, seconds in sorted(longest, key=lambda one: (one[0] != answers.WHOLE, -one[1])):
            yield answers.Latency(hop.host, _shown_id(hop), code, words(code), seconds)


def attempts(flow: Flow) -> Iterator[answers.Attempt]:
    """All tries of a flow, folded, in order of time; what a host of ours answered is no try of its own."""
    tellers = [hop for hop in flow.hops if not is_answer(hop, flow)]
    refused = told_by_sender(flow)
    found = [
        a for hop in tellers for fate in hop.fates.values()
        if fate.status is not _D.REJECTED or (hop.serial, fate.recipient) not in refused
        for a in _folded(_tries(hop, fate))
    ]
    yield from sorted(found, key=lambda a: (a.first_at, a.recipient))


def _folded(tries: Iterable[answers.Attempt]) -> list[answers.Attempt]:
    """Equal tries one after the other as one."""
    folded: list[answers.Attempt] = []
    for one in tries:
        last = folded[-1] if folded else None
        if last is not None and last == replace(one, count=last.count, first_at=last.first_at, last_at=last.last_at):
            folded[-1] = replace(last, count=last.count + one.count, last_at=one.last_at)
        else:
            folded.append(one)
    return folded


def _tries(hop: Hop, fate: Fate) -> Iterator[answers.Attempt]:
    for one in fate.earlier or ():
        yield _attempt(hop, fate.recipient, one.status, one.relay, one.diagnostic, one.enhanced_status, one.count,
                       one.first_at, one.last_at)
    if fate.count and fate.status is not _D.HELD:  # to be held is no try
        yield _attempt(hop, fate.recipient, fate.status, fate.relay, fate.diagnostic, fate.enhanced_status, fate.count,
                       fate.since or fate.at, fate.at)


def _attempt(
    hop: Hop, recipient: str, status: DeliveryStatus | None, relay: str | None, text: str | None, code: str | None,
    count: int, first_at: float, last_at: float,
) -> answers.Attempt:
    status = status or _D.DEFERRED
    failed = STATUS_BY_SEVERITY.index(status) <= STATUS_BY_SEVERITY.index(_D.DEFERRED)
    why = diagnose(text, enhanced_status=code, permanent=status is not _D.DEFERRED) if failed else None
    return answers.Attempt(
        recipient=recipient, host=hop.host, queue_id=_shown_id(hop), relay=relay, status=status,
        problem=why.problem if why else None, reason=why.reason if why else None, diagnostic=text, count=count,
        first_at=instant(first_at), last_at=instant(last_at),
        reply_id=last_trace(text) or None if status in (_D.RELAYED, _D.DELIVERED) else None,
    )


def verdicts(flow: Flow) -> list[answers.Verdict]:
    """What filters said of a flow, in order of time."""
    said: list[Said] = [s for hop in flow.hops for s in hop.verdicts or ()]
    return [
        answers.Verdict(
            at=instant(s.at), host=s.host, filter=s.filter, action=s.action or "", score=s.score, detail=s.detail
        )
        for s in sorted(said, key=lambda s: s.at)
    ]


