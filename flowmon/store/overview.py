"""Answers that sum up: queues, sources, throughput, totals, health."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from flowmon.model import answers
from flowmon.model.answers import AGE_BUCKET_MINUTES
from flowmon.model.flow import Flow, Trouble
from flowmon.model.listed import Listed
from flowmon.model.outcomes import Outcomes
from flowmon.model.words import DeliveryStatus, Problem
from flowmon.store.advice import RETRY_WAIT
from flowmon.store.assemble import instant
from flowmon.store.batch import SourceState
from flowmon.store.listings import Listings, merged
from flowmon.store.schema import Key
from flowmon.store.terms import match
from flowmon.store.troubles import Troubles, hindrance
from flowmon.tracking.diagnosis import diagnose, explain
from flowmon.tracking.facts import FACTS

Ask = Callable[[str, Any], list[Any]]
"""Runs one query and gives its rows."""
Where = tuple[str, list[Any]]
"""A WHERE clause over `messages m`, with its parameters."""

TREND_MINUTES = 15
RATE_MINUTES = 5
"""Rates are means over so many whole minutes."""
STALE_SECONDS = 600.0
_RATE_SECONDS = 10.0
"""After so long without a line, lines per second are none."""
_BACKLOG_BYTES = 65_536
UNLOGGED_SHOWN = 50
LEAST_PARTS = 10


def messages_in(where: Where | None, column: str) -> tuple[str, list[Any]]:
    if where is None:
        return "", []
    return f" WHERE {column} IN (SELECT m.id FROM messages m{where[0]})", where[1]


def queues(
    ask: Ask, now: float, where: Where | None, troubles: Troubles, listings: Listings,
    wanted: Callable[[str, Listed], bool],
) -> list[answers.QueueRow]:
    """What waits, by host and next hop; most deferred and oldest first.

    `wanted`: whether a message that only an MTA's own list tells of is asked for.
    """
    condition, parameters = messages_in(where, "message")
    rows = ask(
        "SELECT host, next_hop, status, arrived_at, next_retry_at, error, problem, reason, message, queue_id "
        f"FROM queue{condition}", parameters,
    )
    reading = bool(listings.read_at) and sum(s.lag_bytes for s in states(ask) if s.error is None) > _BACKLOG_BYTES
    filtered = where is not None and bool(listings.messages)
    known = frozenset(map(tuple, ask("SELECT host, queue_id FROM queue", ()))) if filtered else frozenset()
    rows, only_log, only_mta = merged(
        rows, listings, time.time(), wanted, lambda *key: _told(ask, *key), known, reading=reading)
    by_queue: dict[tuple[str, str], _Held] = {}
    for place, row in enumerate(rows):
        held = by_queue.setdefault((row[0], row[1]), _Held([], [], []))
        (held.only_log if place in only_log else held.rows).append(row)
    for row, listed in only_mta:
        by_queue[row[0], row[1]].unlogged.append(listed)
    history = _history(ask, now)
    found = [_queue(host, next_hop, held, now, history.get((host, next_hop), {}), troubles, listings)
             for (host, next_hop), held in by_queue.items()]
    return sorted(found, key=lambda q: (-(q.deferred + q.held), -q.messages, q.oldest_at))


def _told(ask: Ask, host: str, queue_id: str) -> float | None:
    """When a host's log told last of a queue ID; None where it never did."""
    both = f"{match([(Key.QUEUE_ID, queue_id)])} AND {match([(Key.HOST, host)])}"
    rows = ask("SELECT max(last_at) FROM messages WHERE id IN (SELECT rowid FROM keys WHERE keys MATCH ?)", (both,))
    return rows[0][0] if rows else None


class _Held(NamedTuple):
    """What one queue holds."""

    rows: list[Any]
    only_log: list[Any]
    """What the log left there, and the MTA does not list."""
    unlogged: list[Listed]
    """What the MTA lists, and no log line tells of; in `rows` too."""


def _history(ask: Ask, now: float) -> dict[tuple[str, str], dict[int, tuple[int, int, int]]]:
    since = int(now // 60) - TREND_MINUTES
    found: dict[tuple[str, str], dict[int, tuple[int, int, int]]] = {}
    for minute, host, next_hop, messages, arrived, left in ask(
        "SELECT minute, host, next_hop, messages, arrived, left FROM queue_history WHERE minute > ?", (since,)
    ):
        found.setdefault((host, next_hop), {})[minute] = (messages, arrived, left)
    return found


def _queue(
    host: str, next_hop: str, held: _Held, now: float, history: dict[int, tuple[int, int, int]], troubles: Troubles,
    listings: Listings,
) -> answers.QueueRow:
    rows = held.rows
    ages = [0] * (len(AGE_BUCKET_MINUTES) + 1)
    for row in rows:
        ages[bisect_left(AGE_BUCKET_MINUTES, (now - row[3]) / 60)] += 1
    messages = len({r[8] for r in rows})
    troubled = [r for r in rows if r[5]]
    oldest = min(r[3] for r in rows or held.only_log)
    if troubled:
        error, problem, reason = max(troubled, key=lambda r: (r[7] not in ("unknown", RETRY_WAIT), r[3]))[5:8]
    else:
        error, problem, reason = _of_the_way(hindrance(troubles, host, next_hop, oldest))
    minute = int(now // 60)
    came = went = None
    if history:
        recent = [history[m] for m in range(minute - RATE_MINUTES + 1, minute + 1) if m in history]
        came = round(sum(r[1] for r in recent) / RATE_MINUTES, 1)
        went = round(sum(r[2] for r in recent) / RATE_MINUTES, 1)
    mine = [listings.messages.get((host, r[9] or "")) for r in rows] if listings.messages else []
    exact = [m.next_retry_at for m in mine if m is not None and m.next_retry_at is not None and not m.held]
    retries = exact or [r[4] for r in rows if r[4] is not None]
    read_at = listings.read_at.get(host)
    said = explain(reason, Problem(problem), DeliveryStatus.DEFERRED) if reason and problem else None
    return answers.QueueRow(
        next_hop=next_hop, host=host, messages=messages,
        deferred=sum(r[2] == "deferred" for r in rows), held=sum(r[2] == "held" for r in rows),
        oldest_at=instant(oldest), in_per_minute=came, out_per_minute=went,
        velocity=round(went - came, 1) if came is not None and went is not None else None,
        next_retry_at=instant(min(retries)) if retries else None,
        last_error=error, problem=Problem(problem) if problem else None, reason=reason,
        trend=_trend(history, minute, messages), ages=ages, retry_is_exact=bool(exact),
        listed_at=instant(read_at) if read_at is not None else None, only_in_log=len({r[8] for r in held.only_log}),
        only_in_queue=len(held.unlogged), unlogged=[
            answers.Unlogged(m.queue_id, m.envelope_sender, m.recipients, instant(m.arrived_at), m.reason)
            for m in sorted(held.unlogged, key=lambda m: m.arrived_at)[:UNLOGGED_SHOWN]
        ],
        cause=said.cause if said else None, next_step=said.next_step if said else None,
    )


def _of_the_way(found: Trouble | None) -> tuple[str | None, Problem | None, str | None]:
    """Error, problem and reason of what hinders all mail on its way."""
    if found is None:
        return None, None, None
    why = diagnose(found.text, permanent=False)
    return found.text, why.problem, why.reason


def _trend(history: dict[int, tuple[int, int, int]], minute: int, current: int) -> list[int]:
    """What the queue held at the end of each of the last minutes.

    Minutes without news hold what the one before held.
    """
    values: list[int] = []
    last = 0
    for m in range(minute - TREND_MINUTES + 1, minute + 1):
        last = history[m][0] if m in history else last
        values.append(last)
    values[-1] = current
    return values


def states(ask: Ask) -> list[SourceState]:
    """The sources as the collector last wrote them."""
    return [msgspec.msgpack.decode(r[0], type=SourceState) for r in ask("SELECT body FROM sources ORDER BY path", ())]


def sources(ask: Ask) -> list[answers.SourceRow]:
    """Every log and how far it is read."""
    return [
        answers.SourceRow(
            path=s.path, host=s.host, format=s.format, position=s.offset, size=s.size, lag_bytes=s.lag_bytes,
            lines=s.lines, unmatched=s.unmatched, foreign=s.foreign, lines_per_second=s.lines_per_second,
            last_line_at=instant(s.last_line_at) if s.last_line_at is not None else None,
            read_at=instant(s.read_at) if s.read_at is not None else None, error=s.error, notice=s.notice,
            samples=s.samples,
        )
        for s in states(ask)
    ]


STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
"""Minutes that one part of a chart may cover: those of a clock."""
_OUTCOMES = {0: "bounced", 1: "bounced", 2: "rejected", 3: "rejected", 5: "deferred", 9: "relayed", 10: "delivered"}
"""By the status of the worst recipient, as its place in STATUS_BY_SEVERITY."""


def throughput(
    ask: Ask, parts: int, now: float, where: Where | None, bounds: tuple[float | None, float | None]
) -> list[Outcomes]:
    """Outcomes in equal parts of a period, oldest first, without gaps; see Reader.throughput."""
    ((oldest,),) = ask("SELECT min(first_at) FROM messages", ())
    end = min(bounds[1] or now, now)
    start = bounds[0] if bounds[0] is not None else max(end - parts * 60.0, oldest or end)
    whole = max(end - start, (LEAST_PARTS - 1) * 60.0) / 60
    step = next((step for step in STEPS if whole / step < parts), None) or 1440 * (int(whole / parts / 1440) + 1)
    width = step * 60.0
    last = int(end // width)
    first = last - min(parts, int(last - (end - whole * 60) // width) + 1) + 1
    table: dict[int, dict[str, int]] = {}
    for part, status, n in _by_part(ask, first, last, step, where):
        if status in _OUTCOMES:
            row = table.setdefault(part, {})
            row[_OUTCOMES[status]] = row.get(_OUTCOMES[status], 0) + n
    if where is None:
        for row in table.values():
            row.pop("deferred", None)
        for part, n in ask(
            "SELECT minute / ? part, sum(n) FROM facts WHERE minute >= ? AND minute < ? AND name = 'deferrals' "
            "GROUP BY part", (step, first * step, (last + 1) * step),
        ):
            table.setdefault(part, {})["deferred"] = n
    return [Outcomes(at=instant(part * width), **table.get(part, {})) for part in range(first, last + 1)]


def _by_part(ask: Ask, first: int, last: int, step: int, where: Where | None) -> Iterator[tuple[int, int, int]]:
    """Messages by part of a period, of so many minutes each, and status: part, status, how many."""
    if where is None:
        yield from ask(
            "SELECT minute / ? part, status, sum(n) FROM tallies WHERE minute >= ? AND minute < ? "
            "GROUP BY part, status", (step, first * step, (last + 1) * step),
        )
        return
    condition = f"{where[0]} AND" if where[0] else " WHERE"
    width = step * 60.0
    yield from ask(
        f"SELECT CAST(m.last_at / ? AS INTEGER) part, m.status, count(*) FROM messages m{condition} "
        "m.last_at >= ? AND m.last_at < ? GROUP BY part, m.status",
        [width, *where[1], first * width, (last + 1) * width],
    )


def totals(ask: Ask, where: Where | None, flow: Callable[[int, bytes], Flow]) -> answers.Totals:
    """Log facts; with a filter, the same counts made from the messages that match."""
    if where is None:
        sums = dict(ask("SELECT name, sum(n) FROM facts GROUP BY name", ()))
        return answers.Totals(**{n: int(sums.get(n, 0)) for n in FACTS if n != "relayed"})
    from flowmon.tracking.facts import of_flow

    total: Counter[str] = Counter()
    for row in ask(f"SELECT m.id, m.body FROM messages m{where[0]}", where[1]):
        total.update(of_flow(flow(*row)))
    return answers.Totals(**{n: total[n] for n in FACTS if n != "relayed"})


def health(
    ask: Ask, meta: Callable[[str], Any], *, collecting: bool, trouble: str | None, wall: float
) -> answers.Health:
    """The health line, at `wall` by this host's clock: a log that has stopped is not shown as live."""
    found = states(ask)
    lines, unmatched, foreign = (sum(getattr(s, n) for s in found) for n in ("lines", "unmatched", "foreign"))
    newest = max((s.last_line_at for s in found if s.last_line_at is not None), default=None)
    rates = [s.lines_per_second for s in found if s.lines_per_second is not None]
    notices = msgspec.msgpack.decode(meta("notices") or b"\x90", type=list[str])
    if trouble is not None:
        notices.insert(0, trouble)
    live = bool(meta("live"))
    lag = max(wall - newest, 0.0) if newest is not None and live else None
    return answers.Health(
        collecting=collecting, backlog_bytes=sum(s.lag_bytes for s in found if s.error is None),
        lag_seconds=lag,
        lines_per_second=(round(sum(rates), 1) if lag is None or lag < _RATE_SECONDS else 0.0) if rates else None,
        unparsed_share=unmatched / (lines - foreign) if lines > foreign else 0.0, sources=len(found),
        stale_sources=sum(live and s.last_line_at is not None and wall - s.last_line_at > STALE_SECONDS for s in found),
        failed_sources=sum(s.error is not None or (s.format is None and s.offset > 0) for s in found),
        open_messages=int(ask("SELECT count(DISTINCT message) FROM queue", ())[0][0]), notices=notices,
    )
