"""docs/parsers.md says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flowmon.model.event import KINDS
from flowmon.parsing.check import faults
from flowmon.parsing.converters import CONVERTERS
from flowmon.parsing.format import load
from flowmon.parsing.rules import own_fields

PAGE = (Path(__file__).parents[2] / "docs" / "parsers.md").read_text("utf-8")


def test_the_complete_parser_holds(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    assert len(found.group(1).splitlines()) <= 20
    path = tmp_path / "own.toml"
    path.write_text(found.group(1))
    assert faults(load(path)) == []


def test_the_example_of_records_holds(tmp_path: Path) -> None:
    (found,) = (text for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if 'framing = "json"' in text)
    path = tmp_path / "own.toml"
    path.write_text(found)
    assert faults(load(path)) == []


def test_no_example_sets_every_line_aside() -> None:
    for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL):
        for rule in text.split("[[rule]]")[1:]:
            assert "ignore" not in rule or "starts" in rule


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_told_with_its_fields(kind: str) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{kind}` |")]
    words = set(re.findall(r"\w+", row.rpartition(" | ")[2]))
    assert set(own_fields(KINDS[kind])) <= words


@pytest.mark.parametrize("name", CONVERTERS)
def test_each_converter_is_told(name: str) -> None:
    assert f"`{name}`" in PAGE
