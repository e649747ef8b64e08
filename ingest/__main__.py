"""The ingestion service: `python -m ingest`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

import uvloop
from prometheus_client import CollectorRegistry
from seawall.ingest.v1 import ingest_pb2, ingest_pb2_grpc

from ingest.direct.open_sender import open_sender
from ingest.event_status import EventStatuses
from ingest.guarded_admission import GuardedAdmission
from ingest.intake import Intake
from ingest.metrics import IngestMetrics
from ingest.service import IngestService
from ingest.settings import IngestSettings
from ingest.verdicts import Verdicts
from pipeline.admission import Admission, AdmissionLimits
from pipeline.collector import NEW_OBJECTS_OF_CALLS, settle
from pipeline.errors import StartupFailed, TaskFailed
from pipeline.guard import Guard
from pipeline.keys import ONLY
from pipeline.keys_in_force import KeysInForce, record_in_log
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

ANSWERED_BY = 0.75
"""The share of the grace period after which calls that still wait for a verdict are answered without it."""

ENDING_S = 5.0
"""What a process of several gets beside its grace periods before it is killed."""


async def run(settings: IngestSettings, place: Place | None = None) -> None:
    """Builds the service and serves until a signal; `place` is that of one process of several."""
    registry = CollectorRegistry()
    metrics = IngestMetrics(registry)
    keys = KeysInForce(keys=settings.keys, path=settings.api_keys_file, metrics=metrics.keys)
    guard = Guard(keys.keys, metrics.observe_rpc, most_calls=settings.max_concurrent_rpcs)
    server_tls, redis_tls, screener_tls = (
        CertificatesInForce.of(files)
        for files in (
            settings.server_certificates,
            settings.redis_certificates,
            settings.screener_certificates,
        )
    )
    client = connect(
        settings.redis_url.get_secret_value(), timeout_ms=settings.redis_timeout_ms, certificates=redis_tls
    )
    clock = StoreClock(client)
    statuses = EventStatuses(client, ONLY)
    verdicts = Verdicts(
        VerdictTail(client, ONLY),
        statuses,
        metrics,
        max_waiting=settings.ingest_max_verdict_waits,
        block_ms=min(500, settings.redis_timeout_ms // 2),
    )
    sender = None
    if settings.may_go_directly:
        sender = open_sender(settings, client, ONLY, metrics, verdicts=verdicts, certificates=screener_tls)
    intake = Intake(
        GuardedAdmission(Admission(client, ONLY, limits(settings))),
        metrics,
        digests=settings.digests,
        depth_limit=settings.depth_limit,
        max_waiting=settings.ingest_max_waiting,
        ways=settings.ways,
        sender=sender,
        clock_ms=clock.now_ms,
    )
    service = IngestService(
        intake,
        statuses,
        verdicts,
        Quotas(metrics.keys),
        stream_in_flight=settings.ingest_stream_in_flight,
        clock_ms=clock.now_ms,
    )

    async def redis_ready() -> bool:
        ready = await store_ready(client)
        metrics.queue_depth.set(await client.xlen(ONLY.raw))
        metrics.direct_depth.set(await client.xlen(ONLY.direct))
        return ready

    watching = watch_certificates((server_tls, redis_tls, screener_tls), metrics.certificates)
    reading_keys = keys.watch(who="ingest", record=record_in_log, each_time=guard.end_calls_of_ended_keys)
    tasks = [
        asyncio.create_task(watching, name="certificates"),
        asyncio.create_task(reading_keys, name="keys"),
        asyncio.create_task(clock.run(), name="clock"),
    ]
    if sender is not None:
        tasks.append(asyncio.create_task(sender.run(), name="sender"))

    def stop() -> None:
        verdicts.stop(within_s=settings.drain_grace_ms / 1000 * ANSWERED_BY)

    async def drain() -> None:
        await intake.drain()
        await end(tasks)
        if sender is not None:
            await sender.close(grace_s=settings.drain_grace_ms / 1000)
        await verdicts.close()
        await client.aclose()

    await serve(
        endpoints=endpoints(settings, place),
        guard=guard,
        register=lambda server: ingest_pb2_grpc.add_IngestServiceServicer_to_server(service, server),
        services=(ingest_pb2.DESCRIPTOR.services_by_name["IngestService"].full_name,),
        readiness=Readiness(
            {"redis": redis_ready},
            timeout_s=settings.redis_timeout_ms / 1000,
            settings={"redis": "REDIS_URL"},
        ),
        registry=registry,
        certificates=server_tls,
        tasks=tasks,
        stop=stop,
        drain=drain,
    )


def endpoints(settings: IngestSettings, place: Place | None = None) -> Endpoints:
    """Where the service, or one process of it, listens."""
    return Endpoints.of(
        settings, grpc_port=settings.ingest_grpc_port, http_port=settings.ingest_http_port, place=place
    )


def run_workers(settings: IngestSettings) -> Coroutine[Any, Any, None]:
    """Runs the service as several processes until a signal."""
    return run_processes(
        workers(settings.ingest_workers),
        endpoints=endpoints(settings),
        certificates=CertificatesInForce.of(settings.server_certificates),
        stop_within_s=2 * settings.drain_grace_ms / 1000 + ENDING_S,
    )


def limits(settings: IngestSettings) -> AdmissionLimits:
    """The bounds of admission, from the settings."""
    return AdmissionLimits(
        max_depth=settings.depth_limit,
        max_unread=settings.max_reasoning_unread,
        window_ms=settings.dedup_window_seconds * 1000,
        duplicate_ms=settings.event_id_ttl_seconds * 1000,
        max_direct=settings.direct_max_entries,
    )


def main() -> None:
    """Starts the service; a fault at start is one line on standard error."""
    try:
        settings = load(IngestSettings)
        settle(new_objects=NEW_OBJECTS_OF_CALLS)
        place = Place.of(sys.argv)
        configure_logging(service="ingest", level=settings.log_level, part=place.part if place else None)
        alone = settings.ingest_workers == 1 or place
        uvloop.run(run(settings, place) if alone else run_workers(settings))
    except (StartupFailed, TaskFailed) as error:
        sys.exit(f"ingest: {error}")


if __name__ == "__main__":
    main()
