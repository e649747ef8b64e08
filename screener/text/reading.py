"""Folded text into words as they are meant.

Read each chunk's letters, join letters that are spelled one by one and words that are broken by one mark, and
look up what is stretched or masked. Plain text passes through the first step only.
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

SPELLED_MIN = 3
"""From how many single letters in a row on they are read as one word."""

_WIDEST_GAP = 3
_SPELLED = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,3}[^\W_]){2}(?![^\W_])")
_GLUED = re.compile(r"[^\W_](?:[^\w\s']|_)[^\W_]")
# Letters that are words by themselves ("u r a", "it s"): never the broken-off end of a word.
_WORDLIKE_LETTERS = frozenset("aiursmtdx")
_MOST_PIECES = 3
_PLAIN_WORD = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*")
# What plain text has none of: characters that stand for letters, marks inside words, possessives.
_MARKED = re.compile(
    r"[@$*]|!['a-z0-9]|\d['a-z]|[a-z]'?\d|[a-z][^a-z\s'][a-z]|''|(?<!\bit)(?<!\bthat)(?<!\bwhat)'s(?![a-z])"
)


@dataclass(slots=True)
class Reading:
    """Words, their spans in the folded text, and the indices of those that a vocabulary knows in disguise."""

    words: list[str] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    disguised: set[int] = field(default_factory=set)

    def add(self, word: str, start: int, end: int, *, disguised: bool) -> None:
        """Append one word."""
        if disguised:
            self.disguised.add(len(self.words))
        self.words.append(word)
        self.spans.append((start, end))

    def copy_from(self, other: Reading, index: int) -> None:
        """Append one word of another reading."""
        self.add(other.words[index], *other.spans[index], disguised=index in other.disguised)


def read_plain(text: str, vocabulary: Vocabulary) -> list[str] | None:
    """The words of folded text that needs no reading, at a third of the cost; None where it may need some.

    They are the words that `read` gives, which also knows their spans: few texts are asked for those.
    """
    if not text.isascii() or _MARKED.search(text) or has_repeats(text):
        return None
    words = _PLAIN_WORD.findall(text)
    singles = [word for word in words if len(word) == 1]
    if not all(map(_wordlike, singles)) or _has_spelled(text, singles):
        return None
    return words if vocabulary.aliases.keys().isdisjoint(words) else None


def read(text: str, vocabulary: Vocabulary) -> Reading:
    """Read folded text, in time that grows linearly with its length."""
    reading = _chunks(text, vocabulary)
    singles = [word for word in reading.words if len(word) == 1]
    if _has_spelled(text, singles):
        reading = _join_spelled(reading, vocabulary)
    if not all(map(_wordlike, singles)) or _GLUED.search(text):
        reading = _join_broken(reading, text, vocabulary)
    if has_repeats(text):
        _cut_repeats(reading, vocabulary)
    if not vocabulary.aliases.keys().isdisjoint(reading.words):
        _look_up(reading, vocabulary)
    return reading


def _has_spelled(text: str, singles: list[str]) -> bool:
    return len(singles) >= SPELLED_MIN and _SPELLED.search(text) is not None


def _chunks(text: str, vocabulary: Vocabulary) -> Reading:
    reading = Reading()
    words, spans = reading.words, reading.spans
    for match in (ASCII_TOKEN if text.isascii() else TOKEN).finditer(text):
        chunk = match.group()
        if chunk.isalpha():  # nearly every word: first, and cheap
            words.append(chunk)
            spans.append(match.span())
        elif chunk[0] == "@" and len(chunk) > 1:
            _read_mention(chunk, match.start(), reading, vocabulary)
        else:
            _read_chunk(chunk, match.start(), reading, vocabulary)
    return reading


def _read_mention(chunk: str, start: int, reading: Reading, vocabulary: Vocabulary) -> None:
    word = decode(chunk)
    known = vocabulary.knows(word)
    reading.add(word if known else MENTION, start, start + len(chunk), disguised=known)


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


def _join_spelled(reading: Reading, vocabulary: Vocabulary) -> Reading:
    """Join runs of single letters ("i d i o t", "k.y.s") to the known words in them, else to one word."""
    joined = Reading()
    index = 0
    while index < len(reading.words):
        end = _run_of_singles(reading, index)
        letters = "".join(reading.words[index:end])
        if end - index >= SPELLED_MIN and sum(map(str.isalpha, letters)) >= 2:
            letters = letters if letters.isalpha() else decode(letters)
            _add_spelled(joined, letters, reading.spans[index:end], vocabulary)
        else:
            end = max(end, index + 1)
            for place in range(index, end):
                joined.copy_from(reading, place)
        index = end
    return joined


def _run_of_singles(reading: Reading, start: int) -> int:
    end = start
    while (
        end < len(reading.words)
        and len(reading.words[end]) == 1
        and reading.words[end] != MENTION
        and (end == start or reading.spans[end][0] - reading.spans[end - 1][1] <= _WIDEST_GAP)
    ):
        end += 1
    return end


def _add_spelled(
    reading: Reading, letters: str, spans: list[tuple[int, int]], vocabulary: Vocabulary
) -> None:
    pieces = vocabulary.split(letters)
    if pieces is None:
        reading.add(letters, spans[0][0], spans[-1][1], disguised=False)
        return
    for start, end, word in pieces:
        reading.add(word, spans[start][0], spans[end - 1][1], disguised=word in vocabulary.words)


def _join_broken(reading: Reading, text: str, vocabulary: Vocabulary) -> Reading:
    """Join known words that a mark or a space breaks: "fu.ck", "id-i-ot", "f uck"."""
    joined = Reading()
    index = 0
    while index < len(reading.words):
        end, word = _broken(reading, index, text, vocabulary)
        if word:
            compound = any(part in vocabulary.words for part in reading.words[index:end])  # "bitch-ass"
            joined.add(word, reading.spans[index][0], reading.spans[end - 1][1], disguised=not compound)
        else:
            joined.copy_from(reading, index)
        index = end
    return joined


def _broken(reading: Reading, start: int, text: str, vocabulary: Vocabulary) -> tuple[int, str]:
    """The known word that begins with the word `start` and its end; `(start + 1, "")` where there is none."""
    word = reading.words[start]
    found = start + 1, ""
    for end in range(start + 1, min(start + _MOST_PIECES, len(reading.words))):
        gap = text[reading.spans[end - 1][1] : reading.spans[end][0]]
        if len(gap) != 1 or gap == "'":
            break
        if gap == " " and not _fragment(reading.words[end - 1], reading.words[end]):
            break
        word += reading.words[end]
        if len(word) > 3 and vocabulary.knows(word):
            found = end + 1, vocabulary.aliases.get(word, word)
    return found


def _fragment(left: str, right: str) -> bool:
    """Whether one side is a single letter that is no word by itself."""
    return any(len(side) == 1 and not _wordlike(side) for side in (left, right))


def _wordlike(single: str) -> bool:
    return single in _WORDLIKE_LETTERS or not single.isalpha()


def _cut_repeats(reading: Reading, vocabulary: Vocabulary) -> None:
    for index, word in enumerate(reading.words):
        if word in vocabulary.words or not has_repeats(word):
            continue
        known = vocabulary.stretched(word)
        reading.words[index] = known or cut_repeats(word)  # stretching is emphasis, not disguise


def _look_up(reading: Reading, vocabulary: Vocabulary) -> None:
    for index, word in enumerate(reading.words):
        known = vocabulary.aliases.get(word)
        if known is not None:
            reading.words[index] = known
            if known.replace("l", "i") == word:  # who masks a word is polite, who doubles a letter mistypes
                reading.disguised.add(index)
