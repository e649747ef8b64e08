"""Which rules on a text's shape are worth asking: most find nothing in most texts, as one look tells."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from screener.heuristics.rules import Rule, Rules
from screener.heuristics.shape import FindShape
from screener.heuristics.shapes import (
    NEED_LINKS,
    NEED_ODD_TEXT,
    NEED_OTHER_THAN_ASCII,
    NEED_THEIR_WORDS,
    SHAPES,
)
from screener.text import Normalised


class ShapeRules:
    """The rules, by what a text must have for them to find anything."""

    def __init__(self, rules: Rules) -> None:
        def those(names: Iterable[str]) -> list[tuple[Rule, FindShape]]:
            return [(rules.rules[name], SHAPES[name][0]) for name in sorted(names)]

        # A deployment may say that no bait at all is enough.
        need_words = {name for name in NEED_THEIR_WORDS if rules.rules[name].shape.limits.get("bait", 1) > 0}
        self._of_links = those(NEED_LINKS)
        self._of_others = those(NEED_OTHER_THAN_ASCII)
        self._of_words = those(need_words)
        self._of_odd = those(NEED_ODD_TEXT)
        self._of_all = those(SHAPES.keys() - NEED_LINKS - NEED_OTHER_THAN_ASCII - need_words - NEED_ODD_TEXT)
        self._words = frozenset[str]().union(*(rule.shape.words for rule, _ in self._of_words))

    def worth_asking(self, text: Normalised) -> Iterable[tuple[Rule, FindShape]]:
        """The rules that may find something in this text."""
        if text.is_plain and self._words.isdisjoint(text.words):  # about every second message
            return self._of_all
        ascii_only = text.content.isascii()
        return chain(
            self._of_all,
            () if text.is_plain else self._of_odd,
            () if ascii_only and self._words.isdisjoint(text.words) else self._of_words,
            self._of_links if text.links else (),
            () if ascii_only else self._of_others,
        )
