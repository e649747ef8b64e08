"""The process that has the similarity index of all workers of a host: composition, start and end."""

from __future__ import annotations

import asyncio
import signal

import grpc
from prometheus_client import CollectorRegistry

from pipeline.collector import settle
from pipeline.errors import TaskFailed
from pipeline.keys_in_force import KeysInForce, record_in_log
from pipeline.processes.place import Place, when_parent_ends
from pipeline.readiness import Readiness
from pipeline.store import connect, store_ready
from pipeline.store_clock import StoreClock
from pipeline.tasks import end
from pipeline.tls import CertificatesInForce
from pipeline.tls_watch import watch_certificates
from pipeline.web import start_web
from screener.assembly import comparison_of, index_feed, indexes_of
from screener.metrics import ScreenerMetrics
from screener.settings import ScreenerSettings
from screener.similarity.feed import IndexFeed
from screener.similarity.shared import options, serve_comparison, socket_of

INDEX = "index"
"""The name of the process."""

_SERVICE = "seawall.screening.v1.ScreeningService"
_GRACE_S = 1.0
_READINESS_PERIOD_S = 0.5


async def run_index(settings: ScreenerSettings, place: Place) -> None:
    """Builds the index from the stream, and answers the workers until SIGTERM or the parent's end.

    Raises:
        TaskFailed: the index follows the stream no more.
    """
    signalled = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, signalled.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # for the terminal's other processes: they need us
    when_parent_ends(signalled.set)

    registry = CollectorRegistry()
    metrics = ScreenerMetrics(registry)
    keys = KeysInForce(
        keys=settings.keys,
        hand_off=settings.hand_off_keys,
        path=settings.api_keys_file,
        metrics=metrics.keys,
    )
    redis_tls = CertificatesInForce.of(settings.redis_certificates)
    client = connect(
        settings.redis_url.get_secret_value(), timeout_ms=settings.redis_timeout_ms, certificates=redis_tls
    )
    clock = StoreClock(client)
    indexes = indexes_of(settings)
    feed = index_feed(settings, client, indexes, metrics, clock)

    async def index_ready() -> bool:
        return feed.caught_up.is_set()

    async def redis_ready() -> bool:
        return await store_ready(client)

    readiness = Readiness(
        {"redis": redis_ready, "index": index_ready}, timeout_s=settings.redis_timeout_ms / 1000
    )
    server = grpc.aio.server(options=options())
    serve_comparison(server, comparison_of(settings, indexes), feed.caught_up)
    server.add_insecure_port(socket_of(place.folder))
    await server.start()
    web = await start_web(
        host="",
        port=0,
        socket=place.http_socket,
        service=_SERVICE,
        keys=keys.keys,
        readiness=readiness,
        registry=registry,
    )
    tasks = [
        asyncio.create_task(feed.run(), name="index_feed"),
        asyncio.create_task(clock.run(), name="clock"),
        asyncio.create_task(_keep(readiness), name="readiness"),
        asyncio.create_task(
            keys.watch(who="screener", record=record_in_log, each_time=lambda: None), name="keys"
        ),
        asyncio.create_task(watch_certificates((redis_tls,), metrics.certificates), name="certificates"),
    ]
    settling = asyncio.create_task(_settle(feed))
    waiting = asyncio.create_task(signalled.wait())
    ended, _ = await asyncio.wait((waiting, *tasks), return_when=asyncio.FIRST_COMPLETED)
    readiness.draining = True
    await server.stop(_GRACE_S)
    await end([waiting, settling, *tasks])
    await web.cleanup()
    await client.aclose()
    for task in ended - {waiting}:
        raise TaskFailed(f"{task.get_name()} failed") from task.exception()


async def _settle(feed: IndexFeed) -> None:
    await feed.caught_up.wait()
    settle()  # the texts that it knows are here to stay


async def _keep(readiness: Readiness) -> None:
    while True:
        await readiness.refresh()
        await asyncio.sleep(_READINESS_PERIOD_S)
