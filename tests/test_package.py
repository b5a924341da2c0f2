"""The wheel: built, installed away from the checkout, and run there."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints; its error output when it fails. Sees nothing of the checkout or of the user's files."""
    keep = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "FLOWMON_CONFIG", "VIRTUAL_ENV")}
    own = {"HOME": str(cwd), "XDG_CONFIG_HOME": str(cwd / "config"), "XDG_STATE_HOME": str(cwd / "state")}
    done = subprocess.run([str(c) for c in command], cwd=cwd, env=keep | own, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(str(c) for c in command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel of an sdist of this checkout; dependencies are those of this environment.

    They come by a path file, which does not follow the path files there: an editable flowmon stays out of sight.
    """
    folder = tmp_path_factory.mktemp("package")
    alone = ["--no-isolation"] if importlib.util.find_spec("hatchling") else []
    run(sys.executable, "-m", "build", *alone, "--outdir", folder, ROOT, cwd=folder)
    [wheel] = folder.glob("*.whl")
    place = folder / "venv"
    venv.create(place, with_pip=False)
    python = place / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    paths = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    (packages / "dependencies.pth").write_text("\n".join(paths) + "\n")
    return place


@pytest.mark.timeout(120)  # on a slow machine building takes its time
def test_the_wheel_brings_its_data(installed: Path) -> None:
    program = (
        "from flowmon.paths import data_folder\n"
        "for name in ('parsers', 'themes'):\n"
        "    print(data_folder(name))\n"
    )
    folders = run(installed / "bin" / "python", "-c", program, cwd=installed).split()
    for name, folder in zip(("parsers", "themes"), folders, strict=True):
        assert Path(folder).is_relative_to(installed.resolve())
        assert {p.name for p in Path(folder).glob("*.toml")} >= {p.name for p in (ROOT / name).glob("*.toml")}


def test_the_installed_program_runs(installed: Path) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert version in run(installed / "bin" / "flowmon", "--version", cwd=installed)
    assert "postfix" in run(installed / "bin" / "flowmon", "parsers", "list", cwd=installed)
