"""What may be written next in a filter: keys, the words of a key, and values that the store knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from flowmon.model.words import DeliveryStatus, Direction, Problem, Scenario
from flowmon.store.filter_lex import quoted
from flowmon.store.filter_sql import FIELDS, STATUS_GROUPS

MOST = 8
"""Proposals at once."""
_WORD = re.compile(r"(?:^|[\s(])-?(?P<word>[^\s()\"]*)$")
_TERM = re.compile(r"(?P<key>[A-Za-z]+):(?P<value>.*)")
_WORDS = {
    "status": [*DeliveryStatus, *STATUS_GROUPS],
    "problem": [*Problem, "any", "none"],
    "scenario": list(Scenario),
    "direction": list(Direction),
    "time": ["last-15m", "last-1h", "last-1d", "today", "yesterday"],
}
_COMPARED = {"age": [">10m", ">1h", ">1d", "<1m"], "size": [">1M", ">10M", "<10k"]}

Values = Callable[[str, str], list[str]]
"""From a key and the beginning of a value: values of the store that go on so, in order."""


class Proposals(NamedTuple):
    """What may stand in place of the word that is being written."""

    start: int
    """Where in the text they go."""
    texts: list[str]


def propose(text: str, values: Values) -> Proposals:
    """Proposals for the end of a text; none where nothing is known to go on so."""
    found = _WORD.search(text)
    if found is None:
        return Proposals(len(text), [])
    word, start = found["word"], found.start("word")
    term = _TERM.fullmatch(word)
    if term is None:
        return Proposals(start, _keys(word))
    key, value = term["key"].lower(), term["value"]
    at = start + len(term["key"]) + 1
    if key in _WORDS:
        at += value.rfind(",") + 1
        last = value.rpartition(",")[2].lower()
        return Proposals(at, [w for w in map(str, _WORDS[key]) if w.startswith(last) and w != last][:MOST])
    if key not in FIELDS or "*" in value or "?" in value:
        return Proposals(at, [])
    return Proposals(at, [quoted(one, free=False) for one in values(key, value.lower()) if one != value.lower()][:MOST])


def _keys(word: str) -> list[str]:
    lower = word.lower()
    for key, examples in _COMPARED.items():
        if lower.startswith(key) and lower != key:
            return [key + one for one in examples if (key + one).startswith(lower) and key + one != lower]
    found = [f"{key}{'>' if field.compares else ':'}" for key, field in FIELDS.items() if key.startswith(lower)]
    return found[:MOST] if lower else []
