"""Parts of the screener that are made of several settings, for whoever runs its core."""

from __future__ import annotations

import redis.asyncio as aioredis

from pipeline.keys import ONLY
from pipeline.processes.place import Place
from pipeline.store_clock import StoreClock
from screener.metrics import ScreenerMetrics
from screener.settings import ScreenerSettings
from screener.similarity.campaign import CampaignPolicy
from screener.similarity.comparison import Comparison, LocalComparison
from screener.similarity.exact import exact_on
from screener.similarity.feed import IndexFeed, Sealer
from screener.similarity.index import SimilarityIndex
from screener.similarity.shared import SharedComparison, socket_of
from screener.similarity.snapshot_folder import SnapshotFolder
from screener.similarity.snapshots import Snapshots
from screener.similarity.versions import VersionedIndexes

INDEX_TIMEOUT_S = 5.0
"""Most time for an answer of the host's index process."""


def compared_by(
    settings: ScreenerSettings,
    client: aioredis.Redis,
    metrics: ScreenerMetrics,
    clock: StoreClock,
    place: Place | None,
) -> tuple[Comparison, IndexFeed | SharedComparison]:
    """By what events are compared, and what fills it: here or, for one of several, in the index process.

    Raises:
        StartupFailed: the index is wanted on a GPU, and there is none.
    """
    if place is not None:
        shared = SharedComparison(socket_of(place.folder), timeout_s=INDEX_TIMEOUT_S)
        return shared, shared
    indexes = indexes_of(settings)
    return comparison_of(settings, indexes), index_feed(settings, client, indexes, metrics, clock)


def indexes_of(settings: ScreenerSettings) -> VersionedIndexes:
    """The indexes, empty.

    Raises:
        StartupFailed: they are wanted on a GPU, and there is none.
    """
    seal_later = Sealer()
    exact = exact_on(settings.similarity_device)
    return VersionedIndexes(
        lambda: SimilarityIndex(
            max_events=settings.similarity_max_events,
            segment_events=settings.similarity_segment_events,
            window_ms=settings.flood_window_seconds * 1000,
            seal_later=seal_later,
            exact=exact,
        )
    )


def comparison_of(settings: ScreenerSettings, indexes: VersionedIndexes) -> LocalComparison:
    """By these indexes, with the settings' idea of a flood and of a campaign."""
    policy = CampaignPolicy(
        window_ms=settings.flood_window_seconds * 1000,
        least_events=settings.campaign_min_events,
        least_authors=settings.campaign_min_authors,
    )
    return LocalComparison(indexes, policy)


def index_feed(
    settings: ScreenerSettings,
    client: aioredis.Redis,
    indexes: VersionedIndexes,
    metrics: ScreenerMetrics,
    clock: StoreClock,
) -> IndexFeed:
    """What fills the indexes, from a snapshot and from the stream."""
    return IndexFeed(
        client,
        ONLY,
        indexes,
        metrics,
        snapshots_of(settings, metrics),
        keep_ms=settings.similarity_keep_seconds * 1000,
        clock_ms=clock.now_ms,
    )


def snapshots_of(settings: ScreenerSettings, metrics: ScreenerMetrics) -> Snapshots | None:
    """The snapshots of the indexes; None where none are wanted."""
    if settings.snapshot_dir is None:
        return None
    folder = SnapshotFolder(settings.snapshot_dir)
    return Snapshots(folder, metrics, interval_s=settings.snapshot_interval_seconds)
