from __future__ import annotations

import pytest

from screener.similarity.campaign import INFORMATIVE
from screener.similarity.informative import informative_words


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gg",
        "GG WP everyone!!!",
        "good morning",
        "Good morning to all of you, have a nice day",
        "happy birthday Mira, all the best to you!",
        "thank you so much for everything",
        "lol",
        "😂😂😂",
        "is the server down for anyone else?",
        "what a goal by Bruno!!",
        "oh the lanterns, all the lanterns in the rain",
        "the new trailer is out https://films.example/otters-of-kelp-in-the-long-dark",
        "la la la la la la la la la la",
    ],
)
def test_everyday_repetition_has_little_to_say(text: str) -> None:
    assert informative_words(text) < INFORMATIVE


@pytest.mark.parametrize(
    "text",
    [
        "The foundation doubles every coin you send before midnight, claim at https://coin.example",
        "polling station on Mill Street closed, voting moved to Thursday, bring two utility bills",
        "米尔街的投票站今天关闭，投票改到星期四，请带两张账单和护照",
    ],
)
def test_a_message_with_a_purpose_has_much(text: str) -> None:
    assert informative_words(text) >= INFORMATIVE


def test_a_word_counts_once_and_a_link_is_one_word() -> None:
    assert informative_words("otter Otter OTTER") == 1
    assert informative_words("https://a.example/one/two/three?four=five six") == 2
    assert informative_words("norrin-double.example/x1") == 1


def test_takes_time_in_proportion_to_the_length() -> None:
    assert informative_words("a-" * 5_000) <= 1
    assert informative_words("a." * 5_000) == 1
