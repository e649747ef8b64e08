"""The index against brute force in NumPy."""

from __future__ import annotations

import faiss
import numpy as np
from numpy.typing import NDArray

from pipeline.verdict import Category
from screener.model import EMBEDDING_WIDTH
from screener.similarity.family import Standing
from screener.similarity.index import SimilarityIndex
from screener.similarity.seen import Said, Seen
from screener.similarity.segment import Segment

RANDOM = np.random.default_rng(7)


def unit_vectors(n: int) -> NDArray[np.float32]:
    vectors = RANDOM.standard_normal((n, EMBEDDING_WIDTH)).astype(np.float32)
    lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


def seen(
    i: int, vector: NDArray[np.float32], *, version: int = 1, text: bytes | None = None, author: int = 0
) -> Seen:
    return Seen(
        event_id=f"e{i}",
        category=Category.TOXIC,
        model_version=version,
        author=author.to_bytes(8, "big"),
        text=text if text is not None else i.to_bytes(16, "big"),
        seen_at_ms=1_000 + i,
        vector=vector,
    )


def seal_now(segment: Segment) -> None:
    faiss.omp_set_num_threads(1)  # as in the thread that does it
    segment.seal(segment.sealing()())


def index(*, max_events: int = 100_000, segment_events: int = 500) -> SimilarityIndex:
    return SimilarityIndex(
        max_events=max_events, segment_events=segment_events, window_ms=60_000, seal_later=seal_now
    )


def test_finds_what_brute_force_finds_across_segments() -> None:
    vectors, queries = unit_vectors(1_300), unit_vectors(20)
    similarity = index(segment_events=500)  # three segments, too small for a graph: exact
    similarity.add([seen(i, v) for i, v in enumerate(vectors)])
    truth = np.argsort(-(queries @ vectors.T), axis=1)[:, :5]
    found = similarity.search(queries, k=5, min_cosine=-1.0)
    assert [[n.event_id for n in hits] for hits in found] == [[f"e{i}" for i in row] for row in truth]


def test_a_sealed_segment_still_finds_nearly_all() -> None:
    centres = unit_vectors(60)
    vectors = np.repeat(centres, 50, axis=0) + 0.02 * RANDOM.standard_normal((3_000, EMBEDDING_WIDTH)).astype(
        np.float32
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = index(segment_events=1_500)
    similarity.add([seen(i, v) for i, v in enumerate(vectors)])
    queries = vectors[::100]
    truth = np.argsort(-(queries @ vectors.T), axis=1)[:, :10]
    found = similarity.search(queries, k=10, min_cosine=-1.0)
    hits = [
        len({n.event_id for n in near} & {f"e{i}" for i in row})
        for near, row in zip(found, truth, strict=True)
    ]
    assert np.mean(hits) / 10 >= 0.95


def test_an_identical_text_joins_its_family_and_adds_no_vector() -> None:
    [vector] = unit_vectors(1)
    similarity = index()
    similarity.add([seen(1, vector, text=b"t" * 16, author=1), seen(2, vector, text=b"t" * 16, author=2)])
    similarity.add([seen(3, vector, text=b"t" * 16, author=2)])
    assert len(similarity) == 1
    [[near]] = similarity.search(vector[None], k=5, min_cosine=0.9)
    assert near.event_id == "e1"
    assert near.family.standing() == Standing("e1", "e1", began_ms=1_001, events=3, authors=2)
    assert near.family.last_ms == 1_003


def test_the_oldest_segment_goes_when_there_are_too_many() -> None:
    vectors = unit_vectors(1_000)
    similarity = index(max_events=500, segment_events=250)
    similarity.add([seen(i, v) for i, v in enumerate(vectors)])
    assert 500 <= len(similarity) <= 750
    [gone] = similarity.search(vectors[:1], k=1, min_cosine=0.99)
    [kept] = similarity.search(vectors[-1:], k=1, min_cosine=0.99)
    assert gone == []
    assert [n.event_id for n in kept] == ["e999"]
    similarity.add([seen(0, vectors[0])])  # a text that was dropped counts as new
    assert similarity.search(vectors[:1], k=1, min_cosine=0.99)[0][0].family.events == 1


def test_what_is_dropped_is_gone_at_once_and_leaves_its_families_bit_by_bit() -> None:
    vectors = unit_vectors(810)
    similarity = index(max_events=400, segment_events=400)
    similarity.add([seen(i, v) for i, v in enumerate(vectors[:801])])
    assert len(similarity) == 401
    similarity.add([seen(801, vectors[801]), seen(5, vectors[5])])  # one that was dropped comes again
    [[near]] = similarity.search(vectors[5:6], k=1, min_cosine=0.99)
    assert (near.event_id, near.family.events, len(similarity)) == ("e5", 1, 403)
    for i in range(802, 810):
        similarity.add([seen(i, vectors[i])])
    assert len(similarity.capture().families) == len(similarity) == 411
    assert similarity.search(vectors[6:7], k=1, min_cosine=0.99) == [[]]


def test_a_family_keeps_name_and_beginning_when_its_first_texts_are_dropped() -> None:
    vectors = unit_vectors(1_000)
    similarity = index(max_events=500, segment_events=250)
    standing: tuple[Standing, ...] = ()
    for i, vector in enumerate(vectors):
        said = Said(informative=9, families=standing if i % 2 else ())  # every second text is of one family
        similarity.add([seen(i, vector, author=i)._replace(said=said)])
        [[near]] = similarity.search(vector[None], k=1, min_cosine=0.99)
        if i == 0 or i % 2:
            standing = (near.family.standing(),)
    assert standing == (Standing("e0", "e0", began_ms=1_000, events=501, authors=501),)


def test_nothing_below_the_least_cosine() -> None:
    vectors = unit_vectors(100)
    similarity = index()
    similarity.add([seen(i, v) for i, v in enumerate(vectors)])
    assert all(
        [n.cosine >= 0.9 for n in near] == [True] for near in similarity.search(vectors, k=9, min_cosine=0.9)
    )


def test_past_those_that_are_shown_only_linked_ones_are_told() -> None:
    [query], others = unit_vectors(1), unit_vectors(20)
    vectors = query + np.linspace(0.1, 2.0, 20, dtype=np.float32)[:, None] * others
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = index()
    similarity.add([seen(i, v) for i, v in enumerate(vectors)])
    [every] = similarity.search(query[None], k=16, min_cosine=0.5)
    linked = sum(neighbour.cosine >= 0.9 for neighbour in every)
    assert 2 < linked < 8 < len(every)
    for shown in (2, 8):
        [told] = similarity.search(query[None], k=16, min_cosine=0.5, shown=shown, linked=0.9)
        assert told == every[: max(shown, linked)]


def test_what_is_too_old_is_forgotten_whole_segments_and_all() -> None:
    vectors = unit_vectors(700)
    similarity = index(segment_events=200)
    similarity.add([seen(i, v) for i, v in enumerate(vectors)])  # screened at 1,000 + i
    assert similarity.forget_before(1_450) == 450
    assert len(similarity) == 250
    assert similarity.search(vectors[449:450], k=1, min_cosine=0.99) == [[]]
    assert [n.event_id for n in similarity.search(vectors[450:451], k=1, min_cosine=0.99)[0]] == ["e450"]
    similarity.add([seen(2, vectors[2])])  # said again, it is new
    assert similarity.search(vectors[2:3], k=1, min_cosine=0.99)[0][0].family.events == 1
    assert similarity.forget_before(5_000) == 251
    similarity.add([seen(1, vectors[1])])
    assert [n.event_id for n in similarity.search(vectors[1:2], k=1, min_cosine=0.99)[0]] == ["e1"]
