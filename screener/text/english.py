"""English words, to tell a word in disguise from a name, a number or another language.

The lists lie in `lists/`. `english.txt` holds the whole words of three letters or more of BERT's uncased
vocabulary (Google, Apache License 2.0), which is the encoder's own, about in order of frequency. The others
are the project's: what people write in chats and books lack, short words, words that hold sentences together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from math import log
from pathlib import Path

_FOLDER = Path(__file__).with_name("lists")

# Words that stand together so often that their letters are theirs before they are others' ("you area fool").
_SAID_TOGETHER = [
    (subject, verb, *more)
    for subjects, verb in (("you we they these those", "are"), ("he she it this that", "is"), ("i", "am"))
    for subject in subjects.split()
    for more in ((), ("a",), ("an",), ("the",), ("so",), ("such", "a"))
]

_ENDINGS = ("s", "es", "d", "ed", "ing", "in", "er", "ers", "r", "rs", "ly", "y", "ish", "ness", "n't", "'s")
_STEM_ENDINGS = ("s", "d")
_SHORTEST_STEM = 3
_LONGEST_SHORT = 3
_RANK_OF_FUNCTION = 70
_RANK_OF_PAIR = 400
_RANK_OF_CHAT = 2_000
_RANK_OF_PLURAL = 10_000


class English:
    """The words, with how surprising each is.

    Attributes:
        words: the words.
        function: those that hold a sentence together.
        said_together: words that are often said together, by how they look without a space.
        surprise: minus the logarithm of the frequency, but for a constant, of each word that may be read out
            of others' letters, and of the words said together.
    """

    def __init__(
        self, words: Iterable[str], *, chat: Iterable[str], short: Iterable[str], function: Iterable[str]
    ) -> None:
        """Takes words, the most frequent ones first, and lists of no order."""
        ranks = {word: rank for rank, word in enumerate(words)}
        self.function = frozenset(function)
        short = frozenset(short)
        ranks |= {word: ranks.get(word, _RANK_OF_CHAT) for word in [*chat, *short, *self.function]}
        self.words = frozenset(ranks)
        self.said_together: Mapping[str, Sequence[str]] = {"".join(words): words for words in _SAID_TOGETHER}
        self._common = short.union(self.function).union(word for word in ranks if len(word) > _LONGEST_SHORT)
        # Zipf's law: the frequency of a word goes with one over its rank.
        self.surprise: Mapping[str, float] = {
            **{f"{word}s": log(_RANK_OF_PLURAL) for word in self._common if len(word) >= _SHORTEST_STEM},
            **{word: log(ranks[word] + 30) for word in self._common},
            **{word: log(_RANK_OF_FUNCTION + 30) for word in self.function},
            **dict.fromkeys(self.said_together, log(_RANK_OF_PAIR)),
        }

    def knows(self, word: str) -> bool:
        """Whether this is an English word: one of the list, or of the same stem."""
        words = self.words
        if word in words:
            return True
        if word.endswith(_ENDINGS):
            for ending in _ENDINGS:
                stem = word.removesuffix(ending)
                if stem is not word and len(stem) >= _SHORTEST_STEM and stem in words:
                    return True
        return len(word) > _SHORTEST_STEM and (
            word + _STEM_ENDINGS[0] in words or word + _STEM_ENDINGS[1] in words
        )

    def may_hide(self, word: str) -> bool:
        """Whether the word is frequent or long enough to be read out of a disguise."""
        return word in self._common or (len(word) > _LONGEST_SHORT + 1 and self.knows(word))


@cache
def read_english() -> English:
    """The words of the lists; read once, for they never change."""
    return English(_read("english"), chat=_read("chat"), short=_read("short"), function=_read("function"))


def _read(name: str) -> list[str]:
    lines = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]
