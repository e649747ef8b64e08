"""The screener's core and its publication in this process: what the services add is measured against it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from pipeline.keys import ONLY
from pipeline.move import Mover, StreamCaps
from pipeline.store import connect
from pipeline.tasks import end
from screener.assembly import comparison_of, indexes_of
from screener.cache import EmbeddingCache
from screener.core import ScreeningCore, Similarity
from screener.encoder import Encoder
from screener.hand_off import HandOffLimits, HandOffs
from screener.metrics import ScreenerMetrics
from screener.publish import Publication
from screener.recent_outputs import RecentOutputs
from screener.rules_in_force import RulesInForce
from screener.settings import ScreenerSettings
from screener.similarity.feed import IndexFeed
from screener.tokens import Tokenizer
from screener.triton import MODEL, TritonModel
from scripts.system.system import TOKENIZER, System


@asynccontextmanager
async def in_process_hand_offs(system: System) -> AsyncIterator[HandOffs]:
    """Hand-offs on a running system's Redis and Triton, with the settings that a screener has by default."""
    settings = ScreenerSettings(
        redis_url=SecretStr(system.redis_url),
        dedup_secret=SecretStr(system.dedup_secret),
        triton_grpc_url=system.triton.grpc_url,
        tokenizer_path=TOKENIZER,
    )
    metrics = ScreenerMetrics(CollectorRegistry())
    client = connect(system.redis_url, timeout_ms=settings.redis_timeout_ms)
    model = TritonModel.connect(settings.triton_grpc_url, Tokenizer.from_file(settings.tokenizer_path))
    indexes = indexes_of(settings)
    feed = IndexFeed(client, ONLY, indexes, metrics)
    feeding = asyncio.create_task(feed.run())
    await feed.caught_up.wait()
    cache = EmbeddingCache(client, ONLY, settings.digests, ttl_seconds=settings.embedding_cache_ttl_seconds)
    try:
        yield HandOffs(
            core=ScreeningCore(
                encoder=Encoder(model, RecentOutputs(cache), metrics),
                heuristics=RulesInForce(None).current,
                policy=settings.policy,
                model_name=MODEL,
                similarity=Similarity(comparison_of(settings, indexes), settings.digests),
            ),
            mover=Mover(client, ONLY, source=ONLY.direct, group="", caps=StreamCaps()),
            keys=ONLY,
            publication=Publication(
                ONLY, settings.digests, settings.event_id_ttl_seconds * 1000, keep_low_risk_content=False
            ),
            metrics=metrics,
            limits=HandOffLimits(
                batch_size=settings.batch_size,
                batches_in_flight=settings.batches_in_flight,
                max_waiting=settings.handoff_max_waiting,
                model_timeout_s=settings.model_timeout_ms / 1000,
                degrade=False,
            ),
        )
    finally:
        await end([feeding])
        await model.close()
        await client.aclose()
