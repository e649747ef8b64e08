"""A text is judged once, until something of what it was judged by is another."""

from __future__ import annotations

from pipeline.verdict import Flag
from screener.fusion import Policy, Scale
from screener.heuristics.score import with_flags
from screener.judgements import Finding, Judgements
from screener.text_facts import TextFacts
from tests.fixtures.screening import HEURISTICS

TEXT = "you are such an idiot"
THRESHOLDS = ((0.5,) * 7, (0.8,) * 7)
CALM, HARMFUL = (0.01,) * 7, (0.9,) * 7
FLOOD = Flag("near_duplicate_flood", 0.25, 0, 0)


def facts_of(text: str) -> TextFacts:
    score = HEURISTICS.score_text(text)
    return TextFacts(text, score, with_flags(score, ()))


FACTS = facts_of(TEXT)


def judged(
    judgements: Judgements,
    *added: Flag,
    facts: TextFacts = FACTS,
    probabilities: tuple[float, ...] = CALM,
    thresholds: tuple[tuple[float, ...], ...] = THRESHOLDS,
) -> Finding:
    finding = judgements.judged(
        TEXT,
        facts,
        added,
        probabilities=probabilities,
        thresholds=thresholds,
        scale=(scale := Scale.of(Policy(), thresholds)),
    )
    result = with_flags(facts.score, added)
    assert finding == (scale.judge(result, probabilities), (result, probabilities, thresholds))
    return finding


def test_equal_texts_are_judged_once() -> None:
    judgements = Judgements()
    assert judged(judgements) is judged(judgements)
    assert judged(judgements, FLOOD) is judged(judgements, FLOOD)


def test_what_it_is_judged_by_decides() -> None:
    judgements = Judgements()
    judged(judgements)
    judged(judgements, FLOOD)
    judged(judgements, probabilities=HARMFUL)
    judged(judgements, probabilities=HARMFUL, thresholds=((0.95,) * 7, (0.97,) * 7))
    judged(judgements, facts=facts_of("another reading of it, by other rules"))
    judged(judgements)
