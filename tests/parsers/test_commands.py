"""`flowmon parsers …`: what they print, and their exit status."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from flowmon.commands import coverage, parsers
from flowmon.errors import ParserFileError, SourceError
from flowmon.parsing.format import load

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
    assert "50.00% of 2 lines understood, 1 set aside" in out
    assert "1 attempt" in out
    assert "ot=<bob@lab.test>" in out
    log.write_text("nothing known\n")
    assert coverage.run(str(log)) == 1
    assert "no format fits" in capsys.readouterr().out
    with pytest.raises(SourceError):
        coverage.run(str(tmp_path / "none.log"))


def test_coverage_as_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    strange = [LINE.replace("to=", "ot=").replace("D1CDD24823E", f"D1CDD24823{n}") for n in range(3)]
    log.write_text("\n".join([LINE, *strange, "Nov 24 10:44:26 mbx cron[1]: x", ""]))
    assert coverage.run(str(log), form="json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["path"], found["format"]) == (str(log), "syslog")
    assert (found["matched"], found["ignored"], found["unmatched"]) == (1, 1, 3)
    (one,) = found["shapes"]
    assert (one["count"], one["sample"]) == (3, strange[0])
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


def test_new_from_lines_without_a_time_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "strange.log"
    log.write_text("no time here\n")
    with pytest.raises(ParserFileError, match="none of its lines has a header"):
        parsers.new("mine", log)
    with pytest.raises(SourceError):
        parsers.new("mine", tmp_path / "none.log")
