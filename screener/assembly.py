"""Parts of the screener that are made of several settings, for whoever runs its core."""

from __future__ import annotations

from screener.core import Similarity
from screener.metrics import ScreenerMetrics
from screener.settings import ScreenerSettings
from screener.similarity.campaign import CampaignPolicy
from screener.similarity.feed import Sealer
from screener.similarity.index import SimilarityIndex
from screener.similarity.snapshot_folder import SnapshotFolder
from screener.similarity.snapshots import Snapshots
from screener.similarity.versions import VersionedIndexes


def similarity_of(settings: ScreenerSettings) -> Similarity:
    """The indexes, empty, and what a flood and a campaign are."""
    campaigns = CampaignPolicy(
        window_ms=settings.flood_window_seconds * 1000,
        least_events=settings.campaign_min_events,
        least_authors=settings.campaign_min_authors,
    )
    seal_later = Sealer()
    indexes = VersionedIndexes(
        lambda: SimilarityIndex(
            max_events=settings.similarity_max_events,
            segment_events=settings.similarity_segment_events,
            window_ms=campaigns.window_ms,
            seal_later=seal_later,
        )
    )
    return Similarity(indexes, campaigns, settings.digests)


def snapshots_of(settings: ScreenerSettings, metrics: ScreenerMetrics) -> Snapshots | None:
    """The snapshots of the indexes; None where none are wanted."""
    if settings.snapshot_dir is None:
        return None
    folder = SnapshotFolder(settings.snapshot_dir)
    return Snapshots(folder, metrics, interval_s=settings.snapshot_interval_seconds)
