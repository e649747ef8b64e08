from __future__ import annotations

from pipeline.verdict import Category
from screener.similarity.index import Neighbour
from screener.similarity.neighbourhood import neighbourhood

NOW_MS = 1_000_000


def near(event_id: str, cosine: float, *, count: int = 1, authors: int = 1, age_ms: int = 0) -> Neighbour:
    people = frozenset(bytes([i]) * 8 for i in range(1, authors + 1))
    return Neighbour(event_id, cosine, Category.SPAM, count, people, NOW_MS - age_ms)


def read(*neighbours: Neighbour, words: int = 8):  # type: ignore[no-untyped-def]  # the result's type is the module's own
    return neighbourhood(neighbours, author=b"me" * 4, words=words, now_ms=NOW_MS, window_ms=60_000)


def test_names_the_nearest_five() -> None:
    result = read(*(near(f"e{i}", 0.95 - i / 100) for i in range(7)))
    assert [s.event_id for s in result.similar] == ["e0", "e1", "e2", "e3", "e4"]


def test_counts_recent_near_duplicates_alone() -> None:
    result = read(near("a", 0.99, count=3), near("b", 0.97, age_ms=60_001), near("c", 0.90))
    assert result.near_duplicates == 3
    assert result.campaign is None


def test_many_by_many_authors_are_a_campaign_named_after_its_first_event() -> None:
    campaign = read(near("first", 0.99, count=6, authors=3), near("other", 0.97)).campaign
    assert campaign is not None
    assert (campaign.campaign_id, campaign.size, campaign.authors) == ("first", 8, 4)


def test_one_persons_repetition_is_no_campaign() -> None:
    assert read(near("first", 0.99, count=20, authors=1)).campaign is None


def test_a_greeting_is_no_campaign() -> None:
    assert read(near("gg", 1.0, count=500, authors=64), words=1).campaign is None
