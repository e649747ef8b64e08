"""Content in plain writing: what is disguised is put back, and what is not stays as it is, byte for byte.

The model reads this text, for its vocabulary knows "idiot", and of "1d1ot" only the parts; and so do the
rules. The steps, each linear in the length: characters (`styles`, `turned`, `lookalikes`), letters that stand
singly (`spelled`), words that a space breaks (`mended`), and words (`undo`).
"""

from __future__ import annotations

from collections.abc import Sequence

from screener.text import leet
from screener.text.chunks import Chunks, chunks_of, spans_of
from screener.text.decipher import decipher_boldly
from screener.text.draft import Draft, Edit
from screener.text.lookalikes import straighten
from screener.text.mended import mend
from screener.text.spelled import join_spelled
from screener.text.styles import unstyle
from screener.text.turned import turn_back
from screener.text.undo import undo
from screener.text.vocabulary import Vocabulary

_FEWEST_LEET = 2
"""Words spelled with digits and symbols from which on the short ones of a text are read so too."""

_LONGEST_REMEMBERED, _MOST_REMEMBERED = 24, 16_384


def plain(content: str, vocabulary: Vocabulary) -> str:
    """The content in plain writing, which the model reads; time grows linearly with its length."""
    return reveal(content, vocabulary).text


def reveal(content: str, vocabulary: Vocabulary) -> Draft:
    """The content in plain writing, with where each character came from and what was hidden."""
    draft = Draft(content)
    if vocabulary.english is None:
        return draft
    if not content.isascii():
        unstyle(draft, vocabulary)
        turn_back(draft, vocabulary)
        straighten(draft, vocabulary)
    chunks = chunks_of(draft.text, vocabulary)
    if chunks.are_plain:
        return draft
    if chunks.may_be_spelled and join_spelled(draft, vocabulary):
        chunks = chunks_of(draft.text, vocabulary)
    if mend(draft, chunks, vocabulary):
        chunks = chunks_of(draft.text, vocabulary)
    _undo_words(draft, chunks, vocabulary)
    return draft


def _undo_words(draft: Draft, chunks: Chunks, vocabulary: Vocabulary) -> None:
    edits = [
        Edit(start + edit.start, start + edit.end, edit.new, edit.hidden)
        for start, end in map(chunks.spans.__getitem__, chunks.unknown)
        for edit in _undone(draft.text[start:end], vocabulary)
    ]
    spelled_with_digits = sum(
        not leet.CHARACTERS.isdisjoint(draft.text[edit.start : edit.end]) for edit in edits
    )
    draft.apply(edits)
    if spelled_with_digits >= _FEWEST_LEET:
        _undo_boldly(draft, vocabulary)


def _undone(chunk: str, vocabulary: Vocabulary) -> Sequence[Edit]:
    """As `undo`, remembered: names, slang and slips come again, and one takes longer than ten words."""
    known = vocabulary.undone.get(chunk)
    if known is None:
        known = undo(chunk, vocabulary)
        if len(chunk) <= _LONGEST_REMEMBERED:
            if len(vocabulary.undone) >= _MOST_REMEMBERED:
                vocabulary.undone.clear()
            vocabulary.undone[chunk] = known
    return known


def _undo_boldly(draft: Draft, vocabulary: Vocabulary) -> None:
    """Read what is left with digits and symbols: the text has shown that they are letters."""
    edits = []
    for start, end in spans_of(draft.text):
        core = draft.text[start:end].lower().rstrip(".,;:?")
        word = decipher_boldly(core, vocabulary)
        if word is not None and word != core:
            edits.append(Edit(start, start + len(core), word, hidden=True))
    draft.apply(edits)
