"""What holds for the repository as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "flowmon"
MAX_LINES = 350
LONGER_ALLOWED: set[str] = set()
"""Files under flowmon/ and tests/ that may be longer, by path from the root."""


def files_of_the_repository() -> list[Path]:
    """All that is committed or could be: ignored files are not of the repository."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def test_only_the_screens_import_textual() -> None:
    modules = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[1] != "tui" and parts[-1] != "__main__":
            modules.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    assert "flowmon.config" in modules
    program = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name)\n"
        "    if 'textual' in sys.modules:\n"
        "        sys.exit(f'{name} imports textual, which only flowmon.tui may')\n"
    )
    done = subprocess.run([sys.executable, "-c", program, *modules], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_file_names_a_place_of_one_machine() -> None:
    place = re.compile(rb"(?<![\w.~-])/(?:work|root)/")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files_of_the_repository()
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1)
        if place.search(line)
    ]
    assert not found, "absolute paths of the machine it was written on"


def test_files_stay_short() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for folder in (PACKAGE, ROOT / "tests")
        for path in folder.rglob("*.py")
        if (lines := len(path.read_text("utf-8").splitlines())) > MAX_LINES
    }
    assert long.keys() == LONGER_ALLOWED, f"over {MAX_LINES} lines, or no longer so: {long}; split by reason to change"


def test_no_possessive_repeat_of_a_group() -> None:
    """CPython before 3.11.5 matches `(...)*+` wrongly (gh-106052): `(?>(...)*)` says the same."""
    repeated = re.compile(r"(?<!\\)\)(?:[*+?]|\{[\d,]+\})\+")
    found = [
        f"{path.name}:{number}"
        for path in [*sorted((ROOT / "parsers").glob("*.toml")), *sorted(PACKAGE.rglob("*.py"))]
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if repeated.search(line) and (path.suffix == ".toml" or "re.compile" in line or 'r"' in line)
    ]
    assert repeated.search("(?:ab)*+"), "the check must find what it looks for"
    assert not found
