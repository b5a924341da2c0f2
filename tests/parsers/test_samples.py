"""Every rule of every format proves itself by its samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowmon.parsing import guarded
from flowmon.parsing.check import SLOW_SECONDS, faults
from flowmon.parsing.format import load
from flowmon.paths import data_folder

FILES = sorted(data_folder("parsers").glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_samples_hold(path: Path) -> None:
    assert faults(load(path, trusted=True), thorough=False, allowed=4 * SLOW_SECONDS) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_they_hold_as_a_users_own_file_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "TIMEOUT_SECONDS", 4 * SLOW_SECONDS)
    assert faults(load(path), thorough=False, allowed=4 * SLOW_SECONDS) == []


def test_the_formats_asked_for_are_there() -> None:
    names = {load(path, trusted=True).name for path in FILES}
    assert names >= {"postfix", "exim", "sendmail", "opensmtpd", "dovecot", "rspamd", "postgrey", "exchange-tracking"}
