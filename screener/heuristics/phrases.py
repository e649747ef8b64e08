"""Phrases in normalised words: a small language, and a search that takes a bounded number of look-ups a word.

A phrase is words with spaces between. `<name>` stands for any entry of a group, `[word]` or `[<name>]` may be
missing, `_` is any one word. `i <will> [<swear>] <kill> <you>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, pairwise, product, zip_longest
from operator import or_
from typing import Any

ANY = "_"
_END = ""  # no word is empty
LONGEST = 12
"""Words in a phrase at most: what bounds the search at each word."""


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase found: the names filed under it, and its first and last word."""

    names: tuple[str, ...]
    first: int
    last: int


def expand(phrase: str, groups: Mapping[str, Sequence[str]]) -> Iterable[tuple[str, ...]]:
    """Every sequence of keys that the phrase stands for: words, `<group>` (single words) and `_`.

    Raises:
        KeyError: a group that does not exist.
        ValueError: the phrase is empty, starts with `_`, has an open bracket, or is too long.
    """
    choices: list[list[tuple[str, ...]]] = []
    for written in phrase.split():
        optional = written.startswith("[")
        if optional != written.endswith("]") or written.startswith("<") != written.endswith(">"):
            raise ValueError("open bracket")
        key = written[1:-1] if optional else written
        choices.append([*_alternatives(key, groups), *([()] if optional else [])])
    for parts in product(*choices):
        keys = tuple(key for part in parts for key in part)
        if not keys or keys[0] == ANY or len(keys) > LONGEST:
            raise ValueError(f"a phrase has 1 to {LONGEST} words and does not start with {ANY}")
        yield keys


def _alternatives(key: str, groups: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    if not key.startswith("<"):
        return [(key,)]
    entries = groups[key[1:-1]]
    longer = [tuple(entry.split()) for entry in entries if " " in entry]
    return [(key,), *longer] if len(longer) < len(entries) else longer


class PhraseIndex:
    """Phrases by their words; build once, then only `find`."""

    def __init__(self, groups: Mapping[str, Sequence[str]]) -> None:
        """Groups of single or several words each."""
        self._groups = groups
        self._root: dict[str, Any] = {}
        self._classes: dict[str, tuple[str, ...]] = {}
        for name, entries in groups.items():
            for entry in entries:
                if " " not in entry:
                    self._classes[entry] = (*self._classes.get(entry, ()), f"<{name}>")
        # For each word that begins a phrase, where the phrases go on: most words are looked up here and miss.
        self._first: dict[str, dict[str, dict[str, Any]]] = {}
        self._beginnings: tuple[frozenset[str], frozenset[tuple[str, str]]] | None = None

    def add(self, phrase: str, name: str) -> None:
        """File a phrase under a name; raises as `expand` does."""
        self._beginnings = None
        for keys in expand(phrase, self._groups):
            node = self._root
            for key in keys:
                node = node.setdefault(key, {})
            names = node.get(_END, ())
            if name not in names:
                node[_END] = (*names, name)
            for word in self._members(keys[0]):
                self._first.setdefault(word, {})[keys[0]] = self._root[keys[0]]

    def find(self, words: Sequence[str]) -> list[Match]:
        """Every match, in order of the first word."""
        found: list[Match] = []
        for first in self._places(words):
            for node in self._first[words[first]].values():
                self._follow(node, words, first, first, found)
        return found

    def _places(self, words: Sequence[str]) -> Sequence[int]:
        """Where a phrase may begin: in most texts nowhere, as two sets tell without a step for each word."""
        if self._beginnings is None:
            self._beginnings = self._find_beginnings()
        alone, pairs = self._beginnings
        if alone.isdisjoint(words) and pairs.isdisjoint(pairwise(words)):
            return ()
        neighbours = zip_longest(words, words[1:])
        begins = map(or_, map(alone.__contains__, words), map(pairs.__contains__, neighbours))
        return list(compress(range(len(words)), begins))

    def _find_beginnings(self) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
        """Words that are phrases or begin one that goes on with any word; pairs that begin the others."""
        alone: set[str] = set()
        pairs: set[tuple[str, str]] = set()
        for word, nodes in self._first.items():
            keys = {key for node in nodes.values() for key in node}
            if not keys.isdisjoint((_END, ANY)):
                alone.add(word)
            else:
                pairs.update((word, member) for key in keys for member in self._members(key))
        return frozenset(alone), frozenset(pairs)

    def _follow(
        self, node: dict[str, Any], words: Sequence[str], first: int, last: int, found: list[Match]
    ) -> None:
        """Collect the matches from the word `first` on, of which the words up to `last` led to `node`."""
        names = node.get(_END)
        if names is not None:
            found.append(Match(names, first, last))
            if len(node) == 1:
                return
        last += 1
        if last == len(words):
            return
        word = words[last]
        if word in node:
            self._follow(node[word], words, first, last, found)
        for key in self._classes.get(word, ()):
            if key in node:
                self._follow(node[key], words, first, last, found)
        if ANY in node:
            self._follow(node[ANY], words, first, last, found)

    def _members(self, key: str) -> Iterable[str]:
        if not key.startswith("<"):
            return (key,)
        return (entry for entry in self._groups[key[1:-1]] if " " not in entry)
