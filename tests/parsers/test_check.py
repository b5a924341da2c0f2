"""A faulty parser file is rejected with its name, the place and the remedy."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from flowmon.collecting.folded import Start
from flowmon.collecting.folding import Folding
from flowmon.config import Config
from flowmon.errors import ParserFileError
from flowmon.parsing.catalogue import Catalogue
from flowmon.parsing.check import faults
from flowmon.parsing.format import load
from flowmon.sources import Discovery

GOOD = r"""
name = "own"
framing = "syslog"
programs = ["own"]
id = '''(?P<queue_id>[0-9A-F]{4}): '''
foreign = ['Nov 24 10:44:26 mx1 own[7]: something else']

[[rule]]
name = "sent"
kind = "attempt"
starts = "to="
pattern = '''to=(?P<recipient>\S+) status=(?P<status>\w+)'''
map.status = { ok = "relayed", "*" = "bounced" }
[[rule.sample]]
line = 'Nov 24 10:44:26 mx1 own[7]: 5ED2: to=kim@example.com status=ok'
expect = { queue_id = "5ED2", recipient = "kim@example.com", status = "relayed" }
absent = ["relay"]

[[rule]]
name = "start"
ignore = "its own life"
id = false
starts = "starting"
[[rule.sample]]
line = 'Nov 24 10:44:26 mx1 own[7]: starting'
"""

FAULTS = {
    "not TOML": ("name = ", "name ", "is not TOML"),
    "no name": ('name = "own"\n', "", "name"),
    "unknown key": ("[[rule]]\n", 'blue = "red"\n[[rule]]\n', "line 8: unknown key `blue`; known here: name, "),
    "key that is nearly one": ('starts = "to="', 'start = "to="', "line 11: rule 'sent': unknown key `start`: did you"),
    "key of another place": ('starts = "to="', 'expect = { }', "it belongs to a [[rule.sample]]"),
    "key of a sample": (
        'absent = ["relay"]', 'abcent = ["relay"]', "rule 'sent': sample: unknown key `abcent`: did you"),
    "rules for rule": (
        "[[rule]]\n" + GOOD.partition("[[rule]]\n")[2], "[[rules]]\nname = 'a'\n",
        "line 8: unknown key `rules`: did you mean [[rule]]?"),
    "one bracket": (
        "[[rule]]\n" + GOOD.partition("[[rule]]\n")[2], "[rule]\nname = 'a'\n", "must stand in double brackets"),
    "text for a list": (
        'programs = ["own"]', 'programs = "own"', "line 4: `programs` must be a list in [ ], and is text"),
    "number for a name": (
        'name = "start"', "name = 5", "line 20: rule 2 of the file: `name` must be text in quotes"),
    "rule without a name": (
        'name = "start"\n', "", "line 19: rule 2 of the file: `name` is missing: each [[rule]] needs it"),
    "unknown framing": (
        'framing = "syslog"', 'framing = "syslogd"', "line 3: framing 'syslogd' is unknown: did you mean 'syslog'?"),
    "framing of none": ('framing = "syslog"', 'framing = "morse"', "known: syslog, header, csv, json, cef, pairs"),
    "name that is no word": ('name = "own"', 'name = "o/../n"', "line 2: `name` 'o/../n' cannot name a format"),
    "origin of none": (
        GOOD.partition('kind = "attempt"')[2].partition("[[rule.sample]]")[0].join(['kind = "attempt"', ""]),
        'kind = "arrival"\nset.origin = "smpt"\n',
        "origin 'smpt' is none of the words that it may be (did you mean 'smtp'?)"),
    "command of none": (
        'kind = "attempt"\nstarts = "to="', 'kind = "refusal"\nmap.command = { a = "RCTP" }\nstarts = "to="',
        "did you mean 'RCPT'"),
    "no programs": ('programs = ["own"]\n', "", "`programs`"),
    "header without pattern": ('framing = "syslog"', 'framing = "header"', "`header`"),
    "bad id pattern": ("{4}): '''", "{4}: '''", "`id` is no regular expression"),
    "bad pattern": (r"status=(?P<status>\w+)'''", r"status=(?P<status>\w+'''", "`pattern` is no regular expression"),
    "two rules of one name": ('name = "start"', 'name = "sent"', "two rules named 'sent'"),
    "unknown kind": ('kind = "attempt"', 'kind = "atempt"', "did you mean 'attempt'"),
    "kind and ignore": ('kind = "attempt"', 'kind = "attempt"\nignore = "no"', "either `kind`"),
    "neither kind nor ignore": ('ignore = "its own life"\n', "", "either `kind`"),
    "no field": ("(?P<recipient>", "(?P<recepient>", "did you mean 'recipient'"),
    "map of no field": ("map.status =", "map.state =", "`map.state`"),
    "no status word": ('"bounced"', '"bounsed"', "did you mean 'bounced'"),
    "unknown converter": ("map.status", 'convert = { recipient = "adress" }\nmap.status', "did you mean 'address'"),
    "bad find": ("map.status", "find.relay = { a = '(' }\nmap.status", "is no regular expression"),
    "record key": ('starts = "to="', 'starts = "to="\nwhen = { a = "b" }', "csv, json, cef and pairs only"),
    "no sample": ("[[rule.sample]]\nline = 'Nov 24 10:44:26 mx1 own[7]: starting'\n", "", "no [[rule.sample]]"),
    "sample of no rule": ("own[7]: starting'", "own[7]: begins'", "no rule matches it"),
    "sample that fits in part": (
        "status=ok'", "state=ok'", "rule 'sent' fits 'to=kim@example.com stat' and stops at column"),
    "sample of another program": ("mx1 own[7]: starting'", "mx1 other[7]: starting'", "no rule matches it"),
    "sample taken by another rule": (
        "own[7]: starting'", "own[7]: 5ED2: to=kim@example.com status=ok'", "rule 'sent' takes it first"),
    "value that does not hold": ('queue_id = "5ED2"', 'queue_id = "5ED3"', "queue_id is '5ED2', expected '5ED3'"),
    "field that should be empty": ('absent = ["relay"]', 'absent = ["recipient"]', "recipient is 'kim@example.com'"),
    "too many events": ('absent = ["relay"]', "events = 2", "events expected: 2, made: 1 (attempt)"),
    "field that the kind has not": ('queue_id = "5ED2"', 'queueid = "5ED2"', "attempt has no field 'queueid' (did you"),
    "text for a number": ('queue_id = "5ED2"', "queue_id = 52", "queue_id is '5ED2', expected 52"),
    "a list of too many events": (
        'expect = { queue_id = "5ED2", recipient = "kim@example.com", status = "relayed" }',
        'expect = [{ queue_id = "5ED2" }, { queue_id = "5ED2" }]', "events expected: 2, made: 1 (attempt)"),
    "an event that is another": (
        'expect = { queue_id = "5ED2", recipient = "kim@example.com", status = "relayed" }',
        'expect = [{ kind = "arrival" }]', "event 1: kind is 'attempt', expected 'arrival'"),
    "starts that never does": (
        'starts = "to="', 'starts = "ot="', "its text is 'to=kim@example.com status=ok', `starts` asks"),
    "id that is not there": ("own[7]: 5ED2: to", "own[7]: to", "a rule for lines without it says `id = false`"),
    "program of none": ("mx1 own[7]: starting'", "mx1 other[7]: starting'", "its program is none of `programs` (own)"),
    "header that is none": (
        "Nov 24 10:44:26 mx1 own[7]: starting'", "Nov 99: starting'", "does not begin as framing 'syslog'"),
    "foreign line taken": ("own[7]: something else'", "own[7]: starting'", "listed as foreign"),
    "pattern that takes too long": (
        r"(?P<recipient>\S+)", r"(?P<recipient>(?:a+)+\S*|\S+)", "rule 'sent': its pattern needs too long"),
}


SEVERAL = GOOD.replace('starts = "to="', 'more = true\nstarts = "to="') + """
[[rule]]
name = "told"
kind = "identity"
starts = "to="
pattern = '''to=(?P<recipient>\\S+) status=ok'''
[[rule.sample]]
line = 'Nov 24 10:44:26 mx1 own[7]: 5ED2: to=kim@example.com status=ok'
expect = [{ kind = "attempt", status = "relayed" }, { kind = "identity", recipient = "kim@example.com" }]
"""


def test_a_line_of_several_events_is_told_event_by_event(tmp_path: Path) -> None:
    text = SEVERAL.replace('absent = ["relay"]', "events = 2")
    assert faults(load(write(tmp_path, text))) == []
    (fault,) = faults(load(write(tmp_path, text.replace('{ kind = "identity", r', "{ r").replace("{ kind", "{ relay"))))
    assert "event 1: relay is None, expected 'attempt'" in fault
    (fault,) = faults(load(write(tmp_path, SEVERAL)))
    assert "events expected: 1, made: 2 (attempt, identity)" in fault


def test_what_is_expected_must_be_of_one_event(tmp_path: Path) -> None:
    two = SEVERAL.replace('kind = "identity"\n', 'kind = "attempt"\nset.relay = "none"\n').replace(
        'absent = ["relay"]', "events = 2").replace(
        'expect = { queue_id = "5ED2", recipient', 'expect = { relay = "none", recipient').partition("expect = [")[0]
    (fault,) = faults(load(write(tmp_path, two + "events = 2")))
    assert "'sent'" in fault, "one event has the status, the other the relay"


def test_a_date_that_is_none_is_told(tmp_path: Path) -> None:
    (fault,) = faults(load(write(tmp_path, HEADER.replace("2026-11-24 10", "2026-13-45 10", 1))))
    assert "its time '2026-13-45 10:44:26' is none that flowmon reads" in fault


def write(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text)
    return path


def test_a_good_file_holds(tmp_path: Path) -> None:
    assert faults(load(write(tmp_path, GOOD))) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_told(fault: str, tmp_path: Path) -> None:
    old, new, told = FAULTS[fault]
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    catalogue = Catalogue()
    catalogue.add_file(path, trusted=False)
    assert catalogue.formats == {}
    (message,) = catalogue.rejected
    assert str(path) in message
    assert told in message


def test_a_faulty_file_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("name = ")
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "c.toml").write_text(GOOD)
    catalogue = Catalogue()
    catalogue.add_folder(tmp_path, trusted=False)
    assert list(catalogue.formats) == ["own"]
    assert ["is not TOML" in catalogue.rejected[0], "is not UTF-8" in catalogue.rejected[1]] == [True, True]


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ParserFileError, match="cannot be read"):
        load(tmp_path / "none.toml")


def test_a_later_file_of_the_same_name_replaces_the_earlier(tmp_path: Path) -> None:
    catalogue = Catalogue()
    catalogue.add_file(write(tmp_path, GOOD), trusted=False)
    other = tmp_path / "other.toml"
    other.write_text(GOOD.replace('name = "start"', 'name = "begin"'))
    catalogue.add_file(other, trusted=False)
    assert [rule.name for rule in catalogue.formats["own"].rules] == ["sent", "begin"]


def test_a_pattern_that_takes_too_long_is_switched_off(tmp_path: Path) -> None:
    format = load(write(tmp_path, GOOD.replace(r"(?P<recipient>\S+)", r"(?P<recipient>(?:a+)+\S*)")))
    rule = format.rules[0]
    for _ in range(4):
        assert rule.match("to=" + "a" * 5000, 0) is None
    assert rule.guarded is not None
    assert rule.guarded.strikes >= 3
    assert rule.match("to=a status=ok", 0) is None
    catalogue = Catalogue()
    assert catalogue.switched_off() == []
    catalogue.formats["own"] = format
    (told,) = catalogue.switched_off()
    assert told.startswith(f"{format.path}: rule 'sent': its pattern is switched off: it took more than 50 ms for 3 ")


HEADER = r"""
name = "own"
framing = "header"
header = '''(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?P<session>\w+): '''
id = '''(?P<queue_id>[0-9A-F]{4}) '''
signature = '''own starts'''
continuation = '''\s+at '''

[[rule]]
name = "sent"
kind = "attempt"
starts = "to="
pattern = '''to=(?P<recipient>\S+)'''
set.status = "relayed"
[[rule.sample]]
line = '2026-11-24 10:44:26 main: 5ED2 to=kim@example.com'
expect = { recipient = "kim@example.com" }
"""
def test_the_screen_is_told_of_a_pattern_that_is_switched_off(tmp_path: Path) -> None:
    catalogue = Catalogue()
    file = write(tmp_path, GOOD.replace("map.status", "find.relay = { a = '(?:x+)+y' }\nmap.status").replace(
        r"status=(?P<status>\w+)", r"status=(?P<status>\w+)(?: (?P<relay>.*))?"))
    catalogue.add_file(file, trusted=False)
    assert catalogue.rejected == []
    folding = Folding(catalogue, Discovery(), Config(), Start(), live=False)
    assert folding.take().notices == []
    finder = next(change for _, change, _ in catalogue.formats["own"].rules[0].changes if callable(change))
    for _ in range(3):
        assert finder("x" * 5000) is None
    (notice,) = folding.take().notices
    assert notice.startswith(f"{file}: `find` of rule 'sent': its pattern is switched off")


SLOW = {
    "header": (r"(?P<session>\w+): ", r"(?P<session>(?:\w+)+): "),
    "id": ("[0-9A-F]{4}) ", "(?:[0-9A-Fa-f]+)+) "),
    "signature": ("own starts", r"(?:\w+)+ starts"),
    "continuation": (r"\s+at ", r"(?:\s+)+at "),
}


def test_a_good_header_holds(tmp_path: Path) -> None:
    assert faults(load(write(tmp_path, HEADER))) == []


@pytest.mark.parametrize("key", SLOW)
def test_a_slow_pattern_of_the_framing_is_told_and_switched_off(key: str, tmp_path: Path) -> None:
    old, new = SLOW[key]
    assert old in HEADER
    format = load(write(tmp_path, HEADER.replace(old, new, 1)))
    (message,) = faults(format)
    assert f"`{key}` needs too long" in message
    pattern = {"id": format.id_pattern}.get(key) or getattr(format, key)
    begin = {"header": "2026-11-24 10:44:26 ", "continuation": " " * 5000 + "!"}.get(key, "")
    line = begin + "a" * 5000 + "! starts at : "
    started = time.monotonic()
    for _ in range(100):
        assert pattern.search(line) is None
    assert time.monotonic() - started < 2.0
