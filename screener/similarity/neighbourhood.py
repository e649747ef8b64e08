"""What the neighbours of an event mean: similar events, a flood, a campaign. Pure."""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from pipeline.verdict import Campaign, SimilarEvent
from screener.similarity.campaign import INFORMATIVE, CampaignPolicy, is_campaign
from screener.similarity.family import Family, Member, united
from screener.similarity.index import Neighbour
from screener.similarity.seen import NOTHING_SAID, Said

MIN_COSINE = 0.85
"""e5-small-v2 puts unrelated texts around 0.75; below this nothing is worth an analyst's look."""

MAX_SIMILAR = 5
"""Earlier events of a verdict."""

SEARCHED = 16
"""Neighbours asked of the index for each event."""

NEAR = 0.96
"""From here on two texts say the same thing with another name, number or link."""

REWORDED = 0.90
"""From here on two texts with something to say (`INFORMATIVE`) say the same thing in other words. In the
validation split's 17,734 messages, half of those long enough have their nearest neighbour of the same source
below 0.86, and all but one in twenty below 0.90."""


class Utterance(NamedTuple):
    """What the index must know of the event at hand.

    Attributes:
        author: digest of its author.
        text: digest of its text.
        informative: informative words of its text.
        solicits: whether a rule saw that it draws its readers somewhere.
        at_ms: when it is screened, ms since the epoch.
    """

    author: bytes
    text: bytes
    informative: int
    solicits: bool
    at_ms: int


class Neighbourhood(NamedTuple):
    """The neighbours, read.

    Attributes:
        similar: the nearest earlier events.
        near_duplicates: recent events that say the same, by many authors; or, where there is little to say in
            it, by the same one.
        campaign: the campaign that the event belongs to.
        said: what the index is to be told of the event.
    """

    similar: tuple[SimilarEvent, ...] = ()
    near_duplicates: int = 0
    campaign: Campaign | None = None
    said: Said = NOTHING_SAID


_AT_MS, _AUTHOR, _TEXT = attrgetter("at_ms"), attrgetter("author"), attrgetter("text")

ALONE = Neighbourhood()
"""Where the index is not asked."""


def neighbourhood(
    neighbours: Sequence[Neighbour], utterance: Utterance, policy: CampaignPolicy
) -> Neighbourhood:
    """Reads the neighbours of one event, nearest first. They count where their family still lasts."""
    similar = tuple(SimilarEvent(n.event_id, n.cosine, n.category) for n in neighbours[:MAX_SIMILAR])
    telling = utterance.informative >= INFORMATIVE
    linked = [
        n
        for n in neighbours
        if n.cosine >= (REWORDED if telling else NEAR)
        and (n.informative >= INFORMATIVE) == telling
        and n.family.lasts(utterance.at_ms, policy.window_ms)
    ]
    if not linked and policy.least_events > 1:  # as most: nothing to count, and one event is no campaign
        return Neighbourhood(
            similar, said=Said(informative=utterance.informative, solicits=utterance.solicits)
        )
    families = list({n.family.name: n.family for n in linked}.values())
    texts = {n.text for n in linked}
    same = {n.text for n in linked if n.cosine >= NEAR}
    near = _said(texts, families, since_ms=utterance.at_ms - policy.window_ms)
    alike = near if len(same) == len(texts) else [member for member in near if member.text in same]
    me = Member(utterance.at_ms, utterance.author, utterance.text, utterance.solicits)
    campaign = None
    if (telling and any(family.campaign for family in families)) or is_campaign(
        [*near, me],
        informative=utterance.informative,
        reworded=1 - len(alike) / max(1, len(near)),
        policy=policy,
    ):
        campaign = _campaign(families, me)
    return Neighbourhood(
        similar=similar,
        near_duplicates=len(alike) if telling else list(map(_AUTHOR, alike)).count(me.author),
        campaign=campaign,
        said=Said(
            informative=utterance.informative,
            solicits=utterance.solicits,
            campaign=campaign is not None,
            families=tuple(family.standing() for family in families),
        ),
    )


def _said(texts: Set[bytes], families: Sequence[Family], *, since_ms: int) -> list[Member]:
    """The remembered members of families that said one of these texts, no earlier than `since_ms`."""
    members = list(chain.from_iterable([family.recent for family in families]))
    # Of a flood that is all of them, 64 for each event: told in a tenth of the time of looking at each.
    if texts >= set(map(_TEXT, members)) and min(map(_AT_MS, members), default=0) >= since_ms:
        return members
    return [member for member in members if member.text in texts and member.at_ms >= since_ms]


def _campaign(families: Sequence[Family], me: Member) -> Campaign:
    so_far = united(families)
    is_new = not any(me.author in family.authors() for family in families)
    return Campaign(
        campaign_id=so_far.name,
        size=so_far.events + 1,
        authors=so_far.authors + is_new,
        first_event_id=so_far.first_event_id,
        began_at_ms=so_far.began_ms,
    )
