"""JSON lines: flat or nested, with arrays, read by the same rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flowmon.errors import ParserFileError
from flowmon.model.event import Event
from flowmon.parsing.check import faults
from flowmon.parsing.format import Format, load
from flowmon.parsing.records import RecordReader
from flowmon.parsing.stamps import Stamps
from tests.exchange.reading import ShortHosts, facts

PARSER = """\
name = "cloud"
framing = "json"
time = "at"
host = "node.name"

[[rule]]
name = "sent"
kind = "attempt"
when = { "event.type" = ["sent", "passed"] }
each = "recipient"
fields = { queue_id = "id", recipient = "to.address", relay = "peer", diagnostic = "to.reply" }
set = { status = "relayed" }
[[rule.sample]]
line = '''{"at": "2026-11-24T09:00:00Z", "node": {"name": "edge"}, "id": 7, "event": {"type": "Sent"}, \\
"to": [{"address": "a@contoso.example", "reply": "250 ok"}, \\
{"address": "b@contoso.example", "reply": "250 ok; too"}]}'''
events = 2
[rule.sample.expect]
queue_id = "7"
host = "edge"
recipient = "b@contoso.example"
diagnostic = "250 ok; too"
status = "relayed"

[[rule]]
name = "ping"
ignore = "tells nothing of a message"
when = { "event.type" = "" }
[[rule.sample]]
line = '{"at": 1795510800, "alive": true}'
""".replace("\\\n", "")


@pytest.fixture
def cloud(tmp_path: Path) -> Format:
    """A format of a user's own."""
    path = tmp_path / "cloud.toml"
    path.write_text(PARSER)
    return load(path)


def feed(format: Format, text: str) -> tuple[list[Event], RecordReader]:
    """Events of a log."""
    one, events = RecordReader(format, ShortHosts(), Stamps(None, 1_795_000_000.0), "here"), list[Event]()
    one.feed(text.encode(), 0, events.append)
    return events, one


def test_samples_prove_it(cloud: Format) -> None:
    assert faults(cloud) == []


def test_nested_and_flat_keys_are_the_same(cloud: Format) -> None:
    nested = {"at": "2026-11-24T09:00:00Z", "event": {"type": "sent"}, "to": {"address": "a@contoso.example"}}
    flat = {"at": "2026-11-24T09:00:00Z", "event.type": "sent", "to.address": ["a@contoso.example"]}
    events, one = feed(cloud, json.dumps(nested) + "\n" + json.dumps(flat) + "\n")
    assert one.counters.unmatched == 0
    assert [(facts(e)["recipient"], e.host) for e in events] == [("a@contoso.example", "here")] * 2


@pytest.mark.parametrize("at", [
    "2026-11-24T09:00:00Z", 1795510800, 1795510800000, 1795510800.0, "/Date(1795510800000)/",
])
def test_times(cloud: Format, at: object) -> None:
    events, _ = feed(cloud, json.dumps({"at": at, "event": {"type": "sent"}}) + "\n")
    assert [e.at for e in events] == [1795510800.0]


@pytest.mark.parametrize("line", [
    "no json", '{"at": "soon", "event": {"type": "sent"}}', '{"event": {"type": "sent"}}', "3", '"text"', "[" * 100_000,
    '{"at": "2026-11-24T09:00:00Z", "event": {"type": "unheard of"}}', "# a comment", '{"at": "1e999."}',
    '{"at": ["²"]}',
])
def test_what_does_not_fit_is_counted(cloud: Format, line: str) -> None:
    events, one = feed(cloud, line + "\n")
    assert events == []
    assert one.counters.lines == one.counters.unmatched == 1


def test_an_array_of_records(cloud: Format) -> None:
    record = '{"at": "2026-11-24T09:00:00Z", "event": {"type": "sent"}}'
    assert len(feed(cloud, f"[{record}, {record}]\n")[0]) == 2
    events, one = feed(cloud, f"[\n{record},\n{record}\n]\n")
    assert len(events) == 2
    assert one.counters.unmatched == 0


@pytest.mark.parametrize(("old", "new", "said"), [
    ('each = "recipient"', 'each = "login"', "`each` names 'login'"),
    ("queue_id =", "sender_domain =", "'sender_domain' is no field of attempt"),
    ("set =", "sets =", "unknown key `sets`: did you mean `set`?"),
    ("framing = ", "programs = []\nframing = ", None),
])
def test_faults_of_a_file_are_named(tmp_path: Path, old: str, new: str, said: str | None) -> None:
    path = tmp_path / "cloud.toml"
    path.write_text(PARSER.replace(old, new, 1))
    try:
        found = faults(load(path))
    except ParserFileError as fault:
        found = [str(fault)]
    assert bool(found) is (said is not None)
    assert all(said in one for one in found if said)
