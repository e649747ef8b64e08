"""Words that mix scripts to look Latin, and words in letters of the phonetic alphabets."""

from __future__ import annotations

import re
import unicodedata

from screener.text.draft import Draft, Edit
from screener.text.letters import CONFUSABLE, FOLDING, GREEK_CAPITALS, RESEMBLING, SMALL_CAPITALS
from screener.text.undo import undo
from screener.text.vocabulary import Vocabulary

_WORD = re.compile(r"[\w@$!|]+")
_OTHER_LETTER = re.compile(r"[^\W\x00-\x7f]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2}")
_MICRO = frozenset("µμ")
_LONGEST_UNIT = 3
_SURE = 4
"""Letters from which on a word that mixes scripts is taken for Latin though nobody knows it."""


def straighten(draft: Draft, vocabulary: Vocabulary) -> None:
    """Write words of look-alikes with Latin letters; words of another script stay in it."""
    if not _OTHER_LETTER.search(draft.text):
        return  # emoji and curly quotes alone
    words = [match for match in _WORD.finditer(draft.text) if not match.group().isascii()]
    genuine = any(_is_genuine(match.group()) for match in words)
    among_latin = _LATIN_WORD.search(draft.text) is not None
    edits = []
    for match in words:
        latin = _latin(match.group(), vocabulary, genuine=genuine, among_latin=among_latin)
        if latin is not None:
            edits.append(Edit(*match.span(), latin, hidden=True))
    draft.apply(edits)


def _is_genuine(word: str) -> bool:
    """Whether the word is of another script: it has no Latin letter, and some that look like none."""
    return not any(map(_is_latin, word)) and any(
        character.isalpha() and character not in GREEK_CAPITALS and FOLDING[character] not in CONFUSABLE
        for character in word
    )


def _is_latin(character: str) -> bool:
    folded = FOLDING[character]
    return folded.isascii() and folded.isalpha()


def _latin(word: str, vocabulary: Vocabulary, *, genuine: bool, among_latin: bool) -> str | None:
    """The word in Latin letters; None where it is none."""
    if all(character.isascii() or not character.isalpha() for character in word):
        return None
    letters = "".join(map(to_latin, word))
    foreign = [character for character in word if character.isalpha() and not _is_latin(character)]
    if not foreign:
        return _from_phonetic(word, letters, vocabulary)
    mixed = len(foreign) < sum(map(str.isalpha, word))
    if mixed and len(word) <= _LONGEST_UNIT and not _MICRO.isdisjoint(word):
        return None
    if not letters.isascii():
        letters = "".join(RESEMBLING.get(letter, letter) for letter in letters)
        return letters if mixed and letters.isascii() and _is_known(letters, vocabulary) else None
    if mixed:
        sure = not genuine and sum(map(str.isalpha, word)) >= _SURE
        return letters if sure or _is_known(letters, vocabulary) else None
    return (
        letters
        if _is_listed(letters, vocabulary) or (among_latin and not genuine and _is_known(letters, vocabulary))
        else None
    )


def _from_phonetic(word: str, letters: str, vocabulary: Vocabulary) -> str | None:
    """The word, if it is in small capitals, or a listed one in letters with strokes."""
    if not letters.isascii():
        return None
    if not any(character in SMALL_CAPITALS for character in word):
        return letters if _is_listed(letters, vocabulary) and _has_strokes(word) else None
    return (
        letters if _is_known(letters, vocabulary) or sum(map(SMALL_CAPITALS.__contains__, word)) > 1 else None
    )


def _has_strokes(word: str) -> bool:
    """Whether a letter is more than a plain one with an accent, which the encoder drops by itself."""
    return any(not character.isascii() and not unicodedata.decomposition(character) for character in word)


def to_latin(character: str) -> str:
    """The Latin letter that a character is or looks like, in lower case; itself in lower case if none."""
    capital = GREEK_CAPITALS.get(character)
    if capital is not None:
        return capital
    folded = FOLDING[character]
    return CONFUSABLE.get(folded, folded)


def _is_listed(letters: str, vocabulary: Vocabulary) -> bool:
    return len(letters) >= _SURE and letters in vocabulary.words


def _is_known(letters: str, vocabulary: Vocabulary) -> bool:
    return len(letters) > 2 and (vocabulary.is_word(letters) or bool(undo(letters, vocabulary)))
