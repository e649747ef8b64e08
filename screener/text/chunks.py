"""The parts of a text between spaces, and which of them are no plain words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from screener.text.links import find_emails, find_links
from screener.text.vocabulary import Vocabulary

EDGES = "\"'“”‘’.,;:?!()[]{}<>*_~-…/\\|`^=+#&%"
"""What stands around words."""

# Letters that are words by themselves ("u r a", "it s"): never the broken-off end of a word.
WORDLIKE_LETTERS = frozenset("aiursmtdx")

_NUMBER = re.compile(r"[\W\d_]*")
_SPELLED = re.compile(r"[^\W_][\W_]{1,3}[^\W_][\W_]{1,3}[^\W_](?![^\W_])")
_MOST_ALONE = 2
"""Characters that stand alone, words or not, that spell nothing together."""


@dataclass(frozen=True, slots=True)
class Chunks:
    """A text's chunks.

    Attributes:
        spans: where each stands.
        unknown: the indices of those that are no plain words, numbers, links or addresses.
        singles: the indices of single letters that are no words.
        may_be_spelled: whether letters may stand singly, with spaces or marks between.
    """

    spans: Sequence[tuple[int, int]]
    unknown: Sequence[int]
    singles: Sequence[int]
    may_be_spelled: bool


def is_plain(text: str, vocabulary: Vocabulary) -> bool:
    """Whether `chunks_of` has nothing to tell; cheaper, and true of many texts."""
    ordinary = vocabulary.ordinary
    alone = 0
    for chunk in text.lower().split():
        if len(chunk) == 1:
            alone += 1
            if chunk not in WORDLIKE_LETTERS and chunk.isalpha():
                return False
        elif chunk not in ordinary and chunk.strip(EDGES) not in ordinary:
            return False
    return alone <= _MOST_ALONE


def chunks_of(text: str, vocabulary: Vocabulary) -> Chunks:
    """The chunks; linear in the length."""
    ordinary = vocabulary.ordinary
    spans: list[tuple[int, int]] = []
    unknown: list[int] = []
    singles: list[int] = []
    alone = 0
    addressed = False
    end = 0
    for index, (chunk, low) in enumerate(zip(text.split(), text.lower().split(), strict=True)):
        start = text.index(chunk, end)
        end = start + len(chunk)
        spans.append((start, end))
        if len(chunk) == 1:
            alone += 1
            if low not in WORDLIKE_LETTERS and low.isalpha():
                singles.append(index)
        elif low in ordinary or low.strip(EDGES) in ordinary:
            continue
        elif low.isalpha():
            unknown.append(index)
        elif not _NUMBER.fullmatch(low):
            unknown.append(index)
            addressed = addressed or "." in low or "@" in low
    if addressed:
        unknown = _without_addresses(text, spans, unknown)
    spelled = alone > _MOST_ALONE or any(_SPELLED.search(text, *spans[index]) for index in unknown)
    return Chunks(spans, unknown, singles, may_be_spelled=spelled)


def _without_addresses(text: str, spans: Sequence[tuple[int, int]], unknown: list[int]) -> list[int]:
    """The indices without those of chunks that hold a link or an e-mail address."""
    low = text.lower()
    if len(low) != len(text):
        return unknown  # a Turkish capital moves the places: rather a link read as words than words as a link
    apart = sorted([*((link.start, link.end) for link in find_links(low)), *find_emails(low)])
    if not apart:
        return unknown
    left = []
    passed = 0
    for index in unknown:
        start, end = spans[index]
        while passed < len(apart) and apart[passed][1] <= start:
            passed += 1
        if passed == len(apart) or apart[passed][0] >= end:
            left.append(index)
    return left
