"""What was learnt from one line must not change what the next one tells: it only finds its rule sooner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from flowmon.model.event import Event
from flowmon.parsing.catalogue import Catalogue
from flowmon.parsing.check import faults
from flowmon.parsing.format import Format, load
from flowmon.paths import data_folder
from tests.parsers.reading import REFERENCE, ShortNames

FILES = {path.stem: path for path in sorted(data_folder("parsers").glob("*.toml"))}
LEARNING = [name for name, path in FILES.items() if load(path, trusted=True).spec.id]
OWN = r"""
name = "own"
framing = "header"
header = '''(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) '''
id = '''(?:\[(?P<session>\d+)\] )?(?:(?P<queue_id>[A-Z]\d+) )?'''
"""


def _rule(name: str, starts: str, pattern: str, line: str, kind: str = "arrival") -> str:
    head = f'[[rule]]\nname = "{name}"\nkind = "{kind}"\nstarts = "{starts}"\n'
    return f"{head}pattern = '''{pattern}'''\n[[rule.sample]]\nline = '2026-11-24 10:00:00 {line}'\n"


def _told(format: Format, by_syslog: bool) -> Callable[[str], list[Event]]:
    """What tells the events of a line, with what the lines before it have taught."""
    catalogue = Catalogue()
    catalogue.formats[format.name] = format
    name = "syslog" if by_syslog else format.name
    found = catalogue.reader(b"", hosts=ShortNames(), host="here", zone=None, reference=REFERENCE, name=name)
    assert found is not None

    def told(line: str) -> list[Event]:
        events: list[Event] = []
        found[1].feed(f"{line}\n".encode(), 0, events.append)
        return events

    return told


def _check_pairs(format: Format, lines: list[str], *, by_syslog: bool) -> None:
    """Each line tells the same behind each other one as it does alone."""
    alone = {line: list(map(_timeless, _told(format, by_syslog)(line))) for line in lines}
    told = _told(format, by_syslog)
    for before in lines:
        for line in lines:
            told(before)
            assert list(map(_timeless, told(line))) == alone[line], f"after {before}"


def _timeless(event: Event) -> Event:
    """All but the time, whose year depends on the lines before."""
    return msgspec.structs.replace(event, at=0.0)


@pytest.mark.parametrize("name", LEARNING)
def test_what_a_line_tells_does_not_depend_on_the_one_before(name: str) -> None:
    format = load(FILES[name], trusted=True)
    lines = [sample.line for rule in format.spec.rule for sample in rule.sample]
    own = format.header
    framed = [line for line in lines if own is not None and own.match(line) is not None]
    _check_pairs(format, framed, by_syslog=False)
    _check_pairs(format, [line for line in lines if line not in framed], by_syslog=True)


def _own(tmp_path: Path, *rules: str) -> Format:
    path = tmp_path / "own.toml"
    path.write_text("\n".join([OWN, *rules]))
    format = load(path, trusted=True)
    assert faults(format, thorough=False) == []
    return format


def test_an_id_with_a_session_is_told_on_the_short_way_too(tmp_path: Path) -> None:
    format = _own(tmp_path, _rule("came", "<= ", r"<= (?P<envelope_sender>\S+)", "[7] A1 <= kim"))
    told = _told(format, by_syslog=False)
    for line, session, queue_id in (("[7] A1", "7", "A1"), ("[8] B2", "8", "B2"), ("C3", None, "C3")):
        (event,) = told(f"2026-11-24 10:00:00 {line} <= kim")
        assert (event.session, event.queue_id) == (session, queue_id)


def test_a_longer_literal_comes_first_whatever_was_learnt(tmp_path: Path) -> None:
    format = _own(
        tmp_path, _rule("came", "<= ", r"<= (?P<envelope_sender>\S+).*", "A1 <= kim"),
        _rule("report", "<= <> R=", r"<= <> R=(?P<parent_id>\S+)", "A1 <= <> R=B1"),
    )
    _check_pairs(format, [f"2026-11-24 10:00:00 {text}1" for text in ("A1 <= kim", "A2 <= <> R=B")], by_syslog=False)


def test_of_rules_with_one_literal_the_first_keeps_its_lines(tmp_path: Path) -> None:
    format = _own(
        tmp_path, _rule("empty", "<= ", r"<= <>(?P<envelope_sender>) .*", "A1 <= <> x"),
        _rule("came", "<= ", r"<= (?P<envelope_sender>\S+) .*", "A1 <= kim x"),
    )
    _check_pairs(format, [f"2026-11-24 10:00:00 {text} x" for text in ("A1 <= kim", "A2 <= <>")], by_syslog=False)


def test_the_rules_own_id_counts_more(tmp_path: Path) -> None:
    format = _own(tmp_path, _rule("came", "<= ", r"<= (?P<queue_id>\S+) (?P<envelope_sender>\S+)", "A1 <= Q kim"))
    told = _told(format, by_syslog=False)
    assert [told("2026-11-24 10:00:00 A1 <= Q kim")[0].queue_id for _ in range(3)] == ["Q"] * 3


def test_what_the_id_took_is_not_the_texts(tmp_path: Path) -> None:
    told = _told(_own(tmp_path, _rule("came", "A1 ", r"A1 (?P<envelope_sender>\S+)", "B1 A1 kim")), by_syslog=False)
    assert [len(told(f"2026-11-24 10:00:00 {text}")) for text in ("B1 A1 kim", "B1 A1 kim", "A1 kim")] == [1, 1, 0]


@pytest.mark.parametrize("pattern", [
    r"<= (?P<envelope_sender>\S+) (\w)\2", r"<= (?P<envelope_sender>\S+) (?P<_one>\w)(?P=_one)",
])
def test_groups_that_a_pattern_refers_to_stay_its_own(tmp_path: Path, pattern: str) -> None:
    told = _told(_own(tmp_path, _rule("came", "<= ", pattern, "[7] A1 <= kim aa")), by_syslog=False)
    for text, count in (("kim aa", 1), ("kim aa", 1), ("kim 7a", 0), ("kim 11", 1), ("kim bA1", 0)):
        assert len(told(f"2026-11-24 10:00:00 [7] A1 <= {text}")) == count
