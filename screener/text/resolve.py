"""Letters with a slip or a stress in them, and the word that they are meant for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice, product

from screener.text.vocabulary import Vocabulary

_RUN = re.compile(r"(.)\1{2,}")
_MOST_FLOODS = 4
_SHORTEST_BACKWARDS = 5
_SHORTEST_SWAPPED = 6
"""Letters from which on two of them in each other's place make no other word by chance."""

_LONGEST_SWAPPED = 24


@dataclass(frozen=True, slots=True)
class Found:
    """A word, and whether it was hidden rather than stressed or mistyped."""

    word: str
    hidden: bool


def resolve(letters: str, vocabulary: Vocabulary) -> Found | None:
    """The word that unknown letters are meant for, if it is known what they are meant for."""
    alias = vocabulary.aliases.get(letters)
    if alias is not None:
        return Found(alias, hidden=alias.replace("l", "i") == letters)
    if _RUN.search(letters) and len(set(letters)) > 1:
        held = vocabulary.stretched(letters) or _without_floods(letters, vocabulary)
        if held is not None:
            return Found(held, hidden=False)
    backwards = letters[::-1]
    if backwards in vocabulary.words and _is_worth_turning(backwards, vocabulary):
        return Found(backwards, hidden=True)
    swapped = _unswapped(letters, vocabulary)
    return None if swapped is None else Found(swapped, hidden=False)


def _is_worth_turning(word: str, vocabulary: Vocabulary) -> bool:
    """Whether a word is long or plain enough that nobody's name is it backwards by chance."""
    return len(word) >= _SHORTEST_BACKWARDS or (
        len(word) == _SHORTEST_BACKWARDS - 1 and vocabulary.is_english(word)
    )


def _unswapped(letters: str, vocabulary: Vocabulary) -> str | None:
    """The likeliest word with two neighbouring letters inside it in each other's place."""
    if len(letters) > _LONGEST_SWAPPED:
        return None
    words = [
        letters[:place] + letters[place + 1] + letters[place] + letters[place + 2 :]
        for place in range(1, len(letters) - 2)
    ]
    if len(letters) < _SHORTEST_SWAPPED:
        words = [word for word in words if word in vocabulary.words and vocabulary.is_english(word)]
    return vocabulary.likeliest(word for word in words if word in vocabulary.ordinary)


def _without_floods(letters: str, vocabulary: Vocabulary) -> str | None:
    """The likeliest word that is left when letters held for long are cut to one or two."""
    runs = list(islice(_RUN.finditer(letters), _MOST_FLOODS + 1))
    if len(runs) > _MOST_FLOODS:
        return None
    between = []
    position = 0
    for run in runs:
        between.append(letters[position : run.start()])
        position = run.end()
    rest = letters[position:]
    words = [
        "".join(part + run[1] * count for part, run, count in zip(between, runs, counts, strict=True)) + rest
        for counts in product((2, 1), repeat=len(runs))
    ]
    return vocabulary.likeliest(word for word in words if len(word) > 1)
