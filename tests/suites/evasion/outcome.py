"""How many disguised seeds are judged as they are in plain writing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.suites.evasion.cases import Case, Seed, cases
from tests.suites.running import Scored, Scorer


@dataclass(frozen=True, slots=True)
class Outcome:
    """The cases of the seeds that are judged rightly in plain writing, and which of them stay so.

    Attributes:
        plain: the share of seeds judged rightly in plain writing.
        judged: each case with what became of it and whether that is right.
    """

    plain: float
    judged: Sequence[tuple[Case, Scored, bool]]

    @property
    def mean(self) -> float:
        """The share judged rightly over all cases."""
        return _share([right for _, _, right in self.judged])

    @property
    def failures(self) -> list[str]:
        """A line for each case that is judged wrongly."""
        return [f"{case.obfuscation}: {scored}" for case, scored, right in self.judged if not right]

    def share(self, obfuscation: str) -> float:
        """The share judged rightly of one obfuscation's cases."""
        return _share([right for case, _, right in self.judged if case.obfuscation == obfuscation])

    def failures_of(self, obfuscation: str) -> list[str]:
        """The failures of one obfuscation."""
        return [failure for failure in self.failures if failure.startswith(f"{obfuscation}: ")]


def caught(seeds: Sequence[Seed], scored: Scorer) -> Outcome:
    """Harmful seeds: right is that the seed's category is among the labels."""
    return _outcome(seeds, scored, lambda seed, result: seed.category in result.labels)


def left_alone(seeds: Sequence[Seed], scored: Scorer) -> Outcome:
    """Harmless seeds: right is no label and no routing."""
    return _outcome(seeds, scored, lambda _, result: not result.is_flagged)


def _outcome(seeds: Sequence[Seed], scored: Scorer, right: Callable[[Seed, Scored], bool]) -> Outcome:
    plainly = scored([seed.text for seed in seeds])
    usable = [seed for seed, result in zip(seeds, plainly, strict=True) if right(seed, result)]
    disguised = list(cases(usable))
    results = scored([case.text for case in disguised])
    return Outcome(
        plain=len(usable) / len(seeds),
        judged=[
            (case, result, right(case.seed, result)) for case, result in zip(disguised, results, strict=True)
        ],
    )


def _share(rights: Sequence[bool]) -> float:
    return sum(rights) / len(rights)
