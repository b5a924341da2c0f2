"""What a flow means: the final recipients with status, path and attempts, followed hop by hop through the links.

Pure: from a flow, what is known of hosts, and the time, to recipients. Row columns and the JSON are made from it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from flowmon.model.flow import Fate, Flow, Hop
from flowmon.model.words import OPEN_STATUSES, STATUS_BY_SEVERITY, DeliveryStatus, LinkBasis, Problem
from flowmon.tracking.diagnosis import diagnose
from flowmon.tracking.fates import quarantine
from flowmon.tracking.hosts import KnownHosts
from flowmon.tracking.likeness import in_one_session, told_twice, turned_away

HANDOVER_WAIT_SECONDS = 60.0
"""How long mail handed to a host of ours counts as queued while that host's line has not come (log time)."""

_D = DeliveryStatus
SEVERITY = {status: place for place, status in enumerate(STATUS_BY_SEVERITY)}
_QUEUED, _RELAYED, _EXPANDED, _HELD = _D.QUEUED, _D.RELAYED, _D.EXPANDED, _D.HELD  # quick: see tracking.host
_WAITS = frozenset({_D.QUEUED, _D.DEFERRED})
_GIVEN_UP = frozenset({_D.BOUNCED, _D.EXPIRED, _D.DEFERRED})


class Outcome(msgspec.Struct, gc=False):
    """One final recipient of a message."""

    recipient: str
    status: DeliveryStatus
    hop: Hop
    """Where it is, or was last."""
    fate: Fate | None
    """What decided there; None while that hop tells nothing of it."""
    way: list[Hop]
    """The hops on its way, up to where it is."""
    original: str | None
    at: float
    attempts: int
    problem: Problem | None = None
    reason: str | None = None
    diagnostic: str | None = None
    transient: tuple[Problem, ...] = ()
    answer: Hop | None = None
    """The hop of a host of ours that refused the try which decided: its log may tell more than its reply."""
    waits_until: float | None = None
    """Time at which `queued` becomes `relayed` when the next hop stays silent."""


def outcomes(flow: Flow, known: KnownHosts, now: float) -> list[Outcome]:
    """The final recipients of a flow. Empty when no recipient is known."""
    found: list[Outcome] = []
    if len(flow.hops) == 1:
        only = flow.hops[0]
        for fate in only.fates.values():
            found += _leaf(only, fate, _START, known, now)
        return _merge_equal(found + _untried(only))
    hops = {hop.serial: hop for hop in flow.hops}
    followed = {fate.next for hop in flow.hops for fate in hop.fates.values() if fate.next}
    linked = {link.child for link in flow.links}
    refusing = {hop.serial for hop in flow.hops if is_answer(hop, flow)}
    for emptied in [hop for hop in flow.hops if hop.serial in followed]:
        followed |= {clone.serial for clone in _clones(emptied, hops)}
    for hop in flow.hops:
        if hop.serial in followed or hop.serial in refusing:
            continue
        for fate in hop.fates.values():
            found += _walk(hop, fate, hops, _Way(), known, now)
        found += _untried(hop)
    if any(h.serial in linked and h.serial not in followed and h.serial not in refusing for h in flow.hops):
        found = _latest(found)
    return _merge_equal(found)


def is_answer(hop: Hop, flow: Flow) -> bool:
    """Whether a hop is but the refusal of a try that another hop of the flow tells of, or told by a second log."""
    return turned_away(hop) and (_asker(hop, flow) is not None or _is_second(hop, flow))


def _is_second(hop: Hop, flow: Flow) -> bool:
    """Whether another log of the server told of the same refused session."""
    parents = {link.parent for link in flow.links if link.child == hop.serial}
    return any(other.serial in parents and told_twice(hop, other) for other in flow.hops)


def _is_beside(hop: Hop, flow: Flow) -> bool:
    """Whether a refused session brought mail for others, which the same host took."""
    return any(other.host == hop.host and in_one_session(other, hop) for other in flow.hops)


def _asker(hop: Hop, flow: Flow) -> Hop | None:
    parents = {link.parent for link in flow.links if link.child == hop.serial and link.basis is LinkBasis.SESSION}
    return next((other for other in flow.hops if other.serial in parents and not turned_away(other)), None)


def told_by_sender(flow: Flow) -> set[tuple[int, str]]:
    """What hops refused of which recipients (serial and recipient) while they took others: the try is the sender's."""
    return {
        (fate.next, fate.recipient) for hop in flow.hops for fate in hop.fates.values()
        if fate.next and fate.status in _GIVEN_UP
    }


def shown(flow: Flow) -> list[Hop]:
    """The hops to tell of: of the refusals by one host of what another tried the last, and none by the host itself, nor
    of the session that brought other recipients to it."""
    if len(flow.hops) == 1 and not flow.links and flow.hops[0].network_message_id is None:
        return list(flow.hops)  # as nearly all are: nothing asked for it, and nothing tells of it twice
    last: dict[tuple[int, str], Hop] = {}
    askers = {hop.serial: _asker(hop, flow) for hop in flow.hops if turned_away(hop)}
    for hop in flow.hops:
        asker = askers.get(hop.serial)
        if asker is not None:
            last[asker.serial, hop.host] = hop
    return [
        hop for hop in flow.hops
        if ((asker := askers.get(hop.serial)) is None and not (
            hop.refused and (_is_second(hop, flow) or _is_beside(hop, flow))))
        or (asker is not None and hop.host != asker.host and last[asker.serial, hop.host] is hop)
    ]


def _untried(hop: Hop) -> list[Outcome]:
    """Recipients that a hop was given and has said nothing of, while it is still at work."""
    if hop.recipients is None or not at_work(hop):
        return []
    told = {name.lower() for f in hop.fates.values() for name in (f.recipient, f.original) if name}
    return [_waiting(hop, name) for name in hop.recipients.split() if name.lower() not in told]


def unnamed(flow: Flow) -> Outcome | None:
    """What stands for the recipients that a hop at work only counted, and has said nothing of; None without any.

    Postfix names a recipient with the first try; until then `nrcpt=` is all that tells of it.
    """
    for hop in flow.hops:
        if hop.fates and hop.recipients is None and at_work(hop) and len(hop.fates) < (hop.recipient_count or 0):
            return _waiting(hop, "")
    return None


def _waiting(hop: Hop, recipient: str) -> Outcome:
    return Outcome(recipient, hop.state or _D.QUEUED, hop, None, [hop], None, hop.last_at, 0,
                   diagnostic=hop.state_text)


def frozen(hop: Hop) -> bool:
    """Whether a server keeps a message without trying it again: what Exim calls frozen."""
    return hop.state is _D.DEFERRED and at_work(hop)


def at_work(hop: Hop) -> bool:
    """Whether a hop took mail and is not done with it."""
    return hop.left_at is None and hop.refused is None and not hop.aborted and decided(hop) is None


def untold(hop: Hop) -> bool:
    """Whether a server was done with mail of which no line tells what became."""
    if hop.left_at is None or hop.state is not None or hop.refused is not None or hop.aborted:
        return False
    return not hop.fates or any(fate.status in _WAITS for fate in hop.fates.values())


def decided(hop: Hop) -> int | None:
    """The serial of the hop in which goes on what was held here for somebody to decide; None for anything else."""
    held = [fate.next for fate in hop.fates.values() if fate.status is _HELD]
    return held[0] if held and all(held) and not any(f.status in _WAITS for f in hop.fates.values()) else None


class _Way:
    """How a recipient came to a hop."""

    __slots__ = ("attempts", "failures", "hops", "original")

    def __init__(self, before: _Way | None = None) -> None:
        self.hops: list[Hop] = list(before.hops) if before else []
        self.failures: list[tuple[str | None, str | None, Hop]] = list(before.failures) if before else []
        """(text, enhanced status, hop) of temporary failures met."""
        self.attempts: int = before.attempts if before else 0
        self.original: str | None = before.original if before else None

    def on(self, hop: Hop, fate: Fate) -> _Way:
        """The way one hop further."""
        way = _Way(self)
        way.hops.append(hop)
        way.original = self.original or (next(reversed(_before(hop, fate))) if fate.original else None)
        for one in fate.earlier or ():
            if one.status is _D.DEFERRED:
                way.failures.append((one.diagnostic, one.enhanced_status, hop))
        for one in hop.tries or ():
            way.failures.append((one.diagnostic, one.enhanced_status, hop))
        return way


_START = _Way()


def _walk(hop: Hop, fate: Fate, hops: dict[int, Hop], way: _Way, known: KnownHosts, now: float) -> Iterator[Outcome]:
    """The final recipients that one recipient of a hop leads to."""
    after = hops.get(fate.next) if fate.next else None
    if after is None or len(way.hops) > 200:
        yield from _leaf(hop, fate, way, known, now)
        return
    on = way.on(hop, fate)
    if not turned_away(hop) and (after.refused is not None or _refuses(after, fate)):
        yield from _leaf(hop, fate, way, known, now, [*on.hops, after], after)
        return
    if fate.status is _D.REJECTED or fate.status in _GIVEN_UP:
        on.failures.append((fate.diagnostic, fate.enhanced_status, hop))
        on.attempts += _tries(fate)
    else:
        on.attempts += _tried_before(fate)  # that it was taken in the end counts where it ended
    children = _heirs(hop, fate, after)
    for child in children:
        yield from _walk(after, child, hops, on, known, now)
    clones = _clones(after, hops)
    if clones:
        on.original = on.original or fate.recipient
    for clone in clones:
        for child in clone.fates.values():
            yield from _walk(clone, child, hops, on, known, now)
    if not children and not clones:
        yield _silent(fate, after, on)


def _clones(hop: Hop, hops: dict[int, Hop]) -> list[Hop]:
    """The hops that all recipients of a hop went on in, so that it tells of none (a list with an owner in Sendmail)."""
    if not hop.copies or hop.fates:
        return []
    return [h for h in hops.values() if h.host == hop.host and h.queue_id in hop.copies and h.fates]


def _refuses(after: Hop, fate: Fate) -> bool:
    """Whether a try failed because the next hop, which took other recipients, refused this one."""
    if fate.status not in _GIVEN_UP:
        return False
    there = after.fates.get(fate.recipient)
    return turned_away(after) or (there is not None and there.status is _D.REJECTED)


def _tries(fate: Fate) -> int:
    """How often a hop tried a recipient."""
    tried = fate.count if fate.status is not _HELD else 0
    return tried if fate.earlier is None else tried + _tried_before(fate)


def _tried_before(fate: Fate) -> int:
    """How often a hop tried a recipient before the last equal tries."""
    return sum(one.count for one in fate.earlier or () if one.status is not _HELD)


def _heirs(hop: Hop, fate: Fate, after: Hop) -> list[Fate]:
    """The fates at the next hop that come of this recipient."""
    recipient = fate.recipient.lower()
    named = [
        f for f in after.fates.values()
        if f.recipient.lower() == recipient or (f.original and recipient in _before(after, f))
    ]
    if named:
        return named
    passed = {f.recipient.lower() for f in hop.fates.values() if f.next == after.serial}
    strangers = [
        f for f in after.fates.values()
        if f.recipient.lower() not in passed and (f.original or "").lower() not in passed
    ]
    claimed = {r for f in after.fates.values() for r in (f.recipient.lower(), (f.original or "").lower())}
    return strangers if len([r for r in passed if r not in claimed]) == 1 else []


def _before(hop: Hop, fate: Fate) -> dict[str, None]:
    """The addresses that a recipient of a hop came of there, in lower case, the first one last: groups have groups."""
    found: dict[str, None] = {}
    one: Fate | None = fate
    while one is not None and one.original and one.original.lower() not in found:
        found[one.original.lower()] = None
        one = hop.fates.get(one.original)
    return found


def _silent(fate: Fate, after: Hop, way: _Way) -> Outcome:
    """The next hop took it and has not said more of this recipient."""
    status = after.state if after.state is not None else _D.QUEUED
    original = way.original if way.original != fate.recipient else None
    return Outcome(fate.recipient, status, after, None, [*way.hops, after], original, after.last_at,
                   way.attempts, diagnostic=after.state_text)


def _leaf(
    hop: Hop, fate: Fate, way: _Way, known: KnownHosts, now: float, passed: list[Hop] | None = None,
    answer: Hop | None = None,
) -> list[Outcome]:
    """A recipient that goes no further than this hop; nothing where others stand for it."""
    status = fate.status
    if status is _EXPANDED and len(hop.fates) > 1:
        return []
    on = way.on(hop, fate) if way.hops or fate.earlier or hop.tries or fate.original else None
    waits: float | None = None
    diagnostic = fate.diagnostic
    if status is _RELAYED:
        if known.takes(fate.relay, hop.host) and now <= fate.at + HANDOVER_WAIT_SECONDS:
            status, waits = _QUEUED, fate.at + HANDOVER_WAIT_SECONDS
    elif hop.state is not None and status is _QUEUED:
        status, diagnostic = hop.state, hop.state_text or diagnostic
    elif status in _WAITS and untold(hop):
        status = _D.REMOVED
    elif status is _D.DISCARDED and (place := quarantine(hop, fate)) is not None:
        status, diagnostic = _D.QUARANTINED, f"{diagnostic}; {place}"
    return [Outcome(
        fate.recipient, status, hop, fate, passed or (on.hops if on else [hop]),
        (on.original if on else fate.original), fate.at, (on.attempts if on else 0) + _tries(fate),
        diagnostic=diagnostic, answer=answer, waits_until=waits,
        transient=_classes(on.failures) if on and on.failures and status not in OPEN_STATUSES else (),
    )]


def _classes(failures: list[tuple[str | None, str | None, Hop]]) -> tuple[Problem, ...]:
    return tuple(dict.fromkeys(
        diagnose(text, enhanced_status=code, permanent=False).problem for text, code, _ in failures
    ))


def _merge_equal(found: list[Outcome]) -> list[Outcome]:
    """One outcome for each recipient: the worst, where several ways lead to one mailbox."""
    if len(found) < 2:
        return found
    by_recipient: dict[str, Outcome] = {}
    for outcome in found:
        key = outcome.recipient.lower()
        have = by_recipient.get(key)
        if have is None or (SEVERITY[outcome.status], -outcome.at) < (SEVERITY[have.status], -have.at):
            by_recipient[key] = outcome
    return list(by_recipient.values())


def _latest(found: list[Outcome]) -> list[Outcome]:
    """Where hops of one message are joined as a whole: the last word on each recipient, with all hops before it."""
    by_recipient: dict[str, list[Outcome]] = {}
    for outcome in found:
        by_recipient.setdefault(outcome.recipient.lower(), []).append(outcome)
    latest = []
    for same in by_recipient.values():
        same.sort(key=lambda o: (o.at, o.hop.serial))
        final = [o for o in same if o.status not in OPEN_STATUSES] or same
        last = final[-1]
        last.way = [hop for o in same if o.at <= last.at for hop in o.way]
        latest.append(last)
    return latest
