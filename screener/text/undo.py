"""One chunk of a text, which holds no space: is it a word in disguise, and of which word?

A reading counts only where it gives a known word and the writing itself is none, so that names, numbers and
other languages stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from screener.text import leet
from screener.text.decipher import decipher
from screener.text.draft import Edit
from screener.text.joined import take_apart
from screener.text.kinds import EDGES
from screener.text.letters import FOLDING
from screener.text.resolve import resolve
from screener.text.vocabulary import Vocabulary

_LETTERLIKE_EDGES = "!|+(<"
_PART = re.compile(r"[^.\-_*~|,/\\:;`^=+#•·…\"%&?(){}\[\]<>“”]+")
_LETTERS = re.compile(r"[a-z']+")
_ACRONYM = re.compile(r"[A-Z](?:\.[A-Z])+")


def undo(chunk: str, vocabulary: Vocabulary) -> list[Edit]:
    """The corrections that the chunk needs, with places in it; none for nearly every chunk."""
    low = _plain_letters(chunk)
    core = low.strip(EDGES)
    start = low.find(core)
    if not core or low[max(start - 1, 0)] == "#" or vocabulary.is_word(core):
        return []
    if core[0] == "@":
        return _undo_mention(core, start, vocabulary)
    if _LETTERS.fullmatch(core):
        return _undo_letters(core, start, vocabulary)
    end = start + len(core)
    if _ACRONYM.fullmatch(chunk, start, end) and core.replace(".", "") not in vocabulary.words:
        return []
    return _undo_marked(low, start, end, vocabulary)


def _undo_marked(low: str, start: int, end: int, vocabulary: Vocabulary) -> list[Edit]:
    """A chunk with digits, symbols or marks inside: one word, or several between marks."""
    for first, last in _with_edges(low, start, end):
        found = decipher(low[first:last], vocabulary)
        if found is not None:
            return [Edit(first, last, found.word, found.hidden)]
    return [
        edit
        for part in _PART.finditer(low, start, end)
        for edit in _undo_part(part.group(), part.start(), vocabulary)
    ]


def _undo_mention(core: str, start: int, vocabulary: Vocabulary) -> list[Edit]:
    """A mention is somebody's name, unless it spells a listed word ("@ss")."""
    word = next((letters for letters in leet.readings(core) if letters in vocabulary.words), None)
    return [] if word is None else [Edit(start, start + len(core), word, hidden=True)]


def _undo_letters(letters: str, start: int, vocabulary: Vocabulary) -> list[Edit]:
    found = resolve(letters, vocabulary)
    if found is not None:
        return [Edit(start, start + len(letters), found.word, found.hidden)]
    return take_apart(letters, start, vocabulary)


def _undo_part(part: str, start: int, vocabulary: Vocabulary) -> list[Edit]:
    """A part of a chunk, between marks."""
    if vocabulary.is_word(part):
        return []
    if part[0] == "@":
        return _undo_mention(part, start, vocabulary)
    if _LETTERS.fullmatch(part):
        return _undo_letters(part, start, vocabulary)
    found = decipher(part, vocabulary)
    if found is not None:
        return [Edit(start, start + len(part), found.word, found.hidden)]
    return [
        edit
        for match in _LETTERS.finditer(part)
        for edit in take_apart(match.group(), start + match.start(), vocabulary)
    ]


def _with_edges(low: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The core by itself, then with a mark beside it that may be a letter ("!diot", "he||")."""
    yield start, end
    if start and low[start - 1] in _LETTERLIKE_EDGES:
        yield start - 1, end
    if end < len(low) and low[end] in _LETTERLIKE_EDGES:
        yield start, end + 1


def _plain_letters(chunk: str) -> str:
    """The chunk in lower case and without accents, character for character; empty where that cannot be."""
    if chunk.isascii():
        return chunk.lower()
    letters = [FOLDING[character] for character in chunk]
    return "".join(letters) if all(len(letter) == 1 for letter in letters) else ""
