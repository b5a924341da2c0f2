"""What the README says is so: commands, options, keys, samples and the parser are tried as they stand there."""

from __future__ import annotations

import contextlib
import gzip
import io
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowmon import cli
from flowmon.commands import parsers
from flowmon.config import SECTIONS, default_text
from flowmon.model.answers import Delays, Hop, Message, Recipient
from flowmon.store.filter import parse
from flowmon.store.filter_sql import FIELDS

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
README = DOCUMENTS[0].read_text("utf-8")
ALL = "\n".join(path.read_text("utf-8") for path in DOCUMENTS)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#\s]+)\)")


def blocks(text: str, language: str) -> list[str]:
    """Code blocks of a language."""
    return [body for name, body in _BLOCK.findall(text) if name == language]


def command_lines() -> Iterator[list[str]]:
    """The arguments of every `flowmon …` that a code block shows to be typed."""
    lines = [line for body in blocks(ALL, "sh") for line in body.splitlines()]
    lines += [line[2:] for body in blocks(ALL, "console") for line in body.splitlines() if line.startswith("$ ")]
    for line in lines:
        for part in line.split(" | "):
            words = shlex.split(part, comments=True)
            if words and words[0] == "flowmon":
                yield ["STDIN" if word == "-" else word for word in words[1:]]  # as flowmon.cli.main takes it


def commands() -> list[tuple[str, ...]]:
    """Names of all commands, those below `parsers` too."""
    found: list[tuple[str, ...]] = []
    for name in cli.app:
        if not name.startswith("-"):
            found += [(name,), *((name, sub) for sub in cli.app[name] if not sub.startswith("-"))]
    return found


def help_of(*words: str) -> str:
    """What `--help` prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        cli.app([*words, "--help"], exit_on_error=False, result_action="return_value")
    return out.getvalue()


def test_every_command_is_told() -> None:
    assert ("trace",) in commands()
    assert ("parsers", "check") in commands()
    missing = [words for words in commands() if not re.search(rf"\b{words[-1]}\b", README)]
    assert not missing


def test_every_option_is_told() -> None:
    options = {
        option for words in [(), *commands()] for option in re.findall(r"(?<![\w'-])--?[a-z][a-z-]*", help_of(*words))
    }
    assert {"--filter", "-f", "--speed", "--once", "--no-mouse"} <= options
    missing = [option for option in sorted(options) if not re.search(rf"(?<![\w-]){option}(?![\w-])", README)]
    assert not missing


def test_the_configuration_is_the_programs_own() -> None:
    assert any(body.strip() == default_text().strip() for body in blocks(README, "toml"))
    missing = [key for _, entries in SECTIONS.values() for key in entries if f"# {key} = " not in README]
    assert not missing


def test_every_key_of_the_filter_is_told_with_an_example_that_parses() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", README.partition("## The filter")[2], re.MULTILINE))
    assert rows.keys() == FIELDS.keys()
    for key, examples in rows.items():
        for example in re.findall(r"`([^`]+)`", examples):
            assert example.startswith(key)
            assert parse(example) is not None


def test_every_key_of_the_json_is_told() -> None:
    told = (ROOT / "docs" / "commands.md").read_text("utf-8").partition("## The JSON")[2]
    keys = {name for kind in (Message, Recipient, Hop, Delays) for name in kind.__struct_fields__}
    assert not [key for key in sorted(keys) if not re.search(rf"`{key}(\[\])?`", told)]


def test_every_command_line_is_understood() -> None:
    lines = list(command_lines())
    assert len(lines) > 15
    for words in lines:
        command, bound, _ = cli.app.parse_args(words, exit_on_error=False, print_error=False)
        assert command.__module__ == "flowmon.cli"
        if text := bound.arguments.get("filter"):
            assert parse(text) is not None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = [link for link in _LINK.findall(document.read_text("utf-8")) if "://" not in link]
    assert not [link for link in links if not (document.parent / link).exists()]


def test_every_picture_is_shown() -> None:
    pictures = sorted((ROOT / "docs" / "pictures").glob("*.svg"))
    assert len(pictures) == 7
    assert not [path.name for path in pictures if f"(docs/pictures/{path.name})" not in README]


@pytest.mark.parametrize("document", [ROOT / "README.md", ROOT / "docs" / "parsers.md"], ids=lambda path: path.name)
def test_the_parser_holds(document: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [body] = [body for body in blocks(document.read_text("utf-8"), "toml") if body.startswith("name = ")]
    file = tmp_path / "myfilter.toml"
    file.write_text(body, "utf-8")
    assert len([line for line in body.splitlines() if line]) <= 20
    assert parsers.check(file) == 0, capsys.readouterr().out


def test_the_service_names_what_there_is() -> None:
    unit = (ROOT / "contrib" / "flowmon.service").read_text("utf-8")
    starts = re.findall(r"^(?:# )?ExecStart=/opt/flowmon/bin/flowmon (.*)$", unit, re.MULTILINE)
    assert len(starts) == 2
    for start in starts:
        command, _, _ = cli.app.parse_args(shlex.split(start), exit_on_error=False, print_error=False)
        assert command is cli.collect
    assert "StateDirectory=flowmon\n" in unit


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorded run in plain files, as the samples have it."""
    folder = tmp_path_factory.mktemp("recording")
    recording = ROOT / "flowmon" / "demo"
    for packed in recording.rglob("*.gz"):
        log = folder / "logs" / packed.relative_to(recording).with_suffix("")
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(gzip.decompress(packed.read_bytes()))
    return folder


def samples() -> list[tuple[str, list[str]]]:
    """Command lines, each with the output that the README shows."""
    found: list[tuple[str, list[str]]] = []
    for body in blocks(ALL, "console"):
        for line in body.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line:
                found[-1][1].append(line)
    return found


def matching(shown: list[str]) -> Callable[[str], re.Match[str] | None]:
    """Whether an output is what is shown, where `…` stands for whatever comes: in a line, or instead of lines."""
    pattern = ""
    for line in shown:
        if line == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += re.escape(line.removesuffix("…")) + (r".*\n" if line.endswith("…") else r"\s*\n")
    return re.compile(pattern).fullmatch


@pytest.mark.usefixtures("utc")
@pytest.mark.parametrize(("line", "shown"), samples(), ids=[line.split()[1] for line, _ in samples()])
def test_a_sample_is_real(
    line: str, shown: list[str], logs: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(logs)
    monkeypatch.setattr(sys, "argv", shlex.split(line))
    with pytest.raises(SystemExit) as ended:
        cli.main()
    printed = capfdbinary.readouterr().out.decode()
    assert ended.value.code == 0
    without_blank_lines = "".join(f"{text}\n" for text in printed.splitlines() if text.strip())
    assert matching(shown)(without_blank_lines), f"`{line}` prints:\n{printed}"
