"""The screening service: `python -m screener`, the one list of what is made of what."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Coroutine
from functools import partial
from typing import Any

import grpc
import uvloop
from prometheus_client import CollectorRegistry
from seawall.admin.v1 import admin_pb2, admin_pb2_grpc
from seawall.screening.v1 import screening_pb2, screening_pb2_grpc

from pipeline.audit import AuditLog
from pipeline.errors import StartupFailed, TaskFailed
from pipeline.guard import Guard
from pipeline.keys import GROUP, ONLY
from pipeline.keys_in_force import KeysInForce
from pipeline.move import Mover
from pipeline.processes.parent import run_processes
from pipeline.processes.place import Place, workers
from pipeline.quota import Quotas
from pipeline.readiness import Readiness
from pipeline.server import Endpoints, serve
from pipeline.settings import load
from pipeline.store import connect, store_ready
from pipeline.store_clock import StoreClock
from pipeline.tasks import end
from pipeline.telemetry import configure_logging
from pipeline.tls import CertificatesInForce
from pipeline.tls_watch import watch_certificates
from pipeline.verdict_tail import VerdictTail
from screener.admin import AdminService
from screener.assembly import compared_by
from screener.cache import EmbeddingCache
from screener.core import ScreeningCore, Similarity
from screener.dead_letter_limit import DeadLetterLimit
from screener.encoder import Encoder
from screener.forget import Forgetting
from screener.hand_off import HandOffs
from screener.hand_off_stream import HandOffDoor
from screener.housekeeping import Housekeeping
from screener.index_process import INDEX, run_index
from screener.lease import Lease
from screener.limits import dead_letter_bounds, hand_off_limits, lives, stream_caps, worker_limits
from screener.metrics import ScreenerMetrics
from screener.model_connections import ModelConnections
from screener.publish import Publication
from screener.recent_outputs import RecentOutputs
from screener.retention import Retention
from screener.rules_in_force import RulesInForce
from screener.service import ScreeningService
from screener.settings import ScreenerSettings
from screener.similar import SimilarTexts
from screener.source import Source
from screener.triton import MODEL
from screener.warm_up import work_warm
from screener.watch import Watches
from screener.worker import Worker


async def run(settings: ScreenerSettings, place: Place | None = None) -> None:
    """Builds the service and serves until a signal; `place` is that of one worker of several."""
    registry = CollectorRegistry()
    metrics = ScreenerMetrics(registry)
    keys = KeysInForce(
        keys=settings.keys,
        hand_off=settings.hand_off_keys,
        path=settings.api_keys_file,
        metrics=metrics.keys,
    )
    guard = Guard(keys.keys, metrics.observe_rpc, most_calls=settings.max_concurrent_rpcs)
    server_tls, redis_tls, triton_tls = (
        CertificatesInForce.of(files)
        for files in (
            settings.server_certificates,
            settings.redis_certificates,
            settings.triton_certificates,
        )
    )
    client = connect(
        settings.redis_url.get_secret_value(), timeout_ms=settings.redis_timeout_ms, certificates=redis_tls
    )
    clock = StoreClock(client)
    model_timeout_s = settings.model_timeout_ms / 1000

    models = ModelConnections.open(settings, metrics, triton_tls)
    cache = EmbeddingCache(client, ONLY, settings.digests, ttl_seconds=settings.embedding_cache_ttl_seconds)
    outputs = RecentOutputs(cache)
    queue_encoder, direct_encoder = (Encoder(model, outputs, metrics) for model in models.guarded())
    comparison, feed = compared_by(settings, client, metrics, clock, place)
    rules = RulesInForce(settings.custom_rules_path)
    queue_core, direct_core = (
        ScreeningCore(
            encoder=encoder,
            heuristics=rules.current,
            policy=settings.policy,
            model_name=MODEL,
            similarity=Similarity(comparison, settings.digests),
            clock_ms=clock.now_ms,
        )
        for encoder in (queue_encoder, direct_encoder)
    )
    source = Source(client, ONLY, consumer=f"{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}")
    caps = stream_caps(settings)
    publication = Publication(
        ONLY,
        settings.digests,
        settings.event_id_ttl_seconds * 1000,
        keep_low_risk_content=settings.keep_low_risk_content,
    )
    worker = Worker(
        source=source,
        core=queue_core,
        mover=Mover(client, ONLY, source=ONLY.raw, group=GROUP, caps=caps),
        publication=publication,
        metrics=metrics,
        limits=worker_limits(settings),
        dead_letter_limit=DeadLetterLimit(dead_letter_bounds(settings)),
        model_ready=models.breaker.ready,
        clock_ms=clock.now_ms,
    )
    hand_offs = HandOffs(
        core=direct_core,
        mover=Mover(client, ONLY, source=ONLY.direct, group="", caps=caps),
        keys=ONLY,
        publication=publication,
        metrics=metrics,
        limits=hand_off_limits(settings),
        clock_ms=clock.now_ms,
    )
    # Each watcher blocks a connection of its own, so they take none from the others.
    watch_client = connect(
        settings.redis_url.get_secret_value(),
        timeout_ms=settings.redis_timeout_ms,
        max_connections=max(1, settings.watch_max_watchers),
        certificates=redis_tls,
    )
    watches = Watches(
        VerdictTail(watch_client, ONLY),
        metrics,
        max_watchers=settings.watch_max_watchers,
        stall_s=settings.watch_stall_ms / 1000,
        block_ms=min(1_000, settings.redis_timeout_ms // 2),
    )
    warm = asyncio.Event()
    service = ScreeningService(
        direct_core,
        SimilarTexts(direct_encoder, comparison, heuristics=rules.current, model_timeout_s=model_timeout_s),
        HandOffDoor(hand_offs, ready=warm),
        watches,
        Quotas(metrics.keys),
        batch_size=settings.batch_size,
        batches_in_flight=settings.batches_in_flight,
        max_waiting=settings.screener_max_waiting,
        stream_in_flight=settings.screener_stream_in_flight,
        model_timeout_s=model_timeout_s,
        clock_ms=clock.now_ms,
    )

    admin = AdminService(
        Forgetting(
            client,
            ONLY,
            digests=settings.digests,
            cache=cache,
            model=models.queue,
            heuristics=rules.current,
        )
    )

    async def index_ready() -> bool:
        return feed.caught_up.is_set()

    working = asyncio.create_task(
        work_warm(worker, feed, queue_encoder, model_timeout_s, warm), name="worker"
    )
    lease = Lease(client, ONLY, lease_ms=settings.direct_lease_ms)
    housekeeping = Housekeeping(
        client,
        ONLY,
        source,
        lease,
        metrics,
        retention=Retention(client, ONLY, lives(settings), metrics),
        watch_keep_ms=settings.watch_keep_seconds * 1000,
    )
    tasks = (
        working,
        asyncio.create_task(clock.run(), name="clock"),
        asyncio.create_task(feed.run(), name="index_feed"),
        asyncio.create_task(rules.watch(), name="rules"),
        asyncio.create_task(
            watch_certificates((server_tls, redis_tls, triton_tls), metrics.certificates), name="certificates"
        ),
        asyncio.create_task(
            keys.watch(
                who="screener", record=AuditLog(client, ONLY).record, each_time=guard.end_calls_of_ended_keys
            ),
            name="keys",
        ),
        asyncio.create_task(housekeeping.run(), name="housekeeping"),
    )

    def stop() -> None:
        worker.stop()
        hand_offs.stop()
        warm.set()  # streams that wait for it are told of the drain instead
        watches.stop()

    async def drain() -> None:
        if not feed.caught_up.is_set():
            working.cancel()  # it has not begun, so there is nothing to end
        calls, handed = asyncio.create_task(service.drain()), asyncio.create_task(hand_offs.drain())
        await asyncio.wait([working, calls, handed], timeout=settings.drain_grace_ms / 1000)
        await end((calls, handed, *tasks))
        await models.close()
        await watch_client.aclose()
        await client.aclose()

    await serve(
        endpoints=endpoints(settings, place),
        guard=guard,
        register=lambda server: _register(server, service, admin),
        services=(
            screening_pb2.DESCRIPTOR.services_by_name["ScreeningService"].full_name,
            admin_pb2.DESCRIPTOR.services_by_name["AdminService"].full_name,
        ),
        readiness=Readiness(
            {
                "redis": partial(store_ready, client),
                "model": models.breaker.check,
                "index": index_ready,
                "dead_letter_limit": worker.takes_entries,
            },
            timeout_s=settings.redis_timeout_ms / 1000,
            settings={"redis": "REDIS_URL", "model": "TRITON_GRPC_URL"},
        ),
        registry=registry,
        certificates=server_tls,
        tasks=tasks,
        stop=stop,
        drain=drain,
    )


def endpoints(settings: ScreenerSettings, place: Place | None = None) -> Endpoints:
    """Where the service, or one process of it, listens."""
    return Endpoints.of(
        settings, grpc_port=settings.screener_grpc_port, http_port=settings.screener_http_port, place=place
    )


def run_workers(settings: ScreenerSettings) -> Coroutine[Any, Any, None]:
    """Runs the service as several processes, and one for the index, until a signal."""
    return run_processes(
        (INDEX, *workers(settings.screener_workers)),
        last=(INDEX,),
        endpoints=endpoints(settings),
        certificates=CertificatesInForce.of(settings.server_certificates),
        stop_within_s=2 * (settings.drain_grace_ms + settings.model_timeout_ms) / 1000,
    )


def _register(server: grpc.aio.Server, service: ScreeningService, admin: AdminService) -> None:
    screening_pb2_grpc.add_ScreeningServiceServicer_to_server(service, server)
    admin_pb2_grpc.add_AdminServiceServicer_to_server(admin, server)


def main() -> None:
    """Starts the service; a fault at start is one line on standard error."""
    try:
        settings = load(ScreenerSettings)
        place = Place.of(sys.argv)
        configure_logging(service="screener", level=settings.log_level, part=place.part if place else None)
        if place is not None:
            uvloop.run(run_index(settings, place) if place.part == INDEX else run(settings, place))
        else:
            uvloop.run(run(settings) if settings.screener_workers == 1 else run_workers(settings))
    except (StartupFailed, TaskFailed) as error:
        sys.exit(f"screener: {error}")


if __name__ == "__main__":
    main()
