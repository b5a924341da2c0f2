"""Lines made to find patterns that need too long: they begin as a rule's samples do, and go on with what makes it try.

What hurts a pattern is what it looks for: a part of its own text over and over, and no end that fits. A pattern whose
time grows with a power of the length takes a little long for short lines already; only where these hint at it is a
line tried that is as long as rules may see.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import inf

LONGEST = 16_000
"""Characters of a whole hostile line: about LINE_CAP."""
_SHORT = 2_000
_CUBED = (LONGEST // _SHORT) ** 3
"""So many times longer a pattern takes for a line of `LONGEST` than for one of `_SHORT`, if it is cubic."""
_LOOKS = 5
"""So often a line is tried before it is called slow: a busy machine makes now one look longer, now another."""
_MOST_CUTS = 8
_FILLINGS = (
    "a", "1", "<", ">", " ", "\t", "(", "[", '"', "'", ",", ":", "=", "\\", '\\"', "a ", "a, ", "a: ", "a=b, ",
    'A="b" ', "(a) ", "[a] ", "<a>", "<a>, ", "; ",
)
_FEW = ("a", "<", " ", "a=b, ", '\\"', "=> <")
_LITERALS = re.compile(
    r"\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?(?:P<\w+>|P=\w+\)|<[=!]|[:=!>])|\{\d*,?\d*\}|\\[A-Za-z0-9]|[()|*+?.^$]"
    r"|(?P<text>(?:\\[^A-Za-z0-9]|[^\\\[\](){}|*+?.^$])+)", re.DOTALL
)


def literals(pattern: str) -> list[str]:
    """The texts that a pattern asks for as they stand, in their order."""
    found = (match["text"] for match in _LITERALS.finditer(pattern))
    return list(dict.fromkeys(re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL) for text in found if text))


def fillings(pattern: str) -> list[str]:
    """What may be repeated without end to make a pattern try again and again."""
    own = literals(pattern)
    made = dict.fromkeys(_FILLINGS)
    if len(own) > 1:
        made |= {"1".join(own) + "1": None, "".join(own): None}
        made |= {f"{own[place]}1{own[place + 1]}1": None for place in range(len(own) - 1)}
    for text in own:
        made |= {text: None, text + "1": None, text + "a, ": None}
    return list(made)


def begins(text: str, most: int) -> list[str]:
    """A text cut at places where a pattern may take several ways."""
    cuts = [match.end() for match in re.finditer(r"[^\w.+-]+", text)]
    return [text[:cut] for cut in cuts[:: max(1, -(-len(cuts) // most))]]


class Hostile:
    """The hostile texts of one pattern, short ones; `longer` makes of one what is as long as lines may be."""

    def __init__(self, pattern: str, samples: Sequence[str], *, thorough: bool = True) -> None:
        """`thorough`: of all samples, cut at many places; else some texts, for a start that shall be quick."""
        self._samples = samples if thorough else samples[:1]
        self._fillings = fillings(pattern) if thorough else [*_FEW, *literals(pattern)]
        self._cuts = _MOST_CUTS if thorough else 2

    def __iter__(self) -> Iterator[tuple[str, str, str]]:
        """Begin, what is repeated, and end."""
        for sample in self._samples:
            for begin in dict.fromkeys(["", *begins(sample, self._cuts)]):
                rest = sample[len(begin) :]
                for filling in (*self._fillings, *((rest + " ",) if rest else ())):
                    yield begin, filling, "\x01"
                    yield begin, filling, rest + "\x01"


def line(parts: tuple[str, str, str], length: int) -> str:
    """A line of about this length."""
    begin, filling, end = parts
    return begin + filling * max(1, (length - len(begin) - len(end)) // len(filling)) + end


def cpu_seconds(work: Callable[[], object]) -> float:
    """How long this thread computes to do a work: that it waits for a busy machine is not held against the work."""
    started = time.thread_time()
    work()
    return time.thread_time() - started


def best(seconds: Callable[[], float], allowed: float) -> float:
    """The shortest of a few looks, of which none follows one that is short enough."""
    took = inf
    for _ in range(_LOOKS):
        took = min(took, seconds())
        if took <= allowed:
            break
    return took


def too_slow(texts: Hostile, seconds: Callable[[str], float], allowed: float) -> tuple[float, str] | None:
    """The first text for which `seconds` says more than `allowed`, and how much; None when there is none."""
    for parts in texts:
        short = line(parts, _SHORT)
        took = best(partial(seconds, short), allowed / _CUBED)
        if took > allowed:
            return took, short
        if took > allowed / _CUBED:
            long = line(parts, LONGEST)
            took = best(partial(seconds, long), allowed)
            if took > allowed:
                return took, long
    return None
