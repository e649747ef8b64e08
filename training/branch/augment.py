"""Copies of rows as hurried or sly people would have written them, with the labels of the original.

What a source's habits give away - case is gone with the uncased vocabulary, punctuation, length - is shaken
here, and small damage that `screener.text` does not undo is made familiar.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Sequence

_LEET = str.maketrans({"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"})
_OPENERS = (
    "lol",
    "bro",
    "tbh",
    "ngl",
    "honestly",
    "ok so",
    "wait",
    "yo",
    "hey",
    "well,",
    "omg",
    "so",
    "like,",
)
_CLOSERS = (
    "lol",
    "lmao",
    "tbh",
    "smh",
    "fr",
    "haha",
    "ok?",
    "!!",
    "...",
    "bro",
    "imo",
    "😂",
    "🙄",
    "😡",
    "🙂",
)
_PUNCTUATION = str.maketrans("", "", string.punctuation.replace("'", "").replace("@", "").replace("#", ""))

Change = Callable[[str, random.Random], str]


def augmented(texts: Sequence[str], *, context: Sequence[str], seed: int) -> list[str]:
    """One changed copy of each text, by one or two of the changes below. `context`: harmless texts."""
    chances = (random.Random(f"{seed}/{place}") for place in range(len(texts)))  # noqa: S311 - no secret
    return [_changed(text, context, chance) for text, chance in zip(texts, chances, strict=True)]


def _changed(text: str, context: Sequence[str], chance: random.Random) -> str:
    if chance.random() < 0.3:
        other = chance.choice(context)
        text = f"{other} {text}" if chance.random() < 0.5 else f"{text} {other}"
    for change in chance.sample(_CHANGES, chance.choice((1, 1, 2))):
        text = change(text, chance).strip() or text
    return text


def _without_punctuation(text: str, _chance: random.Random) -> str:
    return text.translate(_PUNCTUATION)


def _with_opener(text: str, chance: random.Random) -> str:
    return f"{chance.choice(_OPENERS)} {text}"


def _with_closer(text: str, chance: random.Random) -> str:
    return f"{text} {chance.choice(_CLOSERS)}"


def _with_typos(text: str, chance: random.Random) -> str:
    words = text.split(" ")
    for _ in range(max(1, len(words) // 8)):
        place = chance.randrange(len(words))
        words[place] = _mistyped(words[place], chance)
    return " ".join(words)


def _mistyped(word: str, chance: random.Random) -> str:
    if len(word) < 4 or word.startswith(("@", "[", "#", "http")):
        return word
    at = chance.randrange(1, len(word) - 1)
    match chance.randrange(4):
        case 0:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case 1:
            return word[:at] + word[at + 1 :]
        case 2:
            return word[:at] + word[at] * chance.randrange(2, 4) + word[at + 1 :]
        case _:
            return word.translate(_LEET) if word.isalpha() else word


def _with_spaces_moved(text: str, chance: random.Random) -> str:
    words = text.split(" ")
    place = chance.randrange(len(words))
    word = words[place]
    if chance.random() < 0.5 and place + 1 < len(words):
        words[place : place + 2] = [word + words[place + 1]]
    elif 4 <= len(word) <= 8 and word.isalpha():
        words[place] = " ".join(word)
    return " ".join(words)


def _in_part(text: str, chance: random.Random) -> str:
    """From some word on: windows over long messages begin in the middle too. Short texts stay whole."""
    words = text.split(" ")
    return " ".join(words[chance.randrange(3) :]) if len(words) > 40 else text


_CHANGES: Sequence[Change] = (
    _without_punctuation,
    _with_opener,
    _with_closer,
    _with_typos,
    _with_spaces_moved,
    _in_part,
)
