from __future__ import annotations

import numpy as np
import pytest
from pydantic import SecretStr

from pipeline.errors import StartupFailed
from screener.assembly import indexes_of
from screener.settings import ScreenerSettings
from screener.similarity.exact import OnProcessors
from screener.similarity.index import SimilarityIndex
from screener.similarity.segment import Segment
from tests.screener.similarity.test_index import seen, unit_vectors


class Fast(OnProcessors):
    """Exact search that needs no lists beside it, as on a GPU."""

    is_fast = True


def never(segment: Segment) -> None:
    raise AssertionError(segment)


def an_index() -> SimilarityIndex:
    return SimilarityIndex(
        max_events=10_000, segment_events=1_500, window_ms=60_000, seal_later=never, exact=Fast()
    )


def test_where_exact_search_is_fast_there_are_no_lists_and_nothing_is_missed() -> None:
    vectors = unit_vectors(2_500)
    index = an_index()
    index.add([seen(i, vector) for i, vector in enumerate(vectors)])
    index.forget((0).to_bytes(8, "big"))
    index.add([seen(i, vector, author=1) for i, vector in enumerate(vectors)])
    queries = unit_vectors(20)
    truth = np.argsort(-(queries @ vectors.T), axis=1)[:, :5]
    found = index.search(queries, k=5, min_cosine=-1.0)
    assert [[n.event_id for n in near] for near in found] == [[f"e{i}" for i in row] for row in truth]
    restored = an_index()
    restored.restore(index.capture())
    restored.seal()
    assert [[n.event_id for n in near] for near in restored.search(queries, k=5, min_cosine=-1.0)] == [
        [n.event_id for n in near] for near in found
    ]


def test_a_gpu_that_is_not_there_is_told_at_the_start() -> None:
    settings = ScreenerSettings(
        redis_url=SecretStr("redis://127.0.0.1:1/0"),
        dedup_secret=SecretStr("s" * 32),
        similarity_device="cuda",
    )
    with pytest.raises(StartupFailed, match="SIMILARITY_DEVICE=cuda"):
        indexes_of(settings)
