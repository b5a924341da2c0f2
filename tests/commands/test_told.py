"""File names of any bytes are read, and what is told of them commands no terminal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowmon.collecting import history
from tests.commands.conftest import Run


def test_a_mistyped_command_is_no_log(run: Run) -> None:
    done = run("queus")
    assert done.status == 2
    assert "queus: neither a command nor a log: did you mean `flowmon queues`?" in done.err


def test_a_file_name_commands_no_terminal(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mail.log").write_text("Nov 24 10:00:00 mx1 postfix/qmgr[1]: 4B1000001: removed\n")
    for arguments in ((tmp_path / "mail.log", tmp_path / "no\x1b[31m"), (tmp_path / "no\x1b[31m",)):
        done = run("messages", *arguments)
        assert "no\N{REPLACEMENT CHARACTER}[31m: no such file" in done.err
        assert "\x1b" not in done.err


@pytest.mark.parametrize("large", [0, 1_000_000])
def test_a_file_name_that_is_not_utf_8_is_read_in_one_process_and_in_two(
    large: int, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "LARGE_BYTES", large)
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/mail\xff.log")).write_text(
        "Nov 24 10:00:00 mx1 postfix/qmgr[1]: 4B1000001: from=<a@far.example>, size=9, nrcpt=1 (queue active)\n")
    done = run("trace", "4B1000001", tmp_path)
    assert (done.status, done.err) == (0, "")
    assert "mail\\xff.log 0  Nov 24 10:00:00 mx1 postfix/qmgr[1]" in done.out


def test_the_zone_of_a_host_counts_for_a_log_that_names_it_in_its_lines(run: Run, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[hosts.mx1]\ntimezone = "Asia/Tokyo"\n')
    (tmp_path / "a.log").write_text(
        "Nov 24 10:00:00 mx1 postfix/qmgr[1]: 4B1000001: from=<a@far.example>, size=9, nrcpt=1 (queue active)\n")
    done = run("messages", "--format", "jsonl", "--config", tmp_path / "config.toml", tmp_path / "a.log")
    assert 'T01:00:00Z"' in done.out
