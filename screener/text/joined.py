"""Words that stand together without spaces ("killyourself"), taken apart."""

from __future__ import annotations

from collections.abc import Sequence

from screener.text.draft import Edit
from screener.text.vocabulary import Vocabulary

_SHORTEST = 6
_SHORTEST_SENTENCE = 14
_FEWEST_WORDS = 4
_LETTERS_A_WORD = 3.0
_SHORTEST_LISTED = 4
_SHORTEST_FUNCTION = 3
# Short words that follow a verb rather than end a longer word.
_FOLLOWING = frozenset(["up", "me", "it", "we", "he", "is"])
# English builds words of what are words too: "trans is tor" is none that somebody joined.
_BEGINNINGS = frozenset(
    ["in", "un", "re", "over", "under", "out", "up", "counter", "inter", "super", "trans"]
)
_NEVER_LAST = frozenset(["a", "an", "the", "i", "and", "or", "of"])
_ENDINGS = frozenset(
    ["able", "ability", "ting", "ties", "ness", "less", "ship", "ment", "ism", "ally", "ions"]
)


def take_apart(letters: str, start: int, vocabulary: Vocabulary) -> list[Edit]:
    """The spaces that are missing in lower-case letters, which stand at `start`; none if no sentence."""
    words = sentence(letters, vocabulary)
    edits = []
    place = start
    for word in words[:-1]:
        place += len(word)
        edits.append(Edit(place, place, " ", hidden=False))
    return edits


def sentence(letters: str, vocabulary: Vocabulary) -> Sequence[str]:
    """The words of a sentence without spaces; empty if it is none."""
    if len(letters) < _SHORTEST:
        return ()
    words = vocabulary.cut(letters)
    return words if words is not None and len(words) > 1 and _is_sentence(words, vocabulary) else ()


def _is_sentence(words: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Whether the words belong together by more than chance: two of them also make names ("Cockburn")."""
    held_together = any(len(word) >= _SHORTEST_FUNCTION and vocabulary.holds_together(word) for word in words)
    letters = sum(map(len, words))
    if letters < _LETTERS_A_WORD * len(words) or words[-1] in _NEVER_LAST:
        return False
    if any(word in vocabulary.words and len(word) >= _SHORTEST_LISTED for word in words):
        return held_together or words[-1] in _FOLLOWING
    return (
        held_together
        and len(words) >= _FEWEST_WORDS
        and letters >= _SHORTEST_SENTENCE
        and words[0] not in _BEGINNINGS
        and words[-1] not in _ENDINGS
    )
