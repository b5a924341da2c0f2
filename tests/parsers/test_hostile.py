"""Lines made to hurt: none takes long, none ends the reading."""

from __future__ import annotations

from functools import partial
from math import inf

import pytest

from flowmon.model.event import Attempt
from flowmon.parsing.check import SLOW_SECONDS, slow
from flowmon.parsing.format import Format
from flowmon.parsing.guarded import GuardedPattern
from flowmon.parsing.hostile import Hostile, best, cpu_seconds, literals, too_slow
from flowmon.parsing.reader import Counters, placed
from flowmon.parsing.rules import LINE_CAP
from tests.parsers.reading import ShortNames, catalogue

SECONDS = 4 * SLOW_SECONDS
"""Of the processor: `parsers check` allows a quarter, but these may run on a slower machine."""
TEXTS = [f for f in catalogue().formats.values() if f.framing in ("syslog", "header")]


@pytest.mark.parametrize("format", TEXTS, ids=lambda format: format.name)
def test_no_pattern_takes_long(format: Format) -> None:
    assert slow(format, allowed=SECONDS) == []


@pytest.mark.parametrize("format", TEXTS, ids=lambda format: format.name)
def test_no_line_takes_long(format: Format) -> None:
    name = format.name if format.framing == "header" else "postfix"
    found = catalogue().reader(b"", hosts=ShortNames(), host="here", zone=None, name=name)
    assert found is not None

    def seconds(text: str) -> float:
        return cpu_seconds(partial(found[1].feed, text.encode() + b"\n", 0, lambda event: None))

    for rule in format.spec.rule:
        assert too_slow(Hostile(rule.pattern, [rule.sample[0].line], thorough=False), seconds, SECONDS) is None


@pytest.mark.parametrize(("pattern", "sample"), [
    (r"to=(?P<a>.*?)(?:, delay=.*?)?(?:, relay=.*?)?(?:, reply=.*?)?, stat=(?P<s>\w+)", "to=a, delay=1, stat=x"),
    (r"from=<(?P<a>[^>]*)>?\s*'", "from=<a>'"),
    (r"(?:\w+ ?)+: done", "well said: done"),
    (r'C="250 (?:[^"]|A=".*")*" QT=\d+', 'C="250 ok" QT=1'),
])
def test_a_pattern_that_tries_again_and_again_is_found(pattern: str, sample: str) -> None:
    compiled = GuardedPattern(pattern, dotall=True)

    def seconds(text: str) -> float:
        took = cpu_seconds(partial(compiled.fullmatch, text))
        stopped, compiled.strikes = bool(compiled.strikes), 0
        return inf if stopped else took

    assert too_slow(Hostile(pattern, [sample]), seconds, SLOW_SECONDS) is not None


def test_only_what_is_slow_each_time_is_slow() -> None:
    looks = iter([0.3, 0.2, 0.04, 0.5])
    assert best(lambda: next(looks), 0.05) == 0.04
    assert next(looks) == 0.5, "one that is short enough is the last"
    assert best(lambda: 0.3, 0.05) == 0.3


def test_what_a_pattern_asks_for_as_it_stands() -> None:
    assert literals(r"to=<(?P<a>[^>\]]*)>, a\.b(?:\(x\)| y)?\d{1,3}++") == ["to=<", ">, a.b", "(x)", " y"]


JUNK = [
    b"\x00\xff\xfe" * 3000 + b"\n",
    b"\n\n\r\n",
    b"Nov 24 10:44:26\n",
    b"Nov 99 10:44:26 a b: c\n",
    b"<22>1 - - - - - -\n",
    "Nov 24 10:44:26 h postfix/smtpd[1]: \U0001f600\u202e\n".encode(),
]


@pytest.mark.parametrize("junk", JUNK)
def test_junk_makes_no_event(junk: bytes) -> None:
    formats = catalogue()
    for name in formats.formats:
        found = formats.reader(junk, hosts=ShortNames(), host="here", zone=None, name=name)
        assert found is not None
        events: list[object] = []
        found[1].feed(junk, 0, events.append)
        assert events == []


@pytest.mark.parametrize("fraction", ["x00000", "16000-", "00 000", "\N{SUPERSCRIPT TWO}00000", "......"])
def test_a_damaged_fraction_costs_its_line_alone(fraction: str) -> None:
    line = "2026-11-24T10:00:00.{}+00:00 mx postfix/qmgr[1]: 4B1000001: removed\n"
    data = "".join(line.format(part) for part in ("000001", fraction, "000003")).encode()
    found = catalogue().reader(data, hosts=ShortNames(), host="here", zone=None, name="postfix")
    assert found is not None
    events: list[object] = []
    found[1].feed(data, 0, events.append)
    assert len(events) == 2


LONG = "Nov 24 10:44:26 mx postfix/smtp[1]: 4B1000001: to=<kim@acme.example>, relay=none, delay=1, delays=1/0/0/0, "


@pytest.mark.parametrize("other", ["", "\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_rules_see_no_more_of_a_line_than_the_cap(other: str) -> None:
    tail = "dsn=4.4.1, status=deferred (" + other + "connect to far.example: " * LINE_CAP
    data = f"{LONG}{tail})\r\n{LONG}dsn=4.4.1, status=deferred (late)\n".encode()
    found = catalogue().reader(data, hosts=ShortNames(), host="here", zone=None, name="postfix")
    assert found is not None
    events: list[object] = []
    found[1].feed(data, 0, events.append)
    counters = found[1].counters
    assert (counters.lines, counters.unmatched, counters.clipped) == (2, 0, 1)
    cut, whole = (event for event in events if isinstance(event, Attempt))
    assert (cut.position, cut.recipient, cut.status) == (0, "kim@acme.example", "deferred"), "its reply alone is cut"
    assert cut.diagnostic is not None
    assert LINE_CAP - len(LONG) - 100 < len(cut.diagnostic) < LINE_CAP - len(LONG)
    assert (whole.position, whole.diagnostic) == (data.index(b"\n") + 1, "late")


def test_no_half_of_an_address_is_left_of_a_cut_line() -> None:
    counters = Counters()
    (line,), _ = placed(b"for " + b"kim@acme.example " * LINE_CAP + b"\n", 0, counters)
    assert counters.clipped == 1
    assert LINE_CAP - 20 < len(line) <= LINE_CAP
    assert line.endswith("kim@acme.example ")
    assert placed(b"a" * (LINE_CAP + 1) + b"\nb", 7, counters)[0] == ["a" * LINE_CAP, "b"]
    assert counters.clipped == 2
    assert placed(b"a" * LINE_CAP + b"\n", 0, counters)[0] == ["a" * LINE_CAP]
    assert counters.clipped == 2
