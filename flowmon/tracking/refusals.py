"""Whose each refused recipient of a session is.

In one session a host of ours may try several messages, or a client be put off with several that it brings again later.
So a refusal belongs to the message whose failed try it answers, or that is its later try; it is cut out of its session
and goes there. What belongs to nobody stays with the session, which is a message of its own. All that is known of one
sender and recipient is sorted out together, so that it does not matter which log is read first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from zlib import crc32

import msgspec

from flowmon.model.flow import Fate, Flow, Hop, Try
from flowmon.model.words import DeliveryStatus
from flowmon.tracking.hosts import KnownHosts
from flowmon.tracking.likeness import quotes, same_client, same_message_id, temporary, took
from flowmon.tracking.linking import FAILED, RETRY_SECONDS, SKEW_SECONDS
from flowmon.tracking.replies import peer_names

_AT_ONCE_SECONDS = 2.0
"""How soon after a refusal for the time being another address of the same host is tried, which no log tells apart."""
_SERIALS = (1 << 62) - 1


class _Tries(NamedTuple):
    """Equal failed tries of a recipient, folded."""

    hop: Hop
    begin: float
    end: float
    times: int
    text: str | None
    relay: str | None


class Share(NamedTuple):
    """Those of a session's refusals of one recipient that belong to one message."""

    owner: Hop | None
    """None where they belong to no other."""
    tried: str | None
    """The peer that the owner had tried when it was answered so; None where it is the client's later try."""
    refusals: list[Try]


def may_be_shared(hop: Hop) -> bool:
    """Whether a hop is a refused session, or a part of one, that may be about several messages."""
    return hop.refused not in (None, "LMTP", "AUTH")


def shares(recipient: str, refused: Iterable[Hop], accepted: list[Hop], known: KnownHosts) -> dict[int, list[Share]]:
    """Whose the refusals of a recipient in these sessions are, of one sender's messages `accepted`: by the serial of
    each refused hop."""
    found: dict[int, dict[int, Share]] = {hop.serial: {} for hop in refused}
    tries = [one for hop in accepted for one in _failed_tries(hop, recipient)]
    free = [one.times for one in tries]
    for hop in accepted:
        _take_answered(hop, recipient, tries, free, known)
    each = [(said, hop) for hop in refused for said in refusals(hop.fates[recipient])]
    for said, hop in sorted(each, key=lambda one: (one[0].last_at, one[1].host, one[1].session or "")):
        answered = sorted(
            (apart, one.end, place) for place, one in enumerate(tries)
            if (apart := _seconds_apart(hop, said, one, known)) is not None
            and (free[place] or (temporary(said.diagnostic) and apart < _AT_ONCE_SECONDS))
        )
        place = next((place for _, _, place in answered if free[place]), answered[0][2] if answered else None)
        if place is None:
            owner, tried = _later_try(hop, recipient, said, accepted, known), None
        else:
            free[place] = max(free[place] - 1, 0)
            owner, tried = tries[place].hop, tries[place].relay or ""
        mine, serial = found[hop.serial], owner.serial if owner is not None else 0
        mine.setdefault(serial, Share(owner, tried, [])).refusals.append(said)
    return {serial: list(mine.values()) for serial, mine in found.items()}


def _take_answered(hop: Hop, recipient: str, tries: list[_Tries], free: list[int], known: KnownHosts) -> None:
    """Count the tries that were answered by a hop which took other recipients of the same message: no session of
    another message answers them."""
    fate = hop.fates.get(recipient)
    for said in refusals(fate) if fate is not None and fate.status is DeliveryStatus.REJECTED else ():
        near = [
            (apart, one.end, place) for place, one in enumerate(tries) if free[place]
            and same_message_id(hop, one.hop) and (apart := _seconds_apart(hop, said, one, known)) is not None
        ]
        if near:
            free[min(near)[2]] -= 1


def refusals(fate: Fate) -> list[Try]:
    """Each refusal of a recipient in a session, in order of time."""
    last = Try(fate.status, None, fate.diagnostic, fate.enhanced_status, fate.at, fate.at, fate.count, fate.position)
    return [*(fate.earlier or ()), last]


def _refused(recipient: str, each: list[Try]) -> Fate:
    """The fate of a recipient that was refused so often."""
    *earlier, last = sorted(each, key=lambda one: one.last_at)
    return Fate(
        recipient, DeliveryStatus.REJECTED, last.last_at, diagnostic=last.diagnostic,
        enhanced_status=last.enhanced_status, since=last.last_at, count=last.count, earlier=earlier or None,
        position=last.position,
    )


def _failed_tries(hop: Hop, recipient: str) -> Iterator[_Tries]:
    """Of equal tries the first and the last have a time, those between them a span."""
    fate = hop.fates.get(recipient)
    if fate is None:
        return
    folded = [
        (one.first_at, one.last_at, one.count, one.diagnostic, one.relay)
        for one in (*(fate.earlier or ()), *(hop.tries or ())) if one.status is None or one.status in FAILED
    ]
    if fate.status in FAILED and fate.count:
        folded.append((fate.since or fate.at, fate.at, fate.count, fate.diagnostic, fate.relay))
    for first, last, times, text, relay in folded:
        yield _Tries(hop, first, first, 1, text, relay)
        if times > 1:
            yield _Tries(hop, last, last, 1, text, relay)
        if times > 2:
            yield _Tries(hop, first, last, times - 2, text, relay)


def _seconds_apart(hop: Hop, said: Try, one: _Tries, known: KnownHosts) -> float | None:
    """How far a refusal is in time from tries that it may answer, by the clock of the one that tried; None where it
    answers none of them. That it lies somewhere in a span says less than a time."""
    if one.hop.host == hop.host or not quotes(one.text, said.diagnostic):
        return None
    if known.may_be(hop.client, one.hop.host) is False or known.may_be(one.relay, hop.host) is False:
        return None
    at = said.last_at - known.ahead.get(f"{one.hop.host} {hop.host}", 0.0)
    apart = max(one.begin - at, at - one.end, 0.0)
    return None if apart > SKEW_SECONDS else apart + _AT_ONCE_SECONDS if one.begin < one.end else apart


def _later_try(hop: Hop, recipient: str, said: Try, accepted: list[Hop], known: KnownHosts) -> Hop | None:
    """What was refused for the time being and came again: same client, sender and recipient, at any MX of ours.

    Where the client is a host of ours its own log tells what belongs together: it may have several such messages.
    """
    if not temporary(said.diagnostic) or not hop.sender or not hop.client or known.takes(hop.client, hop.host):
        return None
    later = [
        one for one in accepted
        if 0 <= one.arrived_at - said.last_at <= RETRY_SECONDS and same_client(hop, one) and took(one, recipient)
        and same_message_id(hop, one) is not False and not known.takes(one.client, one.host)
    ]
    return min(later, key=lambda one: (one.arrived_at, one.host, one.queue_id or ""), default=None)


def client_names(hop: Hop) -> list[str]:
    """What a host may be called by that brought mail which was put off; none for other hops."""
    if hop.client is None or not may_be_shared(hop) or not any(temporary(f.diagnostic) for f in hop.fates.values()):
        return []
    names = peer_names(hop.client)
    return [*names, names[0].partition(".")[0]] if names else []


def refused_login(flow: Flow) -> str | None:
    """The account of a login that failed: it is looked for like a sender."""
    return next((h.login for h in flow.hops if h.refused is not None and h.login is not None), None)


def serial_for(hop: Hop, share: Share) -> int:
    """The serial of what of a refused session belongs to one message: below zero, the same in each process.

    Messages that come again are told apart by their Message-ID: a client may bring one in parts.
    """
    root, owner = hop.of or hop.serial, share.owner
    if owner is None:
        return root
    comes_again = share.tried is None and owner.message_id is not None
    token = crc32(str(owner.message_id).encode()) if comes_again else owner.serial
    return -1 - ((root * 0x100000001B3 ^ token * 0x9E3779B97F4A7C15) & _SERIALS)


def less(hop: Hop, given: Mapping[str, Iterable[float]]) -> Hop:
    """A refused session without the refusals of some recipients at some times."""
    fates = {}
    for recipient, fate in hop.fates.items():
        times = list(given.get(recipient, ()))
        left = [one for one in refusals(fate) if not taken(times, [one.last_at])]
        if left:
            fates[recipient] = _refused(recipient, left) if recipient in given else fate
    return _with(hop, fates)


def taken(times: list[float], away: Iterable[float]) -> bool:
    """Take times out of these, each once: in a log of whole seconds several may be equal. Whether any was there."""
    before = len(times)
    for at in away:
        if at in times:
            times.remove(at)
    return len(times) < before


def only(hop: Hop, recipient: str, serial: int, share: Share) -> Hop:
    """What a refused session tells of one recipient of one message, as a hop of its own."""
    part = _with(hop, {recipient: _refused(recipient, share.refusals)})
    part.serial = serial
    part.of = 0 if serial > 0 else hop.of or hop.serial
    return part


def joined(one: Hop, other: Hop) -> Hop:
    """Two parts of one refused session as one."""
    fates = {**one.fates, **other.fates}
    for recipient, fate in one.fates.items():
        again = other.fates.get(recipient)
        if again is not None:
            fates[recipient] = _refused(recipient, refusals(fate) + refusals(again))
    return _with(one, fates)


def _with(hop: Hop, fates: dict[str, Fate]) -> Hop:
    """The part of a session that tells of these recipients, with the lines that do."""
    each = sorted((one for fate in fates.values() for one in refusals(fate)), key=lambda one: one.last_at)
    if not each:
        return msgspec.structs.replace(hop, fates=fates)
    order = {recipient: refusals(fate)[0].last_at for recipient, fate in fates.items()}
    return msgspec.structs.replace(
        hop, fates={recipient: fates[recipient] for recipient in sorted(fates, key=lambda name: (order[name], name))},
        evidence=[one.position for one in each], arrived_at=each[0].last_at, last_at=each[-1].last_at,
        left_at=each[-1].last_at,
    )
