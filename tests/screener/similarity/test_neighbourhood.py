from __future__ import annotations

from pipeline.verdict import Campaign, Category
from screener.similarity.campaign import INFORMATIVE, CampaignPolicy
from screener.similarity.family import Family, Member, Standing
from screener.similarity.index import Neighbour
from screener.similarity.neighbourhood import (
    MAX_SIMILAR,
    NEAR,
    REWORDED,
    Neighbourhood,
    Utterance,
    neighbourhood,
)

NOW_MS = 1_000_000
WINDOW_MS = 60_000
POLICY = CampaignPolicy(window_ms=WINDOW_MS, least_events=5, least_authors=3)
ME = Utterance(author=b"me", text=b"mine", informative=12, solicits=True, at_ms=NOW_MS)


def family(name: str, *members: Member, campaign: bool = False) -> Family:
    result = Family.known_as(Standing(name, name, began_ms=members[0].at_ms, events=0, authors=0))
    for member in members:
        result.add(member)
    result.campaign = campaign
    return result


def said(by: int, *, text: str = "text", age_ms: int = 0, pushes: bool = True) -> Member:
    return Member(NOW_MS - age_ms, bytes([by]), text.encode(), pushes)


def near(
    of: Family, *, cosine: float = 0.98, text: str = "text", informative: int = 12, event_id: str = "e"
) -> Neighbour:
    return Neighbour(event_id, cosine, Category.SPAM, text.encode(), informative, of)


def read(*neighbours: Neighbour, me: Utterance = ME) -> Neighbourhood:
    return neighbourhood(neighbours, me, POLICY)


def test_names_the_nearest_five() -> None:
    result = read(
        *(near(family(f"e{i}", said(i)), event_id=f"e{i}", cosine=0.89 - i / 100) for i in range(7))
    )
    assert [s.event_id for s in result.similar] == ["e0", "e1", "e2", "e3", "e4"]
    assert len(result.similar) == MAX_SIMILAR
    assert (result.near_duplicates, result.campaign, result.said.families) == (0, None, ())


def test_many_by_many_are_a_campaign_with_name_size_authors_and_beginning() -> None:
    gift = family("first", said(1, age_ms=50_000), *(said(by) for by in (2, 3, 4, 1, 2)))
    result = read(near(gift))
    assert result.campaign == Campaign("first", 7, 5, first_event_id="first", began_at_ms=NOW_MS - 50_000)
    assert result.said.campaign
    assert result.said.families == (gift.standing(),)


def test_an_author_who_was_there_is_not_counted_again() -> None:
    gift = family("first", *(said(by) for by in (1, 2, 3, 4, 1)))
    campaign = read(near(gift), me=ME._replace(author=bytes([1]))).campaign
    assert campaign is not None
    assert campaign.authors == 4


def test_the_size_knows_no_limit_of_neighbours() -> None:
    gift = family("first", *(said(i % 250) for i in range(1_000)))
    campaign = read(near(gift)).campaign
    assert campaign is not None
    assert (campaign.size, campaign.authors) == (1_001, 251)


def test_families_that_meet_are_one_campaign_under_the_name_of_the_larger() -> None:
    small = family("small", said(1, age_ms=9_000), said(2))
    large = family("large", *(said(by, text="other") for by in (3, 4, 5)))
    result = read(near(small), near(large, text="other", cosine=0.95))
    assert result.campaign == Campaign("large", 6, 6, first_event_id="small", began_at_ms=NOW_MS - 9_000)
    assert [standing.name for standing in result.said.families] == ["small", "large"]


def test_what_is_one_stays_one_while_it_lasts() -> None:
    dying = family("first", said(1, age_ms=WINDOW_MS), campaign=True)
    assert read(near(dying), me=ME._replace(solicits=False)).campaign is not None
    over = family("first", said(1, age_ms=WINDOW_MS + 1), campaign=True)
    result = read(near(over))
    assert (result.campaign, result.said.families) == (None, ())


def test_one_persons_repetition_is_a_flood_and_no_campaign() -> None:
    result = read(near(family("first", *(said(1) for _ in range(20)))), me=ME._replace(author=bytes([1])))
    assert result.campaign is None
    assert result.near_duplicates == 20


def test_a_greeting_is_neither_and_is_a_flood_where_one_repeats_it() -> None:
    greeting = family("gm", *(said(by % 8) for by in range(40)))
    me = ME._replace(informative=1, author=bytes([1]))
    result = read(near(greeting, informative=1), me=me)
    assert result.campaign is None
    assert result.near_duplicates == 5


def test_only_what_is_recent_and_near_counts() -> None:
    gift = family("first", said(1, age_ms=WINDOW_MS + 1), said(2), said(3, text="far"), said(4))
    assert read(near(gift)).near_duplicates == 2
    assert read(near(gift, cosine=NEAR - 0.01)).near_duplicates == 0


def test_in_other_words_counts_for_those_who_have_something_to_say() -> None:
    gift = family("first", *(said(by) for by in range(6)))
    assert read(near(gift, cosine=REWORDED)).campaign is not None
    assert read(near(gift, cosine=REWORDED - 0.01)).campaign is None
    short = ME._replace(informative=INFORMATIVE - 1)
    assert read(near(gift, cosine=NEAR - 0.01, informative=1), me=short).said.families == ()
    assert read(near(gift, cosine=NEAR, informative=1), me=short).said.families == (gift.standing(),)


def test_small_talk_and_messages_with_something_to_say_are_never_one_family() -> None:
    talk = family("talk", *(said(by) for by in range(6)))
    assert read(near(talk, informative=1)).said.families == ()


def test_a_hoax_is_told_from_a_meme_by_its_words() -> None:
    plain = ME._replace(solicits=False)
    texts = [f"text {by}" for by in range(6)]
    crowd = family("first", *(said(by, text=text, pushes=False) for by, text in enumerate(texts)))
    copied = [near(crowd, text=text, cosine=0.985) for text in texts]
    reworded = [near(crowd, text=text, cosine=0.94) for text in texts]
    assert read(*copied, me=plain).campaign is None
    assert read(*reworded, me=plain).campaign is not None
