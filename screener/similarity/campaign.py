"""What makes a campaign of many who say the same, and what leaves it a habit, a song or a joke. Pure.

Everybody repeats: greetings, "gg", "happy birthday", a chorus, a meme, a link that all must see. Four things
tell a campaign from that, all of events of the last `window_ms` that are directly near to the one at hand:

- it has something to say: `INFORMATIVE` words or more that are not everyday ones. Below that nothing is a
  campaign, and only what one author says again and again is a flood;
- it is many: `least_events` events by `least_authors` authors, no more than two events each on average;
- it wants something: most of it draws its readers somewhere (a link, a contact, an offer) or is harmful;
- or, where it does not, it is much text (`TELLING`), by nearly as many authors as there are events, and in
  other words each time. People copy a meme as it is, save for a name; who rewords the same long message for
  every account does not want the copies to be found.

What a verdict once called a campaign stays one for as long as it lasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from screener.similarity.family import Member

INFORMATIVE = 6
"""Informative words of a text. Of 4,692 lines of game chat in the validation split 3% have as many, of tweets
and comments more than half."""

TELLING = 8
"""Informative words from which on rewording alone is telling."""

_AUTHOR, _PUSHES = attrgetter("author"), attrgetter("pushes")
_SHARE = 0.5
_REWORDED = 1 / 3
_OF_THEIR_OWN = 0.75
_LEAST_OF_THEIR_OWN = 5


@dataclass(frozen=True, slots=True)
class CampaignPolicy:
    """How many make a campaign, and how soon one event must follow the last."""

    window_ms: int = 600_000
    least_events: int = 5
    least_authors: int = 3


def is_campaign(near: Sequence[Member], *, informative: int, reworded: float, policy: CampaignPolicy) -> bool:
    """Whether events that say nearly the same are a campaign.

    Args:
        near: those of the last `window_ms`, the one at hand included.
        informative: informative words of the one at hand.
        reworded: share of the others that say it in other words.
        policy: how many are many.
    """
    events = len(near)
    if informative < INFORMATIVE or events < policy.least_events:
        return False
    authors = len(set(map(_AUTHOR, near)))
    if authors < policy.least_authors or authors < _SHARE * events:
        return False
    if sum(map(_PUSHES, near)) >= _SHARE * events:
        return True
    many = authors >= max(_LEAST_OF_THEIR_OWN, _OF_THEIR_OWN * events)
    return informative >= TELLING and reworded >= _REWORDED and many
