"""Starting a gRPC service, keeping its health true, and ending it without losing a call."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import CollectorRegistry

from pipeline.errors import StartupFailed, TaskFailed
from pipeline.guard import Guard
from pipeline.processes.place import Place, when_parent_ends
from pipeline.readiness import Readiness
from pipeline.reflection import enable_reflection
from pipeline.server_bounds import MAX_MESSAGE_BYTES, MAX_METADATA_BYTES, ConnectionBounds
from pipeline.settings import ServiceSettings
from pipeline.tasks import end
from pipeline.tls import CertificatesInForce, server_context, server_credentials
from pipeline.web import start_web

_READINESS_PERIOD_S = 0.5
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a service listens; the rest of its server's bounds.

    `place` is that of one process of several: the gRPC port is then shared with the others, and HTTP is
    answered on the process's socket in place of the port.
    """

    host: str
    grpc_port: int
    http_port: int
    max_concurrent_rpcs: int
    drain_grace_s: float
    place: Place | None = None

    @classmethod
    def of(
        cls, settings: ServiceSettings, *, grpc_port: int, http_port: int, place: Place | None
    ) -> Endpoints:
        """Those of a service as it is set, or of one process of it."""
        return cls(
            host=settings.bind_host,
            grpc_port=grpc_port,
            http_port=http_port,
            max_concurrent_rpcs=settings.max_concurrent_rpcs,
            drain_grace_s=settings.drain_grace_ms / 1000,
            place=place,
        )


def channel_options() -> list[tuple[str, int]]:
    """Options for the clients of this project."""
    return [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.keepalive_time_ms", 30_000),  # finds half-open connections
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.ping_timeout_ms", 10_000),  # without it 60 s, whatever the line above says
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ]


async def serve(
    *,
    endpoints: Endpoints,
    guard: Guard,
    register: Callable[[grpc.aio.Server], None],
    services: Sequence[str],
    readiness: Readiness,
    registry: CollectorRegistry,
    certificates: CertificatesInForce | None = None,
    tasks: Sequence[asyncio.Task[None]] = (),
    stop: Callable[[], None] = lambda: None,
    drain: Callable[[], Awaitable[None]],
) -> None:
    """Serves until SIGTERM or SIGINT, then drains.

    Health says SERVING while every part is ready. On the signal it says NOT_SERVING first; then calls under
    way get their grace period, then `drain` ends the rest.

    Args:
        endpoints: addresses and bounds.
        guard: the interceptor in front of every method; its keys open the HTTP port too.
        register: adds the service's methods to the server.
        services: full names of the services, for reflection and health.
        readiness: what health rests on.
        registry: what /metrics shows.
        certificates: of both ports; without them they speak plain text.
        tasks: the service's own work, which ends only by `stop`; one that fails ends the service, for a
            process that only looks alive is worse than one that is started again.
        stop: tells the service's own work to take nothing new.
        drain: ends the service's own work after the last call.

    Raises:
        StartupFailed: a port is in use.
        TaskFailed: one of `tasks` failed.
    """
    signalled = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled.set)
    if endpoints.place is not None:
        when_parent_ends(signalled.set)
    server = grpc.aio.server(
        interceptors=(guard,),
        # The guard refuses first, and says when to come again; this bounds what it is not asked about.
        maximum_concurrent_rpcs=2 * endpoints.max_concurrent_rpcs,
        options=[
            *ConnectionBounds().options(),
            ("grpc.so_reuseport", int(endpoints.place is not None)),
        ],  # a port in use is an error, not a second owner; the parent of several has seen to that
    )
    register(server)
    health_service = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health_service, server)
    enable_reflection((*services, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    credentials = server_credentials(certificates) if certificates else None
    if endpoints.place is None:
        await ensure_free(endpoints.host, endpoints.grpc_port)
    _bind(server, endpoints.host, endpoints.grpc_port, credentials)
    web = await start_web(
        host=endpoints.host,
        port=endpoints.http_port,
        service=services[0],
        keys=guard.keys,
        readiness=readiness,
        registry=registry,
        ssl_context=server_context(certificates) if certificates else None,
        socket=endpoints.place.http_socket if endpoints.place else None,
    )
    await server.start()
    _log.info("started", grpc_port=endpoints.grpc_port, http_port=endpoints.http_port)
    keeper = asyncio.create_task(_keep_health(health_service, services, readiness))
    waiting = asyncio.create_task(signalled.wait())
    ended, _ = await asyncio.wait((waiting, *tasks), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()

    _log.info("draining", grace_s=endpoints.drain_grace_s)
    readiness.draining = True
    stop()
    await end([keeper])
    await health_service.enter_graceful_shutdown()
    await server.stop(endpoints.drain_grace_s)
    await drain()
    await web.cleanup()
    _log.info("stopped")
    for task in ended - {waiting}:
        raise TaskFailed(f"{task.get_name()} failed") from task.exception()


async def ensure_free(host: str, port: int) -> None:
    """Returns where a gRPC server can listen; looked at first, for gRPC writes lines of its own about it.

    Raises:
        StartupFailed: the port is in use.
    """
    try:
        probe = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port)
    except OSError as error:
        raise _not_opened(host, port, error.strerror or "in use?") from None
    probe.close()
    await probe.wait_closed()


def _bind(server: grpc.aio.Server, host: str, port: int, credentials: grpc.ServerCredentials | None) -> None:
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        if credentials is None:
            server.add_insecure_port(address)
        else:
            server.add_secure_port(address, credentials)
    except RuntimeError:
        raise _not_opened(host, port, "in use?") from None


def _not_opened(host: str, port: int, why: str) -> StartupFailed:
    return StartupFailed(f"gRPC port {port} on {host} cannot be opened ({why}); choose another")


async def _keep_health(
    servicer: health.aio.HealthServicer, services: Sequence[str], readiness: Readiness
) -> None:
    states = health_pb2.HealthCheckResponse
    while True:
        ready = await readiness.refresh()
        for service in ("", *services):
            await servicer.set(service, states.SERVING if ready else states.NOT_SERVING)
        await asyncio.sleep(_READINESS_PERIOD_S)
