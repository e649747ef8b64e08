"""What the neighbours of an event mean: similar events, a flood, a campaign. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.verdict import Campaign, SimilarEvent
from screener.similarity.index import Neighbour

MIN_COSINE = 0.85
"""e5-small-v2 puts unrelated texts around 0.75; below this nothing is worth an analyst's look."""

MAX_SIMILAR = 5
SEARCHED = 10
"""Neighbours asked of the index for each event."""

_NEAR_COSINE = 0.96
"""From here on two texts say the same thing with another name, number or link."""

_CAMPAIGN_EVENTS = 5
_CAMPAIGN_AUTHORS = 3
_CAMPAIGN_WORDS = 5
"""Greetings and `gg` are said by many; a campaign has something to say."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The neighbours, read: `near_duplicates` counts recent near-identical events."""

    similar: tuple[SimilarEvent, ...] = ()
    near_duplicates: int = 0
    campaign: Campaign | None = None


ALONE = Neighbourhood()
"""Where the index is not asked."""


def neighbourhood(
    neighbours: Sequence[Neighbour], *, author: bytes, words: int, now_ms: int, window_ms: int
) -> Neighbourhood:
    """Reads the neighbours of one event.

    Args:
        neighbours: nearest first.
        author: digest of the event's author (`seen.author_digest`).
        words: words of the event's text.
        now_ms: when the event is screened.
        window_ms: how recent a near-duplicate must be to count.
    """
    similar = tuple(SimilarEvent(n.event_id, n.cosine, n.category) for n in neighbours[:MAX_SIMILAR])
    near = [n for n in neighbours if n.cosine >= _NEAR_COSINE and now_ms - n.last_seen_ms <= window_ms]
    near_duplicates = sum(n.count for n in near)
    authors = {author}.union(*(n.authors for n in near))
    size = near_duplicates + 1
    campaign = None
    if size >= _CAMPAIGN_EVENTS and len(authors) >= _CAMPAIGN_AUTHORS and words >= _CAMPAIGN_WORDS:
        campaign = Campaign(max(near, key=lambda n: n.count).event_id, size, len(authors))
    return Neighbourhood(similar, near_duplicates, campaign)
