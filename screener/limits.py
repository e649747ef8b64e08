"""The bounds of the screener's parts, each made of its settings."""

from __future__ import annotations

from pipeline.keys import ONLY
from pipeline.move import StreamCaps
from screener.dead_letter_limit import DeadLetterBounds
from screener.hand_off import HandOffLimits
from screener.retention import Lives
from screener.settings import ScreenerSettings
from screener.worker import WorkerLimits


def worker_limits(settings: ScreenerSettings) -> WorkerLimits:
    """Of the queue's way."""
    return WorkerLimits(
        batch_size=settings.batch_size,
        batches_in_flight=settings.batches_in_flight,
        claim_idle_ms=settings.claim_idle_ms,
        max_deliveries=settings.max_deliveries,
        model_timeout_s=settings.model_timeout_ms / 1000,
        degrade=settings.model_down == "degrade",
        probe_s=settings.dead_letter_probe_seconds,
    )


def hand_off_limits(settings: ScreenerSettings) -> HandOffLimits:
    """Of the direct way. Past its lease an event is not ours any more."""
    return HandOffLimits(
        batch_size=settings.batch_size,
        batches_in_flight=settings.batches_in_flight,
        max_waiting=settings.handoff_max_waiting,
        model_timeout_s=min(settings.model_timeout_ms, settings.direct_lease_ms) / 1000,
        degrade=settings.model_down == "degrade",
    )


def dead_letter_bounds(settings: ScreenerSettings) -> DeadLetterBounds:
    """Past these the worker stops, rather than draining the queue into dead letters."""
    return DeadLetterBounds(
        max_share=settings.dead_letter_max_share,
        share_of=settings.dead_letter_share_of,
        min_count=settings.dead_letter_min_count,
        max_per_minute=settings.dead_letter_max_per_minute,
    )


def stream_caps(settings: ScreenerSettings) -> StreamCaps:
    """How many entries the streams of verdicts and embeddings hold."""
    return StreamCaps(
        {
            ONLY.reasoning_queue: settings.reasoning_archive_max_entries,
            ONLY.low_risk: settings.low_risk_max_entries,
            ONLY.embeddings: settings.similarity_max_events,
        }
    )


def lives(settings: ScreenerSettings) -> Lives:
    """How long what is held may live."""
    return Lives(
        streams={
            ONLY.reasoning_queue: settings.reasoning_archive_keep_seconds * 1000,
            ONLY.low_risk: settings.low_risk_keep_seconds * 1000,
            ONLY.embeddings: settings.similarity_keep_seconds * 1000,
        },
        dead_letters=settings.dead_letter_keep_seconds * 1000,
    )
