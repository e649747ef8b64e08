"""The short way to read plain text gives what the long one gives."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from screener.text.reading import plain_spans, read, read_plain
from tests.fixtures.screening import HEURISTICS

VOCABULARY = HEURISTICS.rules.vocabulary
PIECES = [*"!.,$@*()'\" ", "it", "that", "dog", "s", "'s", "!!", "  ", "\n", "3", "42"]


@settings(max_examples=500, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text("abs'!? 1.-", max_size=30))
@example("it's a dog's life")
@example("don't (stop) now!!")
@example("'quoted' words, and 'more")
def test_plain_words_and_their_places_are_those_of_reading(text: str) -> None:
    words = read_plain(text, VOCABULARY)
    if words is None:
        return
    reading = read(text, VOCABULARY)
    assert words == reading.words
    assert plain_spans(text) == reading.spans
    assert not reading.disguised


def test_most_writing_is_plain() -> None:
    plain = ["i don't know, really.", 'she said: "come (now) at 10!"', "it's fine\n\nsee you", ""]
    assert all(read_plain(text, VOCABULARY) is not None for text in plain)
