from __future__ import annotations

from screener.similarity.index import SimilarityIndex
from screener.similarity.versions import VersionedIndexes
from tests.screener.similarity.test_index import seal_now, seen, unit_vectors


def indexes() -> VersionedIndexes:
    return VersionedIndexes(
        lambda: SimilarityIndex(max_events=1_000, segment_events=500, window_ms=60_000, seal_later=seal_now)
    )


async def found(held: VersionedIndexes, i: int, *, version: int) -> list[str]:
    [near] = await held.search(VECTORS[i][None], version=version, k=5, min_cosine=0.9)
    return [neighbour.event_id for neighbour in near]


VECTORS = unit_vectors(4)


async def test_vectors_of_two_versions_never_meet() -> None:
    held = indexes()
    await held.add([seen(1, VECTORS[0], version=1), seen(2, VECTORS[0], version=2)])
    assert await found(held, 0, version=1) == ["e1"]
    assert await found(held, 0, version=2) == ["e2"]
    assert await found(held, 0, version=3) == []


async def test_a_step_back_finds_its_index_again() -> None:
    held = indexes()
    await held.add([seen(1, VECTORS[0], version=1)])
    await held.add([seen(2, VECTORS[1], version=2)])
    await held.add([seen(3, VECTORS[2], version=1)])
    assert await found(held, 0, version=1) == ["e1"]
    assert await found(held, 2, version=1) == ["e3"]


async def test_a_third_version_takes_the_place_of_the_one_without_news() -> None:
    held = indexes()
    event = seen(1, VECTORS[0])
    for version in (1, 2, 1, 3):
        await held.add([event._replace(model_version=version)])
    assert [bool(await found(held, 0, version=v)) for v in (1, 2, 3)] == [True, False, True]
    assert len(held) == 2


async def test_an_author_is_forgotten_in_every_version() -> None:
    held = indexes()
    await held.add([seen(i, VECTORS[0], version=i, author=7) for i in (1, 2)])
    await held.add([seen(3, VECTORS[1], version=2, author=8)])
    assert await held.forget((7).to_bytes(8, "big")) == 2
    assert [await found(held, 0, version=version) for version in (1, 2)] == [[], []]
    assert await found(held, 1, version=2) == ["e3"]


async def test_what_was_captured_is_restored_with_the_order_in_which_versions_go() -> None:
    held = indexes()
    await held.add([seen(1, VECTORS[0], version=1)])
    await held.add([seen(2, VECTORS[1], version=2)])
    await held.add([seen(3, VECTORS[2], version=1)])
    other = indexes()
    await other.restore(await held.capture())
    assert await found(other, 0, version=1) == ["e1"]
    assert await found(other, 1, version=2) == ["e2"]
    await other.add([seen(4, VECTORS[3], version=3)])
    assert [len(await found(other, i, version=v)) for i, v in ((0, 1), (1, 2), (3, 3))] == [1, 0, 1]
