"""What a filter says of one failure, and of the next hop it was at."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flowmon.store.filter_match import Condition, any_of, matches
from flowmon.tracking.replies import relay_name

_ADDRESS = re.compile(r"[0-9*?]+(?:\.[0-9*?]+)+|[0-9a-f*?]*:[0-9a-f:*?.]*")


_LOGGED = re.compile(r"[^][\s]*\[(?:(?i:ipv6:)?[\da-fA-F]*[.:][\da-fA-F.:]*|[\w.-]*/[\w./-]*)\](?::\d+)?")
"""A peer as a log writes it: a name, and its address or the path of a socket in brackets, or that alone."""


def next_hop(value: str) -> str:
    """A next hop as people write it or a log does (`name[address]:port`): its name, else its address in brackets.

    An address in brackets is, beside other terms of a failure, that of a relay without a name; a bare one that of any.
    """
    if _LOGGED.fullmatch(value) is None:
        return value
    return chosen_next_hop(relay_name(value) or value)


def chosen_next_hop(name: str) -> str:
    """The value for a next hop as tables have it."""
    return f"[{name}]" if _ADDRESS.fullmatch(name) else name


def unbracketed(value: str) -> str:
    """The name or address of a canonical next hop."""
    return value[1:-1] if value[:1] == "[" and value[-1:] == "]" else value


def of_a_failure(key: str, value: str) -> bool:
    """Whether a term tells of one failure: not of whether there are any, nor of the address of a relay that may have a
    name, as failures have names."""
    if key == "next":
        return _ADDRESS.fullmatch(value) is None
    return key in ("problem", "reason") and {"none", "any"}.isdisjoint(value.split(","))


def one_failure(wanted: Iterable[Iterable[tuple[str, str]]]) -> Condition:
    """What has one failure for which of each of these one value holds, told with its key (see of_a_failure); next hops
    as problems have them.

    A message to many fails in many ways: what is asked together is not meant of several of them.
    """
    asked = [any_of(_holds(key, value) for key, value in ways) for ways in wanted]
    return (f"m.id IN (SELECT message FROM failures WHERE {' AND '.join(text for text, _ in asked)})",
            [one for _, bound in asked for one in bound])


def _holds(key: str, value: str) -> Condition:
    if key == "next":
        return matches("lower(next_hop)", unbracketed(value))
    return any_of(matches(key, word) for word in value.split(","))
