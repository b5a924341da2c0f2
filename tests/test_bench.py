"""The benchmarks' logs are what they are taken for, and their table says what it must. Nothing is timed here."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from flowmon.commands import coverage, report
from tests.bench import loading, mixed_logs, postfix_log, table

ROOT = Path(__file__).parents[1]
LINES = 6_000
pytestmark = pytest.mark.usefixtures("utc")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with the header of RFC 3164."""
    return postfix_log.write(tmp_path_factory.mktemp("log") / "mail.log", LINES)


def totals(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    """What a report counts."""
    assert report.run([str(path)], None, "json", None, None) == 0
    counted: dict[str, int] = json.loads(capsys.readouterr().out)["totals"]
    return counted


def test_a_seed_gives_the_same_lines(log: Path, tmp_path: Path) -> None:
    again, other = postfix_log.write(tmp_path / "again", LINES), postfix_log.write(tmp_path / "other", LINES, seed=12)
    assert again.read_bytes() == log.read_bytes() != other.read_bytes()
    assert loading.count_lines(log) == LINES


def test_both_headers_tell_the_same(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    iso = postfix_log.write(tmp_path / "mail.log", LINES, iso=True)
    plain = totals(log, capsys)
    assert totals(iso, capsys) == plain
    assert all(plain[name] for name in ("received", "delivered", "deferred", "bounced", "rejected"))


def test_the_report_counts_what_the_lines_say(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, counted = log.read_text("utf-8"), totals(log, capsys)
    assert counted["delivered"] == text.count("status=sent")
    assert counted["deferrals"] == text.count("status=deferred")
    assert counted["bounced"] == text.count("status=bounced")
    assert counted["rejected"] == text.count("NOQUEUE: reject:")


def test_flowmon_understands_every_line(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = mixed_logs.write(tmp_path, LINES)
    logs = {name: tmp_path / path for name, path in mixed_logs.PATHS.items()}
    assert made.lines == Counter({name: loading.count_lines(path) for name, path in logs.items()})
    assert made.lines.total() >= LINES
    for path in (log, *logs.values()):
        assert coverage.run(str(path), form="json") == 0
        told = json.loads(capsys.readouterr().out)
        assert told["unmatched"] == told["foreign"] == 0, (path.name, told)


def test_servers_of_the_folder_are_joined(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = mixed_logs.write(tmp_path, LINES)
    alone = totals(tmp_path / mixed_logs.PATHS["postfix"], capsys)
    assert totals(tmp_path, capsys)["received"] == alone["received"] + made.handled.total()


def test_the_json_of_a_run() -> None:
    results = table.Results(tools={"pflogsumm": "1", "lnav": None})
    results.describe()
    results.add(
        table.Measure("Loading", "speed", 4.0, "×", 3.5, at_least=True),
        table.Measure("Loading", "time", 4.0, "s", 3.5),
        table.Measure("Loading", "memory", 4.0, "MiB"), table.Measure("Loading", "lnav", None, "×", 1.0),
        table.Measure("Loading", "query", 3.0, "ms", 3.5, smaller=True),
        table.Measure("Loading", "query", 4.0, "ms", 3.5, smaller=True),
    )
    told = json.loads(json.dumps(results.as_json()))
    assert told.keys() == {"measures", "checks", "tools", "options", "machine", "at"}
    for row in told["measures"]:
        assert row.keys() == {"group", "name", "value", "unit", "bar", "at_least", "note", "smaller", "holds"}
    assert [row["holds"] for row in told["measures"]] == [True, False, None, None, None, False]


@pytest.mark.parametrize(("value", "unit", "told"), [
    (0.1234, "×", "0.123 ×"), (3.456, "×", "3.46 ×"), (123456.0, "B", "123,456 B"), (0.0, "%", "0 %"), (None, "s", "-"),
])
def test_numbers_have_three_digits_that_count(value: float | None, unit: str, told: str) -> None:
    assert table.number(value, unit) == told


def test_the_documentation_has_the_figures_of_the_run_that_is_kept(tmp_path: Path) -> None:
    results = table.read(ROOT / "docs" / "bench.json")
    page = (ROOT / "docs" / "performance.md").read_text("utf-8")
    assert table.documented(results, page) == page
    table.picture(results, tmp_path / "bench.svg")
    assert (tmp_path / "bench.svg").read_bytes() == (ROOT / "docs" / "pictures" / "bench.svg").read_bytes()
