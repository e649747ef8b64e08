"""A text that somebody asks about is encoded as events are."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from screener.encoder import Encoder
from screener.metrics import ScreenerMetrics
from screener.similar import SimilarTexts
from screener.similarity.campaign import CampaignPolicy
from screener.similarity.comparison import LocalComparison
from screener.similarity.index import SimilarityIndex
from screener.similarity.versions import VersionedIndexes
from tests.fixtures.model import ModelInMemory
from tests.fixtures.screening import HEURISTICS


async def test_a_disguised_text_is_looked_for_in_plain_writing() -> None:
    model = ModelInMemory()
    indexes = VersionedIndexes(
        lambda: SimilarityIndex(
            max_events=100,
            segment_events=100,
            window_ms=60_000,
            seal_later=lambda segment: segment.seal(segment.sealing()()),
        )
    )
    similar = SimilarTexts(
        Encoder(model, None, ScreenerMetrics(CollectorRegistry())),
        LocalComparison(indexes, CampaignPolicy()),
        heuristics=lambda: HEURISTICS,
        model_timeout_s=5,
    )
    version, found = await similar.find("you 1d1ot, g o   a w a y", limit=3, min_cosine=0.9)
    assert (version, found) == (1, ())
    assert model.asked == [["you idiot, go   away"]]
