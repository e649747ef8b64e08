from __future__ import annotations

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from screener.similarity.lists import REMEMBERED_K, Lists, lists_for
from tests.screener.similarity.test_index import unit_vectors

VECTORS = unit_vectors(2_500).astype("<f2").astype(np.float32)


@pytest.fixture(scope="module")
def lists() -> Lists:
    faiss.omp_set_num_threads(1)
    return Lists.empty().grown(VECTORS[:2_000])


def nearest(lists: Lists, vectors: NDArray[np.float32], k: int = 1) -> list[int]:
    _, numbers = lists.search(vectors, k)
    return [int(number) for number in numbers[:, 0]]


def test_cosines_are_exact(lists: Lists) -> None:
    cosines, numbers = lists.search(VECTORS[:50], 5)
    assert numbers[:, 0].tolist() == list(range(50))
    assert np.allclose(
        cosines, np.take_along_axis(VECTORS[:50] @ VECTORS[:2_000].T, numbers, axis=1), atol=1e-5
    )


def test_more_neighbours_than_are_remembered_begin_with_the_same(lists: Lists) -> None:
    few, many = (lists.search(VECTORS[:50], k)[1] for k in (REMEMBERED_K, 3 * REMEMBERED_K))
    assert many.shape == (50, 3 * REMEMBERED_K)
    assert few[:, 0].tolist() == many[:, 0].tolist()


def test_those_before_do_not_see_what_they_grew_by(lists: Lists) -> None:
    grown = lists.grown(VECTORS[2_000:])
    assert nearest(grown, VECTORS[2_400:2_401]) == [2_400]
    assert nearest(lists, VECTORS[2_400:2_401]) != [2_400]
    assert (len(lists), len(grown)) == (2_000, 2_500)
    assert np.array_equal(grown.vectors(), VECTORS)


def test_they_grow_by_the_same_centroids_until_they_are_many(lists: Lists) -> None:
    centroids = len(lists.encode()) - len(lists.emptied().encode())
    assert centroids > 0
    assert nearest(lists.emptied().grown(VECTORS[2_000:2_100]), VECTORS[2_050:2_051]) == [50]
    assert [lists_for(count) for count in (1, 1_024, 4_096, 65_536, 1_000_000)] == [1, 64, 256, 1_024, 2_048]


def test_what_is_forgotten_is_in_neither_vectors_nor_codes_nor_memory() -> None:
    lists = Lists.empty().grown(VECTORS[:1_100])
    before = lists.encode()
    assert nearest(lists, VECTORS[[7, 9]]) == [7, 9]
    lists.forget([7])
    assert not lists.vectors()[7].any()
    cosines, numbers = lists.search(VECTORS[7:8], 5)
    assert 7 not in numbers.tolist()[0]
    assert cosines.max() < 0.9
    assert nearest(lists, VECTORS[9:10]) == [9]
    # 96 bytes of codes at most, and nothing else: the forgotten one's.
    changed = np.flatnonzero(np.frombuffer(before, np.uint8) != np.frombuffer(lists.encode(), np.uint8))
    assert 0 < len(changed) <= 192


def test_decoded_they_find_the_same(lists: Lists) -> None:
    decoded = Lists.decode(memoryview(lists.encode()), VECTORS)
    cosines, numbers = lists.search(VECTORS[::50], 9)
    again, same = decoded.search(VECTORS[::50], 9)
    assert np.array_equal(cosines, again)
    assert np.array_equal(numbers, same)


def test_bytes_that_are_no_lists_are_refused(lists: Lists) -> None:
    with pytest.raises(RuntimeError):
        Lists.decode(memoryview(b"no lists"), VECTORS)
    with pytest.raises(ValueError, match="more vectors"):
        Lists.decode(memoryview(lists.encode()), VECTORS[:1_999])
