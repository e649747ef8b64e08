"""What the rules on a text's shape are given, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from screener.text import Normalised

Span = tuple[int, int]
"""First character of a match in the original content, and one past the last."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a shape rule is given beside the text: its numbers and its words, from the rules file."""

    limits: Mapping[str, float] = field(default_factory=dict)
    words: frozenset[str] = frozenset()


FindShape = Callable[[str, Normalised, Shape], Sequence[Span]]
"""Content, its words, the rule's numbers and words: the spans that match. Linear in the content's length."""
