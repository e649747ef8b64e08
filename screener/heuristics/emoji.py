"""Rules on emoji: a flood of them, and those that are aimed at somebody."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from screener.heuristics.shape import Shape, Span
from screener.text import Normalised

_EMOJI = re.compile("[\u2600-\u27bf\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f900-\U0001faff]")
_MIDDLE_FINGER = re.compile("\U0001f595+")
# Kitchen knife, dagger, pistol, bomb, axe. No skull, coffin or blood: they stand for laughter and for horror.
_WEAPON = re.compile("[\U0001f52a\U0001f5e1\U0001f52b\U0001f4a3\U0001fa93]+")
# Monkey, monkey face, gorilla, orangutan, pig face, pig, rat, cockroach. The three wise monkeys are shyness.
_BEAST = re.compile("[\U0001f412\U0001f435\U0001f98d\U0001f9a7\U0001f437\U0001f416\U0001f400\U0001fab3]+")


def emoji_flood(content: str, _text: Normalised, shape: Shape) -> Sequence[Span]:
    """At least `emoji` emoji."""
    if content.isascii() or len(content) < shape.limits["emoji"]:
        return ()
    spans = [match.span() for match in _EMOJI.finditer(content)]
    return [(spans[0][0], spans[-1][1])] if len(spans) >= shape.limits["emoji"] else ()


def obscene_emoji(content: str, _text: Normalised, _shape: Shape) -> Sequence[Span]:
    """A middle finger."""
    return () if content.isascii() else [match.span() for match in _MIDDLE_FINGER.finditer(content)]


def weapon_emoji(content: str, text: Normalised, shape: Shape) -> Sequence[Span]:
    """A weapon with one of `words` at most `reach` words away."""
    return _beside(_WEAPON, content, text, shape)


def beast_emoji(content: str, text: Normalised, shape: Shape) -> Sequence[Span]:
    """An animal that people are called, with one of `words` at most `reach` words away."""
    return _beside(_BEAST, content, text, shape)


def _beside(emoji: re.Pattern[str], content: str, text: Normalised, shape: Shape) -> Sequence[Span]:
    if content.isascii():
        return ()
    found = [match.span() for match in emoji.finditer(content)]
    if not found or shape.words.isdisjoint(text.words):
        return ()
    starts = [start for start, _ in text.spans]
    reach = int(shape.limits["reach"])
    near = []
    for span in found:
        after = bisect_left(starts, span[0])
        if not shape.words.isdisjoint(text.words[max(after - reach, 0) : after + reach]):
            near.append(span)
    return near
