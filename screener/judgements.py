"""`Judgements`: what rules and model came to for the last texts, so that copies are judged once. Pure."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.verdict import Flag
from screener.fusion import Judgement, Scale
from screener.heuristics import HeuristicResult
from screener.heuristics.score import with_flags
from screener.recent import Recent
from screener.text_facts import TextFacts


class Basis(NamedTuple):
    """What a judgement was made from: the arguments of `judge`, so that each part can be judged alone."""

    heuristics: HeuristicResult
    probabilities: tuple[float, ...]
    thresholds: tuple[tuple[float, ...], ...]


Finding = tuple[Judgement, Basis]


class _OfText(NamedTuple):
    """The findings of a text by the flags that its context adds, and what they hold for."""

    facts: TextFacts
    probabilities: tuple[float, ...]
    thresholds: tuple[tuple[float, ...], ...]
    found: dict[tuple[Flag, ...], Finding]


class Judgements:
    """Judges texts of which rules and model say what they said in the last minute by looking them up."""

    def __init__(self) -> None:
        self._recent: Recent[_OfText] = Recent()

    def turn(self, now_ms: int) -> None:
        """To be called before a batch; `now_ms` by a clock that never steps."""
        self._recent.turn(now_ms)

    def judged(
        self,
        text: str,
        facts: TextFacts,
        added: tuple[Flag, ...],
        *,
        probabilities: tuple[float, ...],
        thresholds: tuple[tuple[float, ...], ...],
        scale: Scale,
    ) -> Finding:
        """The judgement of a text.

        Args:
            text: the text.
            facts: what is known of it.
            added: flags that its context adds; of each rule one at most, so they are few.
            probabilities: what the model says.
            thresholds: of the model version.
            scale: policy, always the same, and thresholds.

        Raises:
            ModelOutputInvalid: as `Scale.judge`.
        """
        known = self._recent.get(text)
        if (
            known is None
            or known.facts is not facts
            or known.probabilities != probabilities
            or known.thresholds is not thresholds
        ):
            known = _OfText(facts, probabilities, thresholds, {})
            self._recent.put(text, known)
        found = known.found.get(added)
        if found is None:
            result = with_flags(facts.score, added) if added else facts.alone
            basis = Basis(result, probabilities, thresholds)
            found = known.found[added] = scale.judge(result, probabilities), basis
        return found
