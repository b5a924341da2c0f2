"""The tracker: folds events into hops, host by host.

It holds what is open, and what has ended a short while ago (lines of one message may be out of order). It knows no
clock, no file and no store: time is what the lines say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from flowmon.model.event import Event
from flowmon.model.flow import Heard, Hop, Said, Spoken
from flowmon.tracking.facts import HostFacts
from flowmon.tracking.host import GRACE_SECONDS, Common, HostTracker

_SWEEP_SECONDS = 3600.0
"""How often hops are looked for that have been silent for days, in time of the log."""


class _Pending(msgspec.Struct, array_like=True):
    """What one host has pending beside its hops."""

    host: str
    clients: dict[str, str]
    """By session."""
    in_session: dict[str, int]
    """Serial of the hop that a session is sending."""
    refusals: dict[str, int]
    """Serial of the refused transaction of a session."""
    verdicts: dict[str, list[Said]]
    """By queue ID."""
    lines: dict[str, list[Spoken]] = {}
    """By queue ID."""


class Tracker:
    """Folds events. `take()` gives the hops that changed."""

    def __init__(self, serial: int = 0, endless: frozenset[str] = frozenset()) -> None:
        self._common = Common(serial, endless)
        self.notices = self._common.notices
        self.troubles = self._common.troubles
        """By host and next hop: how the way there is of late, where a log tells so."""
        self.hosts: dict[str, HostTracker] = {}
        self._next_sweep = 0.0
        self._done: dict[tuple[int, str, str], int] = {}
        """(minute, host, name) to count: facts of minutes that are over, since the last take_facts()."""
        self._host = ""
        """Host of the last event: lines of one log come together, so that its handlers and facts stay at hand."""
        self._facts = HostFacts("", self._done)
        self._handlers: dict[type[Event], Callable[[Any], None]] = {}

    @property
    def serial(self) -> int:
        """The last serial given to a hop."""
        return self._common.serial

    def fold(self, event: Event) -> None:
        """Take one event."""
        if event.host != self._host:
            self._turn_to(event.host)
        facts = self._facts
        if not facts.begins <= event.at < facts.ends:
            facts.turn(event.at)
        self._handlers[event.__class__](event)

    def _turn_to(self, host: str) -> None:
        found = self._of(host)
        self._host, self._facts, self._handlers = host, found.facts, found.handlers

    def _of(self, host: str) -> HostTracker:
        found = self.hosts.get(host)
        if found is None:
            found = self.hosts[host] = HostTracker(self._common, HostFacts(host, self._done))
        return found

    def take(self, now: float, reached: float | None = None, *, settled: bool = False) -> list[Hop]:
        """The hops that changed since the last call; lets go of what ended long enough before `reached`, up to which
        all logs are read, or `now` (log time).

        `settled`: only those that are let go, each once and with all that was told of it; the others wait.
        """
        changed = self._common.changed
        horizon = (now if reached is None else reached) - GRACE_SECONDS
        gone = [hop for host in self.hosts.values() for hop in host.let_go(horizon, now)]
        if horizon >= self._next_sweep:
            self._next_sweep = horizon + _SWEEP_SECONDS
            gone += [hop for host in self.hosts.values() for hop in host.lose(horizon)]
        if settled:
            return [hop for hop in gone if changed.pop(hop.serial, None) is not None]
        taken = list(changed.values())
        changed.clear()
        return taken

    def take_late(self) -> list[Heard]:
        """What filters said since the last call of mail that no hop here is known to be: it may have been let go, be
        still to come, or be named by its Message-ID."""
        late = self._common.late
        self._common.late = []
        return late

    def take_facts(self) -> dict[tuple[int, str, str], int]:
        """Counts since the last call."""
        for host in self.hosts.values():
            host.facts.put_away()
        facts = dict(self._done)
        self._done.clear()
        return facts

    def pending(self) -> bytes:
        """What is kept beside hops, for a restart: open sessions, and verdicts that came early."""
        return msgspec.msgpack.encode([
            _Pending(name, host.clients, _serials(host.in_session), _serials(host.refusals), host.verdicts,
                     host.lines)
            for name, host in self.hosts.items()
            if host.clients or host.in_session or host.refusals or host.verdicts or host.lines
        ])

    def restore(self, hops: Iterable[Hop], pending: bytes) -> None:
        """Take up what a store kept: open hops and those that ended a short while ago, and `pending()`."""
        by_serial: dict[int, Hop] = {}
        for hop in hops:
            by_serial[hop.serial] = hop
            self._of(hop.host).restore(hop)
        for kept in msgspec.msgpack.decode(pending, type=list[_Pending]) if pending else ():
            host = self._of(kept.host)
            host.clients.update(kept.clients)
            host.verdicts.update(kept.verdicts)
            host.lines.update(kept.lines)
            host.in_session.update({s: by_serial[n] for s, n in kept.in_session.items() if n in by_serial})
            host.refusals.update({s: by_serial[n] for s, n in kept.refusals.items() if n in by_serial})


def open_sessions(pending: bytes) -> set[int]:
    """Serials of the refused transactions in what `pending()` gave of sessions that may go on."""
    kept = msgspec.msgpack.decode(pending, type=list[_Pending]) if pending else []
    return {serial for one in kept for serial in one.refusals.values()}


def _serials(hops: Mapping[str, Hop]) -> dict[str, int]:
    return {session: hop.serial for session, hop in hops.items()}
