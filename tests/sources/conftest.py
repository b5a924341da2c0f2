"""What the tests of sources share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources.folder import LogFolder


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogFolder]:
    """A folder for one log."""
    folder = LogFolder(tmp_path)
    yield folder
    folder.close()
