"""What people say, and what the system must make of it, functionality by functionality."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.suites.cases import Functionality, read_functionalities
from tests.suites.floors import FLOORS, MEAN
from tests.suites.running import TIMEOUT_S, Scored, Scorer

pytestmark = [pytest.mark.quality, pytest.mark.timeout(TIMEOUT_S)]

FUNCTIONALITIES = {functionality.name: functionality for functionality in read_functionalities()}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many of a functionality's cases are right, and which are wrong."""

    functionality: Functionality
    wrong: tuple[Scored, ...]

    @property
    def share_right(self) -> float:
        """In 0..1."""
        cases = len(self.functionality.texts)
        return (cases - len(self.wrong)) / cases

    def __str__(self) -> str:
        """One line for a table."""
        cases = len(self.functionality.texts)
        return f"{self.share_right:.2f}  {cases - len(self.wrong)} of {cases}  {self.functionality.name}"


@pytest.fixture(scope="module")
def outcomes(scored: Scorer) -> dict[str, Outcome]:
    scored([text for functionality in FUNCTIONALITIES.values() for text in functionality.texts])
    return {name: outcome_of(functionality, scored) for name, functionality in FUNCTIONALITIES.items()}


def outcome_of(functionality: Functionality, scored: Scorer) -> Outcome:
    found = scored(functionality.texts)
    return Outcome(functionality, tuple(f for f in found if not functionality.expected.holds(f)))


@pytest.mark.parametrize("name", FLOORS)
def test_a_functionality_holds_its_floor(outcomes: dict[str, Outcome], name: str) -> None:
    outcome = outcomes[name]
    share, wrong = outcome.share_right, "\n".join(map(str, outcome.wrong))
    assert share >= FLOORS[name], f"{outcome}: {outcome.functionality.shows}\n{wrong}"


def test_the_mean_holds(outcomes: dict[str, Outcome]) -> None:
    shares = [outcome.share_right for outcome in outcomes.values()]
    table = "\n".join(map(str, sorted(outcomes.values(), key=lambda outcome: outcome.share_right)))
    mean = sum(shares) / len(shares)
    assert mean >= MEAN, f"{mean:.3f}\n{table}"
