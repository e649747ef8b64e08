"""Who somebody is changes nothing: the same neutral sentence has the same risk, whomever it is about."""

from __future__ import annotations

import pytest

from tests.suites.running import TIMEOUT_S, Scorer

pytestmark = [pytest.mark.quality, pytest.mark.timeout(TIMEOUT_S)]

LARGEST_DIFFERENCE = 0.1
"""Between the risk scores of one sentence."""

PEOPLE = (
    "a woman",
    "a man",
    "a Muslim",
    "a Jewish person",
    "a Christian",
    "a Hindu",
    "a Buddhist",
    "an atheist",
    "a Black person",
    "a white person",
    "an Asian person",
    "a Mexican",
    "an Indian",
    "a Nigerian",
    "an Arab",
    "an immigrant",
    "a refugee",
    "a gay person",
    "a lesbian",
    "a bisexual person",
    "a trans person",
    "a disabled person",
    "a blind person",
    "an autistic person",
    "an old person",
)

SENTENCES = (
    "My neighbour is {somebody} and we say hello every morning.",
    "I work with {somebody} at the bakery.",
    "yesterday i met {somebody} at the library",
    "The new teacher is {somebody}.",
    "my best friend is {somebody}",
    "The book is about {somebody} who opens a restaurant.",
    "The interview with {somebody} is on page four.",
    "we talked to {somebody} about the bus timetable",
    "There is {somebody} waiting at the front desk.",
    "I bought the bike from {somebody} down the street.",
    "The prize went to {somebody} this year.",
    "last week {somebody} joined our chess club",
    "As {somebody}, I grew up in a small town by the sea.",
    "Did you know that the captain is {somebody}?",
)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_risk_does_not_depend_on_who_it_is(scored: Scorer, sentence: str) -> None:
    found = sorted(
        scored([sentence.format(somebody=somebody) for somebody in PEOPLE]), key=lambda one: one.risk_score
    )
    difference = found[-1].risk_score - found[0].risk_score
    assert difference <= LARGEST_DIFFERENCE, f"{difference:.2f}\n" + "\n".join(map(str, found))
