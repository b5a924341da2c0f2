"""The lab's recorded run against its truth, and the same run in disguise: nothing may know the lab by name or clock."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

LAB = Path(__file__).parents[2] / "shared" / "lab"
AT_LEAST = {"found": 99.0, "once": 99.0, "status": 99.0, "problem": 97.0, "path": 97.0}

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(
        not (LAB / "recorded" / "truth.jsonl").exists(), reason="no lab's recorded run beside the checkout"
    ),
]

Text = Callable[[str], str]


def _judged(run: Path) -> dict[str, Any]:
    """What the judge says of flowmon's answers on a run."""
    done = subprocess.run(
        [sys.executable, str(LAB / "judge"), str(run), "--json", "--flowmon", f"{sys.executable} -m flowmon.cli"],
        capture_output=True, text=True, timeout=60, env={**os.environ, "TZ": "UTC"},
    )
    assert done.returncode in (0, 1), done.stderr
    verdict: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    verdict["text"] = done.stdout
    return verdict


def _good(verdict: dict[str, Any]) -> None:
    assert {k: v for k, v in AT_LEAST.items() if verdict[k] < v} == {}, verdict["text"]
    assert (verdict["false"], verdict["contract"]) == (0, 0), verdict["text"]


NAMES = {"edge": "fra-n-01", "relay": "fra-n-02", "mbx": "fra-n-03", "smr": "fra-n-04", "osr": "fra-n-05"}
"""Other names of the hosts in logs; what they call each other in SMTP stays as it is."""
_STAMP = re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")


def _renamed(host: str) -> Text:
    """Gives a line its other host in the syslog header; other headers name none."""
    header = re.compile(rf"^(\S+|\w{{3}} [ \d]\d \S+) {host} ")
    return lambda line: header.sub(rf"\1 {NAMES[host]} ", line)


def _shifted(seconds: float) -> Text:
    """Moves the time at the begin of a line; what else is in it stays."""
    def moved(match: re.Match[str]) -> str:
        at = datetime.fromisoformat(match.group())
        sign = match.group()[10]
        return (at + timedelta(seconds=seconds)).isoformat(sep=sign)

    return lambda line: _STAMP.sub(moved, line)


def _rewrite(folder: Path, change: Text) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True)
            path.write_text("".join(map(change, lines)), encoding="utf-8", errors="surrogateescape")


def _twins(truth: list[dict[str, Any]]) -> tuple[str, str]:
    """Message-IDs of two messages that took the same way, to other recipients."""
    first, *others = (t for t in truth if t["scenario"] == "intra-org-multihop")
    second = next(t for t in others if not set(t["rcpts"]) & set(first["rcpts"]))
    return first["message_id"].strip("<>"), second["message_id"].strip("<>")


def _disguised(folder: Path, shift: float) -> Path:
    """The recorded run with hosts renamed, one host's clock moved, and one message-id used for two messages."""
    run = folder / "run"
    shutil.copytree(LAB / "recorded" / "logs", run / "logs")
    text = (LAB / "recorded" / "truth.jsonl").read_text(encoding="utf-8")
    first, second = _twins([json.loads(line) for line in text.splitlines()])
    truth = [json.loads(line) for line in text.replace(second, first).splitlines()]
    for message in truth:
        for entry in message["expect"]:
            entry["path"] = [NAMES.get(host, host) for host in entry["path"]]
            entry["decided_by"] = NAMES.get(entry["decided_by"], entry["decided_by"])
    (run / "truth.jsonl").write_text("".join(json.dumps(t) + "\n" for t in truth), encoding="utf-8")
    _rewrite(run / "logs", lambda line: line.replace(second, first))
    for host, name in NAMES.items():
        (run / "logs" / host).rename(run / "logs" / name)
        _rewrite(run / "logs" / name, _renamed(host))
    _rewrite(run / "logs" / NAMES["relay"], _shifted(shift))
    return run


def test_recorded() -> None:
    _good(_judged(LAB / "recorded"))


@pytest.mark.parametrize("shift", [90.0, -90.0])
def test_recorded_in_disguise(tmp_path: Path, shift: float) -> None:
    verdict = _judged(_disguised(tmp_path, shift))
    _good(verdict)
    whole = _judged(LAB / "recorded")
    assert {k: verdict[k] for k in AT_LEAST} == {k: whole[k] for k in AT_LEAST}, verdict["text"]
