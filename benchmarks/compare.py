"""Two results of one benchmark: what changed, and whether by more than the rounds spread."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.result import Result
from benchmarks.turns import Series


@dataclass(frozen=True, slots=True)
class Change:
    """One figure before and after."""

    figure: str
    before: Series
    after: Series

    @property
    def factor(self) -> float:
        """After to before, of the medians."""
        return self.after.median / self.before.median if self.before.median else 1.0

    @property
    def clear(self) -> bool:
        """Whether no round of the one reaches into the rounds of the other."""
        before, after = self.before.values, self.after.values
        return max(before) < min(after) or max(after) < min(before)


def changes(before: Result, after: Result) -> list[Change]:
    """The figures, and ratios to the limit, that both results have, in the order of `after`."""
    known = _figures(before)
    return [Change(name, known[name], series) for name, series in _figures(after).items() if name in known]


def _figures(result: Result) -> dict[str, Series]:
    found: dict[str, Series] = {}
    for line in result.lines:
        found[line.figure] = line.ours
        if line.ratio is not None:
            found[f"{line.figure}, to {line.against}"] = line.ratio
    return found
