"""What the tests of tracking share."""

from __future__ import annotations

import pytest

from flowmon.parsing.catalogue import Catalogue
from tests.golden import live


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The formats that come with flowmon."""
    return live.builtin()
