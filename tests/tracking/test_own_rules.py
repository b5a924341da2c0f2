"""Diagnosis rules of a user's own: tried first, proved by their samples, harmless when faulty."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowmon.commands import opening, parsers
from flowmon.errors import DiagnosisFileError
from flowmon.model.words import Problem
from flowmon.tracking.diagnosis import Diagnosis, diagnose, explain, use_own
from flowmon.tracking.own_rules import load, put_in_force

DOCUMENT = Path(__file__).parents[2] / "docs" / "diagnosis.md"
[EXAMPLE] = re.findall(r"^```toml\n(.*?)^```", DOCUMENT.read_text("utf-8"), re.DOTALL | re.MULTILINE)
REPLY = "451 4.3.2 You come outside the agreed hours"


@pytest.fixture(autouse=True)
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a user's rules go, in an empty configuration folder; none are in force before or after."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("FLOWMON_CONFIG", raising=False)
    file = tmp_path / "config" / "flowmon" / "diagnosis.toml"
    file.parent.mkdir(parents=True)
    yield file
    use_own((), ())


def test_rules_in_the_folder_are_tried_first_and_name_new_reasons(own_file: Path) -> None:
    before = diagnose(REPLY)
    own_file.write_text(EXAMPLE)
    opening.load_config(None)
    assert diagnose(REPLY) == Diagnosis(Problem.POLICY, "mail-window") != before
    assert explain("mail-window", Problem.POLICY).cause == "The partner takes our mail at night only."
    assert diagnose("550 5.7.1 <x@example.com>: User unknown, case AB1").reason == "restricted"
    assert diagnose("550 5.7.1 <x@example.com>: User unknown, case AB1 reopened").reason == "user-unknown"
    use_own((), ())
    assert diagnose(REPLY) == before


def test_files_that_the_configuration_names_go_before_the_folder(own_file: Path) -> None:
    own_file.write_text(EXAMPLE)
    (own_file.parent / "more.toml").write_text(
        f'[[rule]]\nname = "x"\nmeans = "delivery/busy"\nany = ["agreed hours"]\nsamples = ["{REPLY}"]\n'
    )
    (own_file.parent / "config.toml").write_text('[diagnosis]\nfiles = ["more.toml"]\n')
    opening.load_config(None)
    assert diagnose(REPLY) == Diagnosis(Problem.DELIVERY, "busy")


def test_a_faulty_file_is_told_and_stops_nothing(own_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own_file.write_text("[[rule]")
    opening.load_config(None)
    assert f"flowmon: {own_file}: this is not TOML" in capsys.readouterr().err
    assert diagnose("550 5.1.1 User unknown").reason == "user-unknown"


FAULTS = {
    "unknown key": ("replies = [451]", "reply = [451]", "rule 'partner-window'", "unknown field `reply`"),
    "no sample": ('samples = ["451 4.3.2 You come outside the agreed hours"]', "samples = []", "'partner-window'",
                  "no `samples`"),
    "sample of another": ("You come outside", "You come inside", "'partner-window'", "is not taken; its words are"),
    "unknown reason": ('"policy/mail-window"', '"policy/mail-windows"', "'partner-window'",
                       "did you mean 'mail-window'"),
    "unknown problem": ('"policy/mail-window"', '"politics/mail-window"', "'partner-window'", "one of delivery, "),
    "upper case": ('any = ["outside', 'any = ["Outside', "'partner-window'", "write 'outside the agreed hours'"),
    "bad code": ('"5.7.1", ', '"5.7", ', "'ticket'", '"x.7.26"'),
    "bad pattern": ("[a-z]{2}[", "([a-z]{2}[", "'ticket'", "`matches` is no regular expression"),
    "same name": ('name = "ticket"', 'name = "partner-window"', "'partner-window'", "give each its own"),
    "no condition": ('replies = [451]\nany = ["outside the agreed hours"]\n', "", "'partner-window'", "every reply"),
    "no cause": ('cause = "The partner takes our mail at night only."', 'cause = ""', "'mail-window'", "`cause`"),
}


@pytest.mark.parametrize(("old", "new", "rule", "remedy"), FAULTS.values(), ids=FAULTS)
def test_a_fault_names_file_rule_and_remedy(
    own_file: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, rule: str, remedy: str
) -> None:
    assert EXAMPLE.count(old) == 1
    own_file.write_text(EXAMPLE.replace(old, new))
    with pytest.raises(DiagnosisFileError) as fault:
        load(own_file)
    for part in (str(own_file), rule, remedy):
        assert part in str(fault.value)
    assert parsers.check(own_file) == 1
    assert remedy in capsys.readouterr().out
    assert put_in_force([own_file]) == [str(fault.value)]


def test_a_rule_hidden_by_one_above_it_is_a_fault(own_file: Path) -> None:
    hidden = f'[[rule]]\nname = "late"\nmeans = "policy/rate"\nany = ["agreed"]\nsamples = ["{REPLY}"]\n'
    own_file.write_text(EXAMPLE + hidden)
    with pytest.raises(DiagnosisFileError, match=r"rule 'late': .* is taken by rule 'partner-window' above it"):
        load(own_file)


def test_check_proves_such_a_file(own_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own_file.write_text(EXAMPLE)
    assert parsers.check(own_file) == 0
    assert "diagnosis: 2 rules, 2 samples: all hold" in capsys.readouterr().out


def test_a_pattern_that_takes_too_long_finds_nothing(own_file: Path) -> None:
    own_file.write_text(
        '[[rule]]\nname = "slow"\nmeans = "policy/rate"\nmatches = \'(?:a|aa|a+)+b|(?:x+x+)+y\'\nsamples = ["550 ab"]\n'
    )
    assert put_in_force([own_file]) == []
    began = time.perf_counter()
    for turn in range(20):
        assert diagnose(f"550 5.1.1 {'a' * (300 + turn)} {'x' * 300}").reason == "user-unknown"
    assert time.perf_counter() - began < 1.0
