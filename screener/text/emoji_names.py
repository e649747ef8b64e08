"""Emoji in words, for the model: its vocabulary has none of them, and reads each as [UNK].

The names are Unicode's English ones (CLDR), as the `emoji` library has them.
"""

from __future__ import annotations

import re
from functools import lru_cache

import emoji

_RUN = re.compile("[\u2300-\u2bff\U0001f000-\U0001faff\U000e0020-\U000e007f\u200d\ufe0f]{1,32}")
"""Where emoji can be; what lies below, such as (c) and arrows, is no emoji to most who write it. In pieces,
for the library's time grows with the square of a chain of joiners."""


def emoji_in_words(text: str) -> str:
    """The text with each emoji's name in its place; one that is repeated is named once."""
    return text if text.isascii() else _RUN.sub(_named, text)


def _named(run: re.Match[str]) -> str:
    return _names(run[0])


@lru_cache(maxsize=8_192)
def _names(run: str) -> str:
    words: list[str] = []
    for token in emoji.analyze(run, non_emoji=True, join_emoji=True):
        word = _word(token)
        if word == token.chars or word not in words[-1:]:
            words.append(word)
    return "".join(words)


def _word(token: emoji.Token) -> str:
    if isinstance(token.value, str) or not token.value.data:
        return token.chars
    return f" {token.value.data['en'].strip(':').replace('_', ' ')} "
