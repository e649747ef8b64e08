"""Whatever is written: words have their places in the original, rules their bounds, and once is enough."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.verdict import HARMFUL
from screener.heuristics import Context
from screener.text import normalise, plain
from scripts.fuzz import bombs
from tests.fixtures.screening import HEURISTICS

VOCABULARY = HEURISTICS.rules.vocabulary
ANY_CHARACTER = st.characters()  # of every plane, lone surrogates too
PIECES = st.lists(
    st.sampled_from(
        [*bombs.PIECES.values(), "idiot", "kill", " ", "\n", "\u202e", "\ufeff", "\U000e0041", "\ud800"]
    )
    | st.text(ANY_CHARACTER, min_size=1, max_size=3),
    max_size=30,
).map("".join)
TEXTS = st.text(ANY_CHARACTER, max_size=80) | PIECES
REPUTATION = st.none() | st.floats(0, 1)


@settings(max_examples=300, derandomize=True)
@given(TEXTS)
def test_words_have_their_places_in_the_original_in_order(content: str) -> None:
    text = normalise(content, VOCABULARY)
    assert len(text.spans) == len(text.words)
    assert all(0 <= start < end <= len(content) for start, end in text.spans)
    assert [start for start, _ in text.spans] == sorted(start for start, _ in text.spans)
    assert all(word and " " not in word for word in text.words)
    assert all(0 <= index < len(text.words) for index in text.disguised)
    for link in text.links:
        start, end = text.folded.span(link.start, link.end)
        assert 0 <= start < end <= len(content)


@settings(max_examples=300, derandomize=True)
@given(TEXTS, REPUTATION, REPUTATION, st.none() | st.integers(0, 2**53))
def test_rules_never_raise_and_keep_their_bounds(
    content: str, low: float | None, high: float | None, count: int | None
) -> None:
    context = Context(
        author_reputation=low, channel_history_count=count, near_duplicates=int(100 * (high or 0))
    )
    result = HEURISTICS.score(content, context)
    assert 0.0 <= result.score <= 1.0
    assert len(result.evidence) == len(HARMFUL)
    assert all(0.0 <= value <= 1.0 for value in result.evidence)
    assert all(0 <= flag.start <= flag.end <= len(content) for flag in result.flags)
    assert all(0.0 <= flag.weight <= 1.0 for flag in result.flags)


@settings(max_examples=200, derandomize=True)
@given(TEXTS)
def test_a_text_is_the_same_each_time_and_can_be_sent_on_if_it_could_before(content: str) -> None:
    revealed = plain(content, VOCABULARY)
    assert plain(content, VOCABULARY) == revealed
    if not any("\ud800" <= character <= "\udfff" for character in content):
        assert revealed.encode().decode() == revealed
