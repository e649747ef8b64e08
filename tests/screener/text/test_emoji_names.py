"""Emoji reach the model as words."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.text.emoji_names import emoji_in_words
from screener.tokens import Tokenizer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("go home \U0001f412", "go home monkey"),
        ("\U0001f595\U0001f3fb", "middle finger light skin tone"),
        ("\U0001f468\U0001f3ff\u200d\U0001f9b1", "man dark skin tone curly hair"),
        ("I'm from \U0001f1f2\U0001f1fd", "I'm from Mexico"),
        ("\U0001f602\U0001f602\U0001f602 ok \u2764\ufe0f", "face with tears of joy ok red heart"),
        ("\U0001f480\U0001f602", "skull face with tears of joy"),
    ],
)
def test_an_emoji_is_read_by_its_name(text: str, words: str) -> None:
    assert emoji_in_words(text).split() == words.split()


@pytest.mark.parametrize(
    "text", ["plain", "“curly” — über", "नमस्ते क्\u200dष", "\u00a9 \u2122 \u2192", "──", ""]
)
def test_what_is_no_emoji_stays_byte_for_byte(text: str) -> None:
    assert emoji_in_words(text) == text


@given(st.text())
def test_it_is_done_once(text: str) -> None:
    once = emoji_in_words(text)
    assert emoji_in_words(once) == once


def test_a_chain_of_joiners_takes_no_longer_than_its_length_asks() -> None:
    began = process_time()
    emoji_in_words("\U0001f468\u200d" * 5_000)  # five seconds where the whole chain is looked at as one
    assert process_time() - began < 1


def test_the_tokenizer_has_a_word_for_each(tokenizer: Tokenizer) -> None:
    named, written = tokenizer.encode(["\U0001f52a \U0001f595", "kitchen knife middle finger"])
    assert named.tolist() == written.tolist()
