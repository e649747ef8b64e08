"""Words that are spelled letter by letter ("i d i o t", "k.i.l.l y.o.u"), written together again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

from screener.text import leet
from screener.text.draft import Draft, Edit
from screener.text.lookalikes import to_latin
from screener.text.undo import undo
from screener.text.vocabulary import Vocabulary

_LETTER = r"(?:[^\W_]|[@$!€£¢])"
_GAP = r"(?:(?![@$!€£¢])[\W_]){1,3}"
_RUN = re.compile(rf"(?<![^\W_]){_LETTER}(?:{_GAP}{_LETTER}){{2,}}(?![^\W_])")
_PLACES = re.compile(_LETTER)
_ACRONYM = re.compile(r"[A-Z](?:\.[A-Z])+")
_SHORTEST = 4
"""Letters of a spelled word that is no listed one: shorter ones are abbreviations."""

_LISTED = 3
_LETTERS_A_WORD = 2.5
_READINGS = 8


def join_spelled(draft: Draft, vocabulary: Vocabulary) -> bool:
    """Join letters that stand singly to the words that they spell, and say whether there were any."""
    edits: list[Edit] = []
    for match in _RUN.finditer(draft.text):
        letters = [place.start() + match.start() for place in _PLACES.finditer(match.group())]
        edits += _join_run(draft.text, letters, vocabulary)
    draft.apply(edits)
    return bool(edits)


def _join_run(text: str, letters: Sequence[int], vocabulary: Vocabulary) -> list[Edit]:
    words = list(_words(text, letters))
    joined = [_join(text, word, vocabulary, shortest=_SHORTEST) for word in words]
    if len(words) > 1 and any(joined):  # beside others that are spelled, a short word is no abbreviation
        joined = [
            edits or _join(text, word, vocabulary, shortest=2)
            for word, edits in zip(words, joined, strict=True)
        ]
    return [edit for edits in joined for edit in edits]


def _words(text: str, letters: Sequence[int]) -> Iterator[Sequence[int]]:
    """The places of the letters, word by word as far as the gaps between them tell: wider ones divide."""
    word = [letters[0]]
    within: tuple[bool, int] | None = None  # how wide the gaps within the word are
    for before, place in pairwise(letters):
        width = _width(text[before + 1 : place])
        if within is not None and width > within:
            yield word
            word, within = [place], None
        elif within is not None and width < within:
            yield word[:-1]
            word, within = [word[-1], place], width
        else:
            word.append(place)
            within = width
    yield word


def _width(gap: str) -> tuple[bool, int]:
    return any(map(str.isspace, gap)), len(gap)


def _join(text: str, letters: Sequence[int], vocabulary: Vocabulary, *, shortest: int) -> list[Edit]:
    token = _in_one_script("".join(text[place] for place in letters))
    if len(letters) < 2 or not any(map(str.isalpha, token)):
        return []
    words = _spelled(token.lower(), vocabulary, shortest)
    if not words:
        return []
    if _ACRONYM.fullmatch(text[letters[0] : letters[-1] + 1]) and words[0][0] not in vocabulary.words:
        return []
    edits: list[Edit] = []
    first = 0
    for word, length in words:
        start, end = letters[first], letters[first + length - 1] + 1
        if first:
            edits.append(Edit(letters[first - 1] + 1, start, " ", hidden=False))
        edits.append(Edit(start, end, word, hidden=True))
        first += length
    return edits


def _in_one_script(token: str) -> str:
    """The letters, with look-alikes among Latin ones as what they look like."""
    mixed = not token.isascii() and any(letter.isascii() and letter.isalpha() for letter in token)
    return "".join(map(to_latin, token)) if mixed else token


def _spelled(token: str, vocabulary: Vocabulary, shortest: int) -> list[tuple[str, int]]:
    """The words that a row of letters spells, each with how many of the letters it takes; empty if none."""
    readings = [letters for letters in islice(leet.readings(token), _READINGS) if letters.isalpha()]
    for letters in readings:
        if letters in vocabulary.words or (len(letters) >= shortest and vocabulary.may_hide(letters)):
            return [(letters, len(letters))]
    for letters in readings:
        words = vocabulary.cut(letters)
        if words is not None and _makes_sense(words, vocabulary):
            return [(word, len(word)) for word in words]
    for letters in readings[:1]:
        edits = undo(letters, vocabulary)
        if len(edits) == 1 and (edits[0].start, edits[0].end) == (0, len(letters)):
            return [(edits[0].new, len(letters))]
    return []


def _makes_sense(words: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Whether so many letters are these words by more than chance."""
    letters = sum(map(len, words))
    listed = any(word in vocabulary.words and len(word) >= _LISTED for word in words)
    return letters >= _SHORTEST and (listed or letters >= _LETTERS_A_WORD * len(words))
