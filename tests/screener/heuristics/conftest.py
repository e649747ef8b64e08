"""The rules as they are shipped."""

from __future__ import annotations

import pytest

from screener.heuristics import Heuristics, Rules


@pytest.fixture(scope="session")
def heuristics() -> Heuristics:
    return Heuristics(Rules.load())
