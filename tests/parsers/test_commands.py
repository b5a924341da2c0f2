"""`flowmon parsers …`: what they print, and their exit status."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest

from flowmon.commands import coverage, parsers
from flowmon.errors import ParserFileError, SourceError
from flowmon.parsing.check import faults
from flowmon.parsing.format import load
from flowmon.paths import data_folder
from flowmon.sources import LogStream

LINE = (
    "Nov 24 10:44:26 mbx postfix/lmtp[131]: D1CDD24823E: to=<bob@lab.test>, relay=mbx.lab.test[private/dovecot-lmtp], "
    "delay=0.02, delays=0.01/0/0/0.01, dsn=2.0.0, status=sent (250 2.0.0 Saved)"
)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty configuration folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "flowmon" / "parsers"


def test_list(capsys: pytest.CaptureFixture[str], own_folder: Path) -> None:
    own_folder.mkdir(parents=True)
    (own_folder / "bad.toml").write_text("name = ")
    assert parsers.list_() == 0
    out = capsys.readouterr().out
    assert "postfix" in out
    assert f"rejected: {own_folder / 'bad.toml'}: this is not TOML" in out


def test_new_begins_a_file_that_holds(capsys: pytest.CaptureFixture[str], own_folder: Path) -> None:
    assert parsers.new("myfilter") == 0
    file = own_folder / "myfilter.toml"
    assert parsers.check(file) == 0
    assert "2 rules, 2 samples: all hold" in capsys.readouterr().out
    assert parsers.list_() == 0
    assert str(file) in capsys.readouterr().out
    assert parsers.explain("Nov 24 10:44:26 mx1 myfilter[7]: 5ED29248: to=<a@b.example>, relay=c, status=no (x)") == 0
    assert "bounced" in capsys.readouterr().out
    with pytest.raises(ParserFileError, match="is there already"):
        parsers.new("myfilter")
    with pytest.raises(ParserFileError, match="cannot name a format"):
        parsers.new("../x")


def test_check_tells_what_is_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(parsers.TEMPLATE.replace("NAME", "x").replace('"250 OK" }', '"251 OK" }'))
    assert parsers.check(file) == 1
    assert "diagnostic is '250 OK', expected '251 OK'" in capsys.readouterr().out
    with pytest.raises(ParserFileError, match="no such file"):
        parsers.check(tmp_path / "none.toml")


def test_explain(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(LINE + "\n"))
    assert parsers.explain("-") == 0
    out = capsys.readouterr().out
    assert "postfix, rule 'delivered'" in out
    assert "D1CDD24823E" in out
    assert parsers.explain("2026-11-24 10:44:18 Start queue run: pid=30") == 0
    assert "set aside: says nothing" in capsys.readouterr().out


def test_explain_says_how_far_a_line_came(capsys: pytest.CaptureFixture[str]) -> None:
    assert parsers.explain("no log line at all") == 1
    assert "no header" in capsys.readouterr().out
    assert parsers.explain(LINE.replace("to=", "ot=")) == 1
    assert "postfix: header and program are its own" in capsys.readouterr().out
    assert parsers.explain("2026-11-24 10:44:50 1xVo0x-00007e-1J == kim@example.com R=dns and then") == 1
    out = capsys.readouterr().out
    assert "the nearest: rule 'waiting' fits '== kim@example.com R=dns and then'" in out
    assert "at the end of the line: more is asked for" in out


def test_explain_prints_nothing_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    assert parsers.explain(LINE.replace("Saved", "\x1b]0;owned\x07")) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_coverage(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text(LINE + "\n" + LINE.replace("to=", "ot=") + "\nNov 24 10:44:26 mbx cron[1]: x\n")
    assert coverage.run(str(log)) == 0
    out = capsys.readouterr().out
    assert "50.00% of 2 lines understood; not counted in: 1 line of programs that no format reads\n" in out
    assert "programs that no format reads: cron 1" in out
    assert "1 attempt" in out
    assert "ot=<bob@lab.test>" in out
    log.write_text("nothing known\n")
    assert coverage.run(str(log)) == 1
    assert "no format fits" in capsys.readouterr().out
    with pytest.raises(SourceError):
        coverage.run(str(tmp_path / "none.log"))


def test_coverage_splits_lines_as_the_reader_does(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_bytes((LINE + "\r\n" + LINE.replace("Saved", "Sa\rved\v") + "\n\n").encode())
    assert coverage.run(str(log)) == 0
    assert "100.00% of 2 lines understood\n" in capsys.readouterr().out


def test_coverage_tells_what_it_leaves_out(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text("Nov 24 10:44:26 mbx postfix/smtpd[1]: connect from mx.far.example[192.0.2.1]\n" * 2
                   + "Nov 24 10:44:26 mbx GATE[1]: id=1\n" + LINE.replace("Saved", "x" * 20_000) + "\n")
    assert coverage.run(str(log)) == 0
    out = capsys.readouterr().out
    assert "100.00% of 1 line understood; not counted in: 2 lines set aside by a rule, 1 line of programs that" in out
    assert "        2  TIME mbx postfix/smtpd[N]: connect from mx.far.example[IP]\n" in out
    assert "programs that no format reads: GATE 1\n" in out
    assert "too long to be read to the end: 1 line\n" in out


def test_coverage_counts_rows_and_not_what_names_their_columns(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    format = load(data_folder("parsers") / "exchange-tracking.toml")
    row = next(rule.sample[0].line for rule in format.spec.rule if rule.name == "deferred")
    log = tmp_path / "track.log"
    names = ",".join(format.spec.columns)
    log.write_text(f"#Software: Microsoft Exchange Server\n#Fields: {names}\n{row}\n{row}\n")
    assert coverage.run(str(log)) == 0
    assert "exchange-tracking: 100.00% of 2 lines understood\n" in capsys.readouterr().out


def test_coverage_tells_what_is_damaged_and_marks_what_it_cuts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = tmp_path / "mail.log.gz"
    strange = LINE.replace("to=", "ot=").replace("Saved", "a long tale, " * 40)
    whole = "".join(LINE.replace("D1CDD24823E", f"{n * 0x9E3779B1 % 2**32:X}") + "\n" for n in range(20_000))
    log.write_bytes(gzip.compress(f"{LINE}\n{strange}\n{whole}".encode())[:-3000])
    assert coverage.run(str(log)) == 0
    told = capsys.readouterr()
    assert "damaged" in told.err
    cut = [line for line in told.out.splitlines() if "a long tale" in line]
    assert [line[-1] for line in cut] == ["…", "…"]
    assert [len(line.strip()) for line in cut] == [200 + len("1  "), 300]


def test_coverage_as_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    strange = [LINE.replace("to=", "ot=").replace("D1CDD24823E", f"D1CDD24823{n}") for n in range(3)]
    log.write_text("\n".join([LINE, *strange, "Nov 24 10:44:26 mbx cron[1]: x", ""]))
    assert coverage.run(str(log), form="json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["path"], found["format"]) == (str(log), "syslog")
    assert (found["matched"], found["ignored"], found["foreign"], found["unmatched"]) == (1, 0, 1, 3)
    (one,) = found["shapes"]
    assert (one["count"], one["sample"]) == (3, strange[0])
    assert found["error"] is None
    assert "D1CDD248230" not in one["shape"]


@pytest.mark.parametrize("lines", [
    [LINE, LINE.replace("bob", "kim"), "Nov 24 10:44:26 mbx postfix/qmgr[4]: D1CDD24823E: removed"],
    ["[24/Nov/2026 10:00:45] taken 203.0.113.9 for <kim@acme.example>", "[24/Nov/2026 10:00:46] other's \"word\" 17"],
    ["2026-11-24 10:00:45 mx: x=1", "2026-11-24 10:00:45 mx: x=b@c.example", "2026-11-24 10:00:46 ([{^$.*+?|\\ 12"],
])
def test_new_from_lines_holds_and_takes_them(lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    log = tmp_path / "strange.log"
    log.write_text("\n".join(lines) + "\n")
    assert parsers.new("mine", log) == 0
    file = Path(capsys.readouterr().out.splitlines()[0])
    assert parsers.check(file) == 0, capsys.readouterr().out
    format = load(file)
    assert sum(len(rule.sample) for rule in format.spec.rule) >= 2
    assert all(rule.ignore for rule in format.spec.rule), "nothing is said of what no person has looked at"


@pytest.mark.parametrize(("framing", "lines"), [
    ("csv", ["time,host,id,event,sender,rcpt,reply", "2026-11-25T10:00:01Z,gw,1,in,a@far.example,,",
             '2026-11-25T10:00:02Z,gw,1,out,,kim@acme.example,"250 ok, it\'s in"']),
    ("csv", ["#Software: x", "#Fields: date-time,event-id,note", "2026-11-25T10:00:01Z,A?,",
             "2026-11-25T10:00:01Z,B*,x"]),
    ("json", ['{"n": 7, "meta": {"ts": "2026-11-25T10:00:01Z"}, "event": "in", "to": ["kim@acme.example"]}',
              '{"n": 8, "meta": {"ts": "2026-11-25T10:00:01Z"}, "event": "out", "to": ["lee@acme.example"]}']),
    ("pairs", ["date=2026-11-25 time=10:00:01 host=gw type=spam from=\"a@far.example\"",
               "date=2026-11-25 time=10:00:02 host=gw type=virus from=\"b@far.example\""]),
    ("cef", ["Nov 24 10:44:26 gw CEF:0|Maker|Gate|1|100|mail|3|rt=2026-11-24T10:44:26Z suser=a@far.example act=drop"]),
])
def test_new_from_records_holds_and_takes_them(
    framing: str, lines: list[str], own_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "strange.log.gz"
    log.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    assert parsers.new("mine", log) == 0
    file = own_folder / "mine.toml"
    assert parsers.check(file) == 0, capsys.readouterr().out
    format = load(file)
    assert format.framing == framing
    assert sum(len(rule.sample) for rule in format.spec.rule) == len(
        [line for line in lines if "2026" in line]), "each sort of record has a rule"
    assert all(rule.ignore for rule in format.spec.rule), "nothing is said of what no person has looked at"
    assert coverage.run(str(log)) == 1
    assert "mine: no line tells of mail" in capsys.readouterr().out


def test_new_sees_host_program_and_id(own_folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "strange.log"
    log.write_text("".join(f"2026-11-25 10:00:0{n} gate1 GATE: id=M000{n} action=scan score={n}\n" for n in range(4))
                   + "2026-11-25 10:00:08 gate1 GATE: heartbeat\n")
    assert parsers.new("mine", log) == 0
    format = load(own_folder / "mine.toml")
    assert format.spec.header.endswith("(?P<host>[\\w.-]+) GATE: ")
    assert format.spec.id == "id=(?P<queue_id>[^\\s,;]+) "
    assert [rule.id for rule in format.spec.rule] == [True, False]
    assert faults(format) == []


def test_new_reads_no_more_of_a_log_than_it_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    log = tmp_path / "large.log"
    log.write_text((LINE + "\n") * 40_000)
    read = []
    before = LogStream.read

    def counted(stream: LogStream, *limit: int, final: bool = False) -> object:
        read.append(1)
        return before(stream, *limit, final=final)

    monkeypatch.setattr(LogStream, "read", counted)
    assert parsers.new("mine", log) == 0
    assert len(read) < 4


def test_new_does_not_take_the_place_of_a_built_in_format(own_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ParserFileError, match=r"postfix is a built-in format.*To change the built-in one, copy "):
        parsers.new("postfix")
    assert not own_folder.exists()
    assert parsers.new("mine") == 0
    file = own_folder / "mine.toml"
    file.write_text(file.read_text().replace('name = "mine"', 'name = "postfix"', 1))
    assert parsers.check(file) == 0
    assert "It takes the place of the built-in format postfix" in capsys.readouterr().out
    with pytest.raises(ParserFileError, match="is a folder"):
        parsers.check(own_folder)


def test_the_fields_of_record_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert parsers.check(data_folder("parsers") / "vade.toml") == 0
    out = capsys.readouterr().out
    assert "attempt  1        diagnostic queue_id recipient" in out
    assert "takes the place" not in out
    assert parsers.list_() == 0
    assert f"built in: {data_folder('parsers') / 'vade.toml'}" in capsys.readouterr().out


def test_explain_honours_the_signature(capsys: pytest.CaptureFixture[str]) -> None:
    assert parsers.explain("2026-11-24 10:44:26 hello world") == 1
    out = capsys.readouterr().out
    assert out.startswith("no format takes it for sure")
    assert "exim, rule 'chatter'" in out
    assert "only if a line of it holds the format's `signature`" in out


def test_new_from_lines_without_a_time_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "strange.log"
    log.write_text("no time here\n")
    with pytest.raises(ParserFileError, match="none of its lines has a header"):
        parsers.new("mine", log)
    with pytest.raises(SourceError):
        parsers.new("mine", tmp_path / "none.log")


def test_a_rule_is_compiled_once() -> None:
    """Each raw line of a message asks all formats for its rule: to compile them anew each time takes seconds."""
    rules = load(data_folder("parsers") / "cyrus.toml", trusted=True).rules
    rules[0].prepare()
    match = rules[0].match
    rules[0].prepare()
    assert rules[0].match is match


def test_coverage_of_several_logs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = [tmp_path / name for name in ("one.log", "two.log")]
    for log in logs:
        log.write_text("Nov 24 10:00:00 gw postfix/qmgr[1]: 4F1AA0000: removed\n")
    assert coverage.run(*map(str, logs), form="json") == 0
    assert [json.loads(line)["path"] for line in capsys.readouterr().out.splitlines()] == [str(log) for log in logs]
