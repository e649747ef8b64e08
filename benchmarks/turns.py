"""Contestants measured in turns: what a noisy machine does to one it does to the others too."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Figures = Mapping[str, float]
"""What one round of a contestant measured, by name; the name says the unit."""


@dataclass(frozen=True, slots=True)
class Series:
    """The rounds of one figure."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """Over the rounds."""
        return median(self.values)

    @property
    def spread(self) -> float:
        """Largest less smallest, as a share of the median; 0 for a median of 0."""
        return (max(self.values) - min(self.values)) / self.median if self.median else 0.0


async def in_turns(
    contestants: Mapping[str, Callable[[], Awaitable[Figures]]], *, rounds: int
) -> dict[str, dict[str, Series]]:
    """Runs each contestant once a round, in turned order every time; series by contestant and figure."""
    found: dict[str, list[Figures]] = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            found[name].append(await contestants[name]())
    return {
        name: {figure: Series(tuple(each[figure] for each in measured)) for figure in measured[0]}
        for name, measured in found.items()
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed (nearest rank); NaN without values."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
