"""Content into words as they are meant, each with its span in the original.

The steps, each linear in the length of the text: undo disguises (`plain`), fold characters (`fold`), set
links, addresses and mentions apart, then read the words (`reading`). Nothing here knows what a word means.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from screener.text.draft import Draft
from screener.text.fold import Folded, fold
from screener.text.links import Link, find_emails, find_links
from screener.text.plain import reveal
from screener.text.reading import Reading, plain_spans, read, read_plain
from screener.text.vocabulary import Vocabulary

_NO_VOCABULARY = Vocabulary()


class Normalised(NamedTuple):
    """A text's words as they are meant.

    Attributes:
        content: the original.
        folded: the folded text, with punctuation.
        words: the words; a mention is `MENTION`. `text` joins them with single spaces.
        disguised: the indices of words that the vocabulary knows but that were not written plainly.
        links: links, with spans in `folded.text`.
        emails: spans of e-mail addresses in `folded.text`.
        places: what `spans` is made of.
    """

    content: str
    folded: Folded
    words: Sequence[str]
    disguised: frozenset[int]
    links: tuple[Link, ...]
    emails: Sequence[tuple[int, int]]
    places: Reading | Sequence[tuple[int, int]] | None

    @property
    def is_plain(self) -> bool:
        """Whether it is ASCII without a disguise, a link, an address or a repeated character."""
        return self.places is None

    @property
    def text(self) -> str:
        """The normalised text: the words, joined by single spaces."""
        return " ".join(self.words)

    @property
    def spans(self) -> Sequence[tuple[int, int]]:
        """For each word its span (start, end) in the original, in code points. Ask once, not in a loop."""
        if self.places is None:
            return plain_spans(self.folded.text)
        return self.places.spans if isinstance(self.places, Reading) else self.places


def normalise(content: str, vocabulary: Vocabulary = _NO_VOCABULARY) -> Normalised:
    """Normalise any content. `vocabulary`: the words to recognise in disguise."""
    return normalise_revealed(content, reveal(content, vocabulary), vocabulary)


def normalise_revealed(content: str, draft: Draft, vocabulary: Vocabulary) -> Normalised:
    """As `normalise`, of content that `reveal` has put into plain writing already."""
    folded = _folded(draft)
    text = folded.text
    links = find_links(text)
    emails = find_emails(text)
    if not links and not emails:
        words = read_plain(text, vocabulary)
        if words is not None and folded.origin is None and content.isascii():
            return Normalised(content, folded, words, frozenset(), links, emails, None)
    reading = read(_without(text, links, emails), vocabulary)
    if folded.origin is None and content.isascii() and not draft.hidden:
        return Normalised(
            content, folded, reading.words, frozenset(reading.disguised), links, emails, reading
        )
    spans = reading.spans
    if folded.origin is not None:
        spans = [folded.span(start, end) for start, end in spans]
    return Normalised(
        content=content,
        folded=folded,
        words=reading.words,
        disguised=frozenset(reading.disguised | _hidden(draft, content, reading.words, spans, vocabulary)),
        links=links,
        emails=emails,
        places=spans,
    )


def _folded(draft: Draft) -> Folded:
    """The text in plain writing, folded, with places in the original."""
    folded = fold(draft.text)
    if draft.origin is None:
        return folded
    if folded.origin is None:
        return Folded(folded.text, draft.origin)
    return Folded(folded.text, [draft.origin[place] for place in folded.origin])


def _hidden(
    draft: Draft,
    content: str,
    words: Sequence[str],
    spans: Sequence[tuple[int, int]],
    vocabulary: Vocabulary,
) -> set[int]:
    """The indices of known words that were hidden, or written with other characters than plain letters."""
    if content.isascii() and not draft.hidden:
        return set()
    return {
        index
        for index, (word, span) in enumerate(zip(words, spans, strict=True))
        if word in vocabulary.words and (not content[slice(*span)].isascii() or draft.is_hidden(*span))
    }


def _without(text: str, links: tuple[Link, ...], emails: Sequence[tuple[int, int]]) -> str:
    """The text with blanks in place of links and addresses."""
    if not links and not emails:
        return text
    pieces = []
    position = 0
    for start, end in sorted([*((link.start, link.end) for link in links), *emails]):
        if start >= position:
            pieces += [text[position:start], " " * (end - start)]
            position = end
    return "".join([*pieces, text[position:]])
