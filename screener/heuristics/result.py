"""What the rules are told beside the text, and what they answer."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.verdict import HARMFUL, Flag

NO_EVIDENCE: tuple[float, ...] = (0.0,) * len(HARMFUL)


class Context(NamedTuple):
    """What is known beside the text.

    Attributes:
        author_reputation: standing of the author, 0..1; None means unknown.
        channel_history_count: earlier messages of the author in the channel; None means unknown.
        near_duplicates: near-identical recent events by other authors, and repeats, as the index counts them.
    """

    author_reputation: float | None = None
    channel_history_count: int | None = None
    near_duplicates: int = 0


class TextScore(NamedTuple):
    """What the rules say of the text alone: byte-equal texts share one.

    Attributes:
        flags: the matches, in order of start. The first match of a rule carries the rule's weight, further
            ones carry 0: a rule counts once.
        evidence: one value in 0..1 for each of `HARMFUL`: how surely the rules alone show that category.
        words: how many words the text has.
        solicits: whether a rule matched that draws the reader somewhere (link, invitation, contact).
    """

    flags: tuple[Flag, ...]
    evidence: tuple[float, ...]
    words: int
    solicits: bool


class HeuristicResult(NamedTuple):
    """What the rules say of an event.

    Attributes:
        score: 0..1, the noisy-or of the flags' weights: 1 - (1 - w1)(1 - w2)...
        flags: as in `TextScore`, with those of the context.
        evidence: as in `TextScore`.
    """

    score: float
    flags: tuple[Flag, ...]
    evidence: tuple[float, ...]
