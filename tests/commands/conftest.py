"""Runs commands in this process, as the command line does, and tells what they wrote and how they ended."""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from flowmon import cli
from tests.golden import reading


@dataclass
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str


Run = Callable[..., Done]


class _Stream(io.TextIOWrapper):
    """What a pipe is to a command: text and bytes, no terminal."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def text(self) -> str:
        self.flush()
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, utc: None) -> Run:
    """Run `flowmon ARGUMENTS`."""

    def running(*arguments: str | Path) -> Done:
        out, err = _Stream(), _Stream()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["flowmon", *map(str, arguments)])
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Cyclopts application invoked without tokens")  # sys.argv is ours
                with pytest.raises(SystemExit) as ended:
                    cli.main()
        return Done(int(ended.value.code or 0), out.text(), err.text())

    return running


@pytest.fixture
def logs(tmp_path: Path) -> Callable[[str], Path]:
    """The logs of a golden run."""
    return lambda name: reading.copied(name, tmp_path)
