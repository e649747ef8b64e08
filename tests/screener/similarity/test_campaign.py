from __future__ import annotations

from screener.similarity.campaign import INFORMATIVE, TELLING, CampaignPolicy, is_campaign
from screener.similarity.family import Member

POLICY = CampaignPolicy(window_ms=60_000, least_events=5, least_authors=3)


def crowd(events: int, authors: int, *, pushing: int = 0) -> list[Member]:
    return [Member(i, bytes([i % authors]), b"text", pushes=i < pushing) for i in range(events)]


def judged(members: list[Member], *, informative: int = 12, reworded: float = 0.0) -> bool:
    return is_campaign(members, informative=informative, reworded=reworded, policy=POLICY)


def test_many_who_want_something_are_a_campaign() -> None:
    assert judged(crowd(5, 3, pushing=5))
    assert judged(crowd(6, 3, pushing=3))
    assert not judged(crowd(7, 4, pushing=3))


def test_few_are_none() -> None:
    assert not judged(crowd(4, 4, pushing=4))
    assert not judged(crowd(20, 2, pushing=20))


def test_one_who_repeats_himself_is_none_whatever_two_others_say() -> None:
    assert not judged([*crowd(6, 1, pushing=6), *crowd(3, 3, pushing=3)])


def test_who_has_nothing_to_say_is_none_however_many_they_are() -> None:
    assert not judged(crowd(60, 60, pushing=60), informative=INFORMATIVE - 1)
    assert judged(crowd(60, 60, pushing=60), informative=INFORMATIVE)


def test_a_meme_is_none_and_its_rewording_by_as_many_accounts_is_one() -> None:
    assert not judged(crowd(15, 15))
    assert judged(crowd(15, 15), reworded=0.5)
    assert not judged(crowd(15, 15), reworded=0.2)


def test_rewording_alone_tells_only_with_much_text_and_an_account_for_nearly_each() -> None:
    assert not judged(crowd(15, 15), reworded=1.0, informative=TELLING - 1)
    assert not judged(crowd(15, 10), reworded=1.0)
    assert not judged(crowd(5, 4), reworded=1.0)


def test_how_many_is_the_deployments_to_say() -> None:
    members = crowd(5, 3, pushing=5)
    for policy in (CampaignPolicy(least_events=6), CampaignPolicy(least_authors=4)):
        assert not is_campaign(members, informative=12, reworded=0.0, policy=policy)
