"""Folded text into words as they are meant.

Read each chunk's letters and look up what is stretched or masked. Plain text passes through the first step
only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from screener.text.vocabulary import Vocabulary
from screener.text.words import (
    ASCII_TOKEN,
    TOKEN,
    cut_repeats,
    decode,
    has_repeats,
    parts,
    trim,
)

MENTION = "@"
"""The word that stands for a mention of somebody."""

_PLAIN_WORD = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*")
# What plain text has none of: characters that stand for letters, marks inside words, possessives.
_MARKED = re.compile(
    r"[@$*]|!['a-z0-9]|\d['a-z]|[a-z]'?\d|[a-z][^a-z\s'][a-z]|''|(?<!\bit)(?<!\bthat)(?<!\bwhat)'s(?![a-z])"
)
# Words and numbers with punctuation around them and spaces between: most texts, and told much faster than by
# what they have none of.
_UNMARKED_CHUNK = r"[(\"]*+(?:[a-z]++(?:'(?!s(?![a-z]))[a-z]++)*+|\d++)?+[,.;:?!)\"]*+"
_UNMARKED = re.compile(rf"\s*+(?:{_UNMARKED_CHUNK}\s++)*+{_UNMARKED_CHUNK}")


@dataclass(slots=True)
class Reading:
    """What was read out of folded text.

    Attributes:
        text: the folded text.
        words: its words.
        disguised: the indices of those that a vocabulary knows in disguise.
        odd: the index of each token that is not simply a word, and where in it the words stand.
    """

    text: str
    words: list[str] = field(default_factory=list)
    disguised: set[int] = field(default_factory=set)
    odd: list[tuple[int, list[tuple[int, int]]]] = field(default_factory=list)

    def add(self, word: str, start: int, end: int, *, disguised: bool) -> None:
        """Append one word of the last odd token, with its place there."""
        if disguised:
            self.disguised.add(len(self.words))
        self.words.append(word)
        self.odd[-1][1].append((start, end))

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Where each word stands in the text. Found when asked for: few texts are."""
        tokens = [match.span() for match in _tokens(self.text).finditer(self.text)]
        spans: list[tuple[int, int]] = []
        done = 0
        for index, inside in self.odd:
            start = tokens[index][0]
            spans += tokens[done:index]
            spans += [(start + first, start + last) for first, last in inside]
            done = index + 1
        return spans + tokens[done:]


def read_plain(text: str, vocabulary: Vocabulary) -> list[str] | None:
    """The words of folded text that needs no reading, at a third of the cost; None where it may need some.

    They are the words that `read` gives, which also knows their spans: few texts are asked for those.
    """
    if not text.isascii() or not (_UNMARKED.fullmatch(text) or not _MARKED.search(text)) or has_repeats(text):
        return None
    words = _PLAIN_WORD.findall(text)
    return words if vocabulary.aliases.keys().isdisjoint(words) else None


def plain_spans(text: str) -> list[tuple[int, int]]:
    """Where the words of `read_plain` stand."""
    return [match.span() for match in _PLAIN_WORD.finditer(text)]


def read(text: str, vocabulary: Vocabulary) -> Reading:
    """Read folded text, in time that grows linearly with its length."""
    reading = _chunks(text, vocabulary)
    if has_repeats(text):
        _cut_repeats(reading, vocabulary)
    if not vocabulary.aliases.keys().isdisjoint(reading.words):
        _look_up(reading, vocabulary)
    return reading


def _tokens(text: str) -> re.Pattern[str]:
    return ASCII_TOKEN if text.isascii() else TOKEN


def _chunks(text: str, vocabulary: Vocabulary) -> Reading:
    tokens = _tokens(text).findall(text)
    reading = Reading(text)
    done = 0
    for index in [index for index, token in enumerate(tokens) if not token.isalpha()]:  # few: names, numbers
        reading.words += tokens[done:index]
        reading.odd.append((index, []))
        done = index + 1
        token = tokens[index]
        if token[0] == "@" and len(token) > 1:
            _read_mention(token, reading, vocabulary)
        else:
            _read_chunk(token, 0, reading, vocabulary)
    reading.words += tokens[done:]
    return reading


def _read_mention(chunk: str, reading: Reading, vocabulary: Vocabulary) -> None:
    word = decode(chunk)
    known = vocabulary.knows(word)
    reading.add(word if known else MENTION, 0, len(chunk), disguised=known)


def _read_chunk(chunk: str, start: int, reading: Reading, vocabulary: Vocabulary) -> None:
    bare, left = trim(chunk)
    if not bare:
        return
    start += left
    word = decode(bare)
    known = word != bare and vocabulary.knows(word)
    if "!" in bare and not known and _is_break(bare):
        for piece, offset in parts(bare):
            _read_chunk(piece, start + offset, reading, vocabulary)
    else:
        reading.add(word, start, start + len(bare), disguised=known)


def _is_break(chunk: str) -> bool:
    """Whether exclamation marks stand between words ("no!!stop", "hello!world"), not for an i ("b!tch")."""
    return "!!" in chunk or all(len(piece) >= 3 for piece, _ in parts(chunk))


def _cut_repeats(reading: Reading, vocabulary: Vocabulary) -> None:
    repeated = {word for word in set(reading.words) if has_repeats(word) and word not in vocabulary.words}
    if not repeated:
        return
    # Stretching is emphasis, not disguise.
    meant = {word: vocabulary.stretched(word) or cut_repeats(word) for word in repeated}
    reading.words = [meant.get(word, word) for word in reading.words]


def _look_up(reading: Reading, vocabulary: Vocabulary) -> None:
    for index, word in enumerate(reading.words):
        known = vocabulary.aliases.get(word)
        if known is not None:
            reading.words[index] = known
            if known.replace("l", "i") == word:  # who masks a word is polite, who doubles a letter mistypes
                reading.disguised.add(index)
