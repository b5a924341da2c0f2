"""How commands end: 0 done, 1 nothing matched, 2 wrong use or input that cannot be read; and what they say then."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import Run

Logs = Callable[[str], Path]
ANSWERS = ("messages", "queues", "problems", "report")


@pytest.mark.parametrize("command", ANSWERS)
def test_done(run: Run, logs: Logs, command: str) -> None:
    assert run(command, logs("forked_recipients")).status == 0


@pytest.mark.parametrize("command", ANSWERS)
def test_nothing_matched(run: Run, logs: Logs, command: str) -> None:
    done = run(command, "--filter", "from:nobody@nowhere.example", logs("forked_recipients"))
    assert done.status == 1


@pytest.mark.parametrize("command", ["queues", "problems"])
def test_nothing_matched_is_said(run: Run, logs: Logs, command: str) -> None:
    done = run(command, "--filter", "from:nobody@nowhere.example", logs("forked_recipients"))
    assert "from:nobody@nowhere.example" in done.err


def test_nothing_waits_and_nothing_failed(run: Run, logs: Logs) -> None:
    folder = logs("alias_expansion")
    assert (run("queues", folder).status, run("problems", folder).status) == (1, 1)
    assert "no mail is waiting" in run("queues", folder).err
    assert "nothing failed" in run("problems", folder).err


@pytest.mark.parametrize("command", ANSWERS)
def test_absent(run: Run, tmp_path: Path, command: str) -> None:
    done = run(command, tmp_path / "none.log")
    assert (done.status, done.out) == (2, "")
    assert str(tmp_path / "none.log") in done.err
    assert "Traceback" not in done.err


def test_absent_beside_one_that_is_there(run: Run, logs: Logs, tmp_path: Path) -> None:
    done = run("messages", logs("forked_recipients"), tmp_path / "none.log")
    assert done.status == 0
    assert "none.log" in done.err
    assert "carol@acme.example" in done.out


@pytest.mark.parametrize("command", [*ANSWERS, "parsers coverage"])
def test_unreadable(run: Run, logs: Logs, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    folder = logs("forked_recipients")
    (folder / "other.log").write_text("Nov 24 10:00:00 gw postfix/qmgr[1]: 4F1AA0000: removed\n")
    really_open = os.open

    def refuse(path: str, *flags: int, **more: Any) -> int:  # root may read everything
        if path == str(folder / "other.log"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return really_open(path, *flags, **more)

    monkeypatch.setattr(os, "open", refuse)
    done = run(*command.split(), folder / "other.log")
    assert (done.status, done.out) == (2, "")
    assert done.err.count("permission denied: ask for group adm") == 1
    beside = run(*command.split(), folder)
    assert (beside.status, "other.log" in beside.out) == (0, False)
    assert beside.err.count("permission denied") == 1


def test_coverage_of_what_is_not_there_or_says_nothing(run: Run, tmp_path: Path) -> None:
    done = run("parsers", "coverage", tmp_path / "none.log")
    assert (done.status, done.out, done.err.count("no such file")) == (2, "", 1)
    (tmp_path / "mail.log").touch()
    done = run("parsers", "coverage", tmp_path / "mail.log")
    assert (done.status, done.out) == (1, f"{tmp_path / 'mail.log'}: nothing to read in it\n")


@pytest.mark.parametrize(
    "content", [bytes(range(256)) * 16, b"\x7fELF" + bytes(2000), bytes(100)], ids=["all", "program", "zeros"]
)
def test_binary(run: Run, tmp_path: Path, content: bytes) -> None:
    log = tmp_path / "mail.log"
    log.write_bytes(content)
    done = run("messages", log)
    assert (done.status, done.out) == (2, "")
    assert str(log) in done.err


def test_empty_folder(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    done = run("messages", folder)
    assert done.status == 2
    assert f"{folder}: no mail log below this folder" in done.err


def test_empty_log(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mail.log").touch()
    done = run("messages", tmp_path / "mail.log")
    assert (done.status, done.out) == (1, "")


def test_lines_of_no_known_format(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("a line\nanother line\n" * 50)
    done = run("messages", log)
    assert done.status == 2
    assert "no format fits its lines" in done.err


@pytest.mark.parametrize(("filter", "said"), [
    ("sttaus:held", "status"), ("status:hold", "held"), ("(from:a", ")"), ("age>soon", "soon"), ("from:a or", "or"),
])
@pytest.mark.parametrize("command", ["messages", "report"])
def test_faulty_filter(run: Run, logs: Logs, command: str, filter: str, said: str) -> None:
    done = run(command, "--filter", filter, logs("alias_expansion"))
    assert (done.status, done.out) == (2, "")
    assert said in done.err


@pytest.mark.parametrize(("text", "said"), [
    ("domain = ['acme.example']", "domains"), ("domains = 'acme.example'", "domains"), ("domains = [", "config.toml"),
    ("[hosts.gw]\nrole = 'boss'", "role"),
])
def test_faulty_configuration(run: Run, logs: Logs, tmp_path: Path, text: str, said: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(text)
    done = run("messages", "--config", config, logs("alias_expansion"))
    assert (done.status, done.out) == (2, "")
    assert str(config) in done.err
    assert said in done.err


def test_absent_configuration(run: Run, logs: Logs, tmp_path: Path) -> None:
    done = run("messages", "--config", tmp_path / "none.toml", logs("alias_expansion"))
    assert done.status == 2
    assert "none.toml" in done.err


@pytest.mark.parametrize("command", [*ANSWERS, "trace"])
def test_no_store_yet(run: Run, tmp_path: Path, command: str) -> None:
    what = ["x@y.example"] if command == "trace" else []
    done = run(command, *what, "--store", tmp_path / "store.db")
    assert done.status == 2
    assert "no store yet" in done.err
    assert "flowmon collect" in done.err
    assert not (tmp_path / "store.db").exists()


@pytest.mark.parametrize("arguments", [
    ["mesages"], ["messages", "--fromat", "csv", "x"], ["messages", "--format", "xml", "x"], ["trace"],
])
def test_wrong_use(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.status == 2
    assert done.out + done.err
    assert "Traceback" not in done.err


def test_collect_once_then_ask_the_store(run: Run, logs: Logs, tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    assert run("collect", "--once", "--store", store, logs("forked_recipients")).status == 0
    asked = run("messages", "--format", "jsonl", "--store", store)
    read = run("messages", "--format", "jsonl", tmp_path / "logs")
    assert asked.status == 0
    assert asked.out == read.out
    again = run("collect", "--once", "--store", store, tmp_path / "logs")
    assert again.status == 0
    assert run("messages", "--format", "jsonl", "--store", store).out == asked.out
    for command in ("queues", "problems", "report"):
        assert run(command, "--store", store).status == 0


def test_collect_of_nothing(run: Run, tmp_path: Path) -> None:
    done = run("collect", "--once", "--store", tmp_path / "store.db", tmp_path / "none.log")
    assert done.status == 2
    assert "none.log" in done.err


def test_collect_into_a_store_that_cannot_be(run: Run, logs: Logs, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    done = run("collect", "--once", "--store", tmp_path / "state" / "store.db", logs("alias_expansion"))
    assert done.status == 2
    assert "--store" in done.err


@pytest.mark.parametrize(("command", "said"), [
    ("messages", "nothing to list"), ("report", "nothing to report"), ("queues", "no mail is waiting"),
    ("problems", "nothing failed"),
])
def test_a_filters_log_alone_is_no_good_news(run: Run, tmp_path: Path, command: str, said: str) -> None:
    log = tmp_path / "mail.log"
    log.write_text(
        "Nov 24 10:00:07 gw MailScanner[1803]: Message 4F1C2A178659 from 203.0.113.9 (a@spam.example) to acme.example "
        "is spam, SpamAssassin (not cached, score=7.181, required 4, BAYES_99 3.50)\n"
    )
    done = run(command, log)
    assert done.status == 1
    told = done.out if command == "report" else done.err
    assert f"{said}: these logs tell of no message. 1 line of them was understood, but" in told


@pytest.mark.parametrize("command", ANSWERS)
def test_a_log_of_which_no_line_is_understood_is_no_good_news(run: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "mail.log").write_text("Nov 24 10:00:07 gw cron[1803]: x\n")
    done = run(command, tmp_path)
    assert done.status == 1
    assert "not one line of these logs is understood as one of mail; `flowmon parsers coverage" in done.out + done.err


@pytest.mark.parametrize(("format", "said"), [
    ("text", "Mail flow\n  nothing to report: {}\n"), ("markdown", "# Mail flow\n\nNothing to report: {}.\n"),
])
def test_a_report_of_nothing_says_so_and_has_no_tables(run: Run, tmp_path: Path, format: str, said: str) -> None:
    log = tmp_path / "mail.log"
    log.touch()
    done = run("report", "--format", format, log)
    assert (done.status, done.out, done.err) == (1, said.format(f"not one line to read in {log}"), "")


def test_the_json_of_a_report_of_nothing_has_all_fields(run: Run, logs: Logs, tmp_path: Path) -> None:
    (tmp_path / "empty.log").touch()
    done = run("report", "--format", "json", tmp_path / "empty.log")
    full = run("report", "--format", "json", logs("forked_recipients"))
    assert (done.status, full.status) == (1, 0)
    assert json.loads(done.out).keys() == json.loads(full.out).keys()
    assert "nothing to report: not one line to read" in done.err


def test_a_report_has_the_same_words_in_markdown_and_text(run: Run, logs: Logs) -> None:
    folder = logs("discarded")
    assert "  1,200  bytes received\n" in run("report", "--format", "text", folder).out
    markdown = run("report", "--format", "markdown", folder).out
    assert "\n- bytes received: 1,200\n" in markdown
    assert "_" not in markdown


def test_a_filter_may_begin_with_a_minus(run: Run, logs: Logs) -> None:
    folder = logs("forked_recipients")
    told = run("messages", "-f", "-status:expired", "--format", "jsonl", folder)
    assert (told.status, told.out) == (0, run("messages", "--filter=-status:expired", "--format", "jsonl", folder).out)
    assert "no key" not in run("messages", "-f", "-", folder).err


def test_trace_in_an_empty_log_says_that_it_is_empty(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mail.log").touch()
    done = run("trace", "kim@acme.example", tmp_path / "mail.log")
    assert done.status == 1
    assert "in these logs: not one line to read in" in done.err
