"""Listed words that a space breaks ("fu ck", "k ill"), written together again."""

from __future__ import annotations

from screener.text.chunks import Chunks
from screener.text.draft import Draft, Edit
from screener.text.kinds import EDGES
from screener.text.vocabulary import Vocabulary

_MOST_PIECES = 3
_SHORTEST = 4


def mend(draft: Draft, chunks: Chunks, vocabulary: Vocabulary) -> bool:
    """Join neighbours that are a listed word together and one of them none; say whether there are any."""
    edits: list[Edit] = []
    for index in sorted([*chunks.unknown, *chunks.singles]):
        start, end = chunks.spans[index]
        if draft.text[start:end].rstrip(EDGES).lower() not in vocabulary.fragments:
            continue
        for first, last in _windows(index, len(chunks.spans)):
            start, end = chunks.spans[first][0], chunks.spans[last][1]
            if edits and start < edits[-1].end:
                continue
            word = _joined(draft.text[start:end].rstrip(EDGES), vocabulary)
            if word is not None:
                edits.append(Edit(start, start + len(word) + last - first, word, hidden=True))
                break
    draft.apply(edits)
    return bool(edits)


def _joined(pieces: str, vocabulary: Vocabulary) -> str | None:
    """The listed word that pieces with single spaces between make, if they are written alike."""
    if not all(map(str.isalpha, pieces.split(" "))):
        return None
    word = pieces.replace(" ", "")
    low = word.lower()
    if len(low) < _SHORTEST or low not in vocabulary.words:
        return None
    alike = word == low or word.isupper() or word == word.capitalize()  # not "PO box"
    return low if alike else None


def _windows(index: int, count: int) -> list[tuple[int, int]]:
    """First and last of the neighbours that may make a word with the one at `index`, most of them first."""
    return [
        (first, first + pieces - 1)
        for pieces in range(_MOST_PIECES, 1, -1)
        for first in range(max(index - pieces + 1, 0), min(index, count - pieces) + 1)
    ]
