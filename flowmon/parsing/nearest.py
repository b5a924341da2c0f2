"""For a line that no rule takes: the rule that comes nearest, and the place at which it stops."""

from __future__ import annotations

from typing import NamedTuple

import regex

from flowmon.parsing.format import RECORDS, Format
from flowmon.parsing.headed import HeaderReader
from flowmon.parsing.reader import SyslogReader
from flowmon.parsing.rules import Rule

_SECONDS = 0.05
"""How long one try may take."""
_LINE = 2_000
"""Characters of a line that are looked at."""


class Nearest(NamedTuple):
    """A rule whose pattern fits a line in part."""

    rule: str
    begins: int
    """Where in the line the rule's text begins: after the header, and the queue ID where the rule asks for one."""
    stops: int
    """The first character that the pattern cannot take."""

    def told(self, line: str) -> str:
        """In words, with what fits and what comes then."""
        fits, then = line[self.begins : self.stops], line[self.stops :]
        fits = fits if len(fits) <= 40 else "…" + fits[-40:]
        then = then if len(then) <= 40 else then[:40] + "…"
        end = f"before {then!r}" if then else "at the end of the line: more is asked for"
        return f"rule {self.rule!r} fits {fits!r} and stops at column {self.stops + 1}, {end}"


def nearest(format: Format, reader: SyslogReader | HeaderReader, line: str) -> Nearest | None:
    """The rule that fits most of the line; None where the header is another's, or no rule fits even one character."""
    if format.framing in RECORDS:
        return None
    line = line[:_LINE]
    body = reader.body_of(line)
    if body is None:
        return None
    found = format.id_match(line, body) if format.id_match is not None else None
    after_id = found.end() if found is not None else None
    best: Nearest | None = None
    for rule in format.rules:
        begins = after_id if rule.with_id else body
        if begins is None:
            continue
        stops = _stops(rule, line, begins)
        if stops > begins and (best is None or stops - begins > best.stops - best.begins):
            best = Nearest(rule.name, begins, stops)
    return best


def own_rule(format: Format, reader: SyslogReader | HeaderReader, line: str, name: str) -> str:
    """Why the rule that a line is a sample of does not take it, in words; "" where nothing of it fits."""
    line = line[:_LINE]
    body = reader.body_of(line) or 0
    found = format.id_match(line, body) if format.id_match is not None else None
    told = []
    for rule in format.rules:
        if rule.name != name:
            continue
        if rule.with_id and found is None:
            return f"`id` does not fit {line[body : body + 40]!r}; a rule for lines without it says `id = false`"
        begins = found.end() if rule.with_id and found is not None else body
        stops = _stops(rule, line, begins)
        if stops - begins < len(rule.literal):
            told.append(f"its text is {line[begins : begins + 40]!r}, `starts` asks for {rule.literal!r}")
        elif stops > begins:
            return Nearest(rule.name, begins, stops).told(line)
    return told[0] if told else ""


def _stops(rule: Rule, line: str, begins: int) -> int:
    """Up to where the pattern fits: the longest begin of the text that more text could make a match."""
    literal = rule.literal
    same = next((n for n, (a, b) in enumerate(zip(literal, line[begins:], strict=False)) if a != b), None)
    if same is not None:
        return begins + same
    if rule.pattern is None:
        return begins + min(len(literal), len(line) - begins)
    pattern = regex.compile(rule.pattern, regex.ASCII | regex.DOTALL)
    low, high = begins, len(line)
    while low < high:
        middle = (low + high + 1) // 2
        try:
            fits = pattern.fullmatch(line, begins, middle, partial=True, timeout=_SECONDS)
        except TimeoutError:
            fits = None
        if fits is not None:
            low = middle
        else:
            high = middle - 1
    return low
