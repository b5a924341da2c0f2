"""What each key of the filter language means, as conditions over `messages` (alias m) and `keys`.

A condition is SQL with `?` for every value: what a person types is bound, never part of the SQL. It may be NULL where a
column is; negation counts NULL as no match (`IS NOT TRUE`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from flowmon.model.words import OPEN_STATUSES, STATUS_BY_SEVERITY, DeliveryStatus, Direction, Problem, Scenario
from flowmon.store import terms
from flowmon.store.filter_failure import next_hop, unbracketed
from flowmon.store.filter_lex import literal, pieces, plain
from flowmon.store.filter_match import Condition, any_of, contains, glob, look_up, matches, terms_like, value_sql
from flowmon.store.filter_time import seconds, span
from flowmon.store.schema import UNUSUAL, Key
from flowmon.suggest import nearest

Normal = Callable[[str], str]
MAX_WILDCARDS = 8
"""`*` in one value: more make matching slow."""

FAILED_STATUSES = frozenset({DeliveryStatus.BOUNCED, DeliveryStatus.EXPIRED, DeliveryStatus.REJECTED})
OPEN = "open"
STATUS_GROUPS: dict[str, AbstractSet[str]] = {OPEN: OPEN_STATUSES, "failed": FAILED_STATUSES}
_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,3})?)([kmg]?)(?:i?b)?", re.ASCII)
_SIZE_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_COMPARISON = re.compile(r"([<>]=?)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Field:
    """A key: how its value is written in canonical text (ValueError: why not), and what it asks."""

    normal: Callable[[str], str]
    condition: Callable[[str, float], Condition]
    """From the canonical value and the time of asking, in seconds since the epoch."""
    explanation: str
    """For help screens: an example and what it finds."""
    compares: bool = False
    """The value begins with > >= < or <=, and no colon is written."""


# --- the keys -----------------------------------------------------------------------------------------------------


def _limited(value: str) -> str:
    if sum(wild and char == "*" for char, wild in pieces(value)) > MAX_WILDCARDS:
        raise ValueError(f"more than {MAX_WILDCARDS} * in one value; use fewer")
    return re.sub(r"(?<!\\)((?:\\\\)*)\*{2,}", r"\1*", value)


def _text(value: str) -> str:
    if not value:
        raise ValueError("a value is missing")
    return _limited(value)


def _lower(value: str) -> str:
    return _text(value).lower()


def _unbracketed(value: str) -> str:
    while len(value) > 1 and value[0] == "<" and value[-1] == ">":
        value = value[1:-1]
    return value


def _address(value: str) -> str:
    inner = _unbracketed(value)
    if value and not inner:
        return "<>"
    value = _lower(inner)
    if value in ("@", "*@"):
        raise ValueError("a domain is missing after @; write @example.com")
    return value.removeprefix("*") if value.startswith("*@") else value


def _addresses(kind: Key, domain: Key) -> Callable[[str, float], Condition]:
    def condition(value: str, now: float) -> Condition:
        if value == "<>":
            return look_up(((kind,), ""))
        if value[0] == "@":
            return look_up(((domain,), value[1:]))
        if "@" in value:
            return look_up(((kind,), value))
        return look_up(((kind,), value), ((kind,), f"{value}@*"), ((domain,), value))

    return condition


def _id(value: str) -> str:
    return _text(_unbracketed(value))


def _ids(value: str) -> Condition:
    exchange = value.lower().replace("-", "")
    wanted = [((Key.MESSAGE_ID, Key.QUEUE_ID, Key.REPLY_ID), value)]
    return look_up(*wanted, ((Key.NETWORK_MESSAGE_ID,), exchange)) if exchange else look_up(*wanted)


def _next(value: str, now: float) -> Condition:
    """Relays tried, and what the queue and problem tables group by where no relay is known: the domain."""
    value = unbracketed(value)
    tried, parameters = look_up(((Key.NEXT_HOP,), value))
    grouped, bound = matches("lower(next_hop)", value)
    tables = " UNION ALL ".join(f"SELECT message FROM {table} WHERE {grouped}" for table in ("queue", "failures"))
    return f"{tried.removesuffix(')')} UNION ALL {tables})", [*parameters, *bound, *bound]


def _queue_name(value: str) -> str:
    value = _lower(value)
    host, slash, next_hop = value.partition("/")
    if not (host and slash and next_hop):
        raise ValueError("a queue is a host and a next hop; write queue:mx1/mx.example.net, or queue:mx1/*")
    return value


def _queue(value: str, now: float) -> Condition:
    """What waits there. Host and next hop are not enough: a message may wait in several queues and have passed one."""
    wanted, bound = matches("lower(host || '/' || next_hop)", value)
    return f"m.id IN (SELECT message FROM queue WHERE {wanted})", bound


def _client(value: str, now: float) -> Condition:
    """A name or an address, in `address`, `name[address]`, `name. [address]` or `address (name)`."""
    pattern = glob(value)
    forms = (pattern, f"{pattern}[[]*", f"{pattern}[. ]*[[(]*", f"*[[(]{pattern}[])]*")
    return any_of(("lower(m.client) GLOB ?", [form]) for form in forms)


def _list(known: Iterable[str], what: str) -> Callable[[str], str]:
    """Comma lists of known words; a word may be cut short while it stays clear."""
    words = sorted(known)

    def normal(value: str) -> str:
        found = []
        for part in _lower(value).split(","):
            longer = [w for w in words if w.startswith(part)] if len(part) > 2 else []
            if part in words:
                found.append(part)
            elif len(longer) == 1:
                found.append(longer[0])
            else:
                near = nearest(part, words)
                guess = f'; did you mean "{near}"?' if near else ";"
                raise ValueError(f'no {what} is called "{plain(part)}"{guess} known: {", ".join(words)}')
        return ",".join(dict.fromkeys(found))

    return normal


def status_places(value: str) -> list[int]:
    """The places of the statuses that a value names."""
    wanted = {status for word in value.split(",") for status in STATUS_GROUPS.get(word, {word})}
    return [n for n, status in enumerate(STATUS_BY_SEVERITY) if status in wanted]


def asked_status(value: str) -> str:
    """What the index is asked for the statuses that a value names: the same as the condition says."""
    words = value.split(",")
    others = status_places(",".join(word for word in words if word != OPEN))
    asked = [terms.match_open(status_places(OPEN))] if OPEN in words else []
    return " OR ".join(f"({text})" for text in ([*asked, terms.match_statuses(others)] if others else asked))


def _status(value: str, now: float) -> Condition:
    """Written so that the indexes serve it. What was lost sight of waits no more, whatever was last said of it."""
    words = value.split(",")
    if OPEN in words:
        waiting: Condition = "(m.open > 0 AND (m.statuses & ?) != 0)", [sum(1 << n for n in status_places(OPEN))]
        others = ",".join(word for word in words if word != OPEN)
        return any_of([waiting, _status(others, now)]) if others else waiting
    places = status_places(value)
    if len(places) == 1 and places[0] in UNUSUAL:
        return f"(m.statuses & {1 << places[0]}) != 0", []
    if all(n in UNUSUAL for n in places):
        each = " UNION ".join(f"SELECT id FROM messages WHERE (statuses & {1 << n}) != 0" for n in places)
        return f"m.id IN ({each})", []
    return "(m.statuses & ?) != 0", [sum(1 << n for n in places)]


def _words(column: str) -> Callable[[str, float], Condition]:
    """What failures are of a word; none and any stand for messages without any and with one."""

    def one(word: str) -> Condition:
        if word in ("none", "any"):
            return f"m.id {'NOT ' if word == 'none' else ''}IN (SELECT message FROM failures)", []
        wanted, bound = matches(column, word)
        return f"m.id IN (SELECT message FROM failures WHERE {wanted})", bound

    return lambda value, now: any_of(one(word) for word in value.split(","))


def _reason(value: str) -> str:
    found = _lower(value).split(",")
    if not all(found):
        raise ValueError("a reason is missing beside a comma")
    return ",".join(dict.fromkeys(found))


def _place(column: str, known: Iterable[str]) -> Callable[[str, float], Condition]:
    """A word that the column has the place of."""
    places = {word: place for place, word in enumerate(known)}

    def condition(value: str, now: float) -> Condition:
        words = value.split(",")
        return f"{column} IN ({', '.join('?' * len(words))})", [places[word] for word in words]

    return condition


def _comparison(example: str, read: Callable[[str], float]) -> Callable[[str], str]:
    def normal(value: str) -> str:
        found = _COMPARISON.fullmatch(value)
        if found is None:
            raise ValueError(f"a comparison is missing; write {example}")
        amount = found[2].strip().lower()
        if not amount:
            raise ValueError(f"a value is missing; write {example}")
        read(amount)
        return found[1] + amount

    return normal


def _bytes(text: str) -> float:
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text}" is no size; write bytes, or a number with k, M or G: 10k, 5M')
    return float(found[1]) * _SIZE_UNITS[found[2]]


def _compare(expression: str, read: Callable[[str], float], *, since_now: bool) -> Callable[[str, float], Condition]:
    def condition(value: str, now: float) -> Condition:
        sign = value[:2] if value[1] == "=" else value[0]
        amount = read(value[len(sign) :])
        return f"{expression} {sign} ?", [now, amount] if since_now else [amount]

    return condition


def _time(value: str) -> str:
    value = plain(_lower(value)).strip()
    span(value)
    return literal(value)


def period(value: str, now: float) -> tuple[float | None, float | None]:
    """The bounds of a canonical time, as seen now."""
    return span(plain(value))(now)


def _within(value: str, now: float) -> Condition:
    start, end = period(value, now)
    parts: list[str] = []
    parameters: list[str | float] = []
    if start is not None:
        parts.append("m.last_at >= ?")
        parameters.append(start)
    if end is not None:
        parts.append("m.first_at < ?")
        parameters.append(end)
    return f"({' AND '.join(parts)})", parameters


_AGE = "(CASE WHEN m.open = 1 THEN ? - m.first_at ELSE m.last_at - m.first_at END)"

FIELDS: dict[str, Field] = {
    "from": Field(_address, _addresses(Key.SENDER, Key.SENDER_DOMAIN),
                  "from:a@example.com, from:@example.com, from:@*.example.com, from:alice, from:<> (the null sender)"),
    "to": Field(_address, _addresses(Key.RECIPIENT, Key.RECIPIENT_DOMAIN), "to:bob@*: a final or original recipient"),
    "host": Field(_lower, lambda v, _: look_up(((Key.HOST,), v)), "host:mx1: a host whose log tells of it"),
    "next": Field(lambda v: _lower(next_hop(v)), _next, "next:mx.example.net: a relay tried or used, name or address"),
    "queue": Field(_queue_name, _queue, "queue:mx1/mx.example.net: waits on mx1 for that next hop; queue:mx1/*"),
    "client": Field(_lower, _client, "client:192.0.2.*: who handed it in, name or address"),
    "status": Field(_list([*DeliveryStatus, *STATUS_GROUPS], "status"), _status,
                    "status:deferred,held: any recipient has it; status:open, status:failed for groups"),
    "problem": Field(_list([*Problem, "none", "any"], "problem"), _words("problem"),
                     "problem:routing, problem:any, problem:none: of any recipient"),
    "reason": Field(_reason, _words("reason"), "reason:mailbox-full, reason:user-*: of any recipient"),
    "scenario": Field(_list(Scenario, "scenario"), _place("m.scenario", Scenario), "scenario:internet"),
    "direction": Field(_list(Direction, "direction"), _place("m.direction", Direction), "direction:outbound"),
    "subject": Field(_text, lambda v, _: contains("m.subject", v), 'subject:"quarterly report": part of the subject'),
    "id": Field(_id, lambda v, _: _ids(v), "id:4F1C2A: a message-id, queue ID, reply ID, Exchange network message id"),
    "age": Field(_comparison("age>5m or age<2h", seconds), _compare(_AGE, seconds, since_now=True),
                 "age>5m, age<1h30m: how long it waits, or how long it took", compares=True),
    "size": Field(_comparison("size>10k or size<5M", _bytes), _compare("m.size", _bytes, since_now=False),
                  "size>5M: bytes, k = 1024", compares=True),
    "time": Field(_time, _within, "time:today, time:10:00-11:00, time:last-2h, time:>2026-11-24: under way then"),
}
"""The keys of the language, by name."""


def free_text(value: str) -> str:
    """The canonical value of a word without a key."""
    return _text(_unbracketed(value))


def anywhere(value: str, now: float) -> Condition:
    """Free text: part of an address, subject, message-id, client or reason, or the whole of any id."""
    found = [contains(f"m.{c}", value) for c in ("subject", "client", "reasons")]
    for kind in (Key.SENDER, Key.RECIPIENT, Key.MESSAGE_ID):
        query, bound = terms_like(kind, "", *contains(value_sql(kind), value))
        found.append((f"m.id IN ({query})", bound))
    return any_of([*found, _ids(value)])
