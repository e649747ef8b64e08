from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import CollectorRegistry

from pipeline.auth import ApiKeys
from pipeline.errors import StartupFailed, TaskFailed
from pipeline.guard import Guard
from pipeline.readiness import Readiness
from pipeline.server import Endpoints, channel_options, serve
from pipeline.server_bounds import MAX_MESSAGE_BYTES
from scripts.system.ports import HOST, Ports
from tests.pipeline.guarded import KEY


@dataclass
class AService:
    """A service of no methods, and what happens to it."""

    endpoints: Endpoints
    story: list[str] = field(default_factory=list)

    async def serve(self, *tasks: asyncio.Task[None]) -> None:
        async def ready() -> bool:
            return True

        readiness = Readiness({"part": ready}, timeout_s=1)

        def stop() -> None:
            self.story.append("stop, and ready" if readiness.ready else "stop")

        async def drain() -> None:
            self.story.append("drain")

        await serve(
            endpoints=self.endpoints,
            guard=Guard(ApiKeys([KEY]), lambda *_: None),
            register=lambda _: None,
            services=("seawall.test.v1.Nothing",),
            readiness=readiness,
            registry=CollectorRegistry(),
            tasks=tasks,
            stop=stop,
            drain=drain,
        )


@pytest.fixture
def service() -> AService:
    ports = Ports()
    return AService(
        Endpoints(
            HOST, ports.take(name="gRPC"), ports.take(name="HTTP"), max_concurrent_rpcs=10, drain_grace_s=1
        )
    )


@pytest.fixture(autouse=True)
async def own_signals() -> AsyncIterator[None]:
    """Gives the test run its signals back."""
    yield
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(number)


async def until_serving(service: AService) -> None:
    async with (
        asyncio.timeout(10),
        grpc.aio.insecure_channel(f"{HOST}:{service.endpoints.grpc_port}") as channel,
    ):
        await channel.channel_ready()
        stub: Any = health_pb2_grpc.HealthStub(channel)
        while True:
            answer = await stub.Check(health_pb2.HealthCheckRequest())
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_the_work_then_drains(service: AService, number: signal.Signals) -> None:
    serving = asyncio.create_task(service.serve())
    await until_serving(service)
    signal.raise_signal(number)
    await asyncio.wait_for(serving, 10)
    assert service.story == ["stop", "drain"]


async def test_a_task_that_fails_ends_the_service_in_order_and_is_told(service: AService) -> None:
    fail = asyncio.Event()

    async def work() -> None:
        await fail.wait()
        raise ValueError("broken")

    serving = asyncio.create_task(service.serve(asyncio.create_task(work(), name="worker")))
    await until_serving(service)
    fail.set()
    with pytest.raises(TaskFailed, match=r"^worker failed$") as failed:
        await asyncio.wait_for(serving, 10)
    assert isinstance(failed.value.__cause__, ValueError)
    assert service.story == ["stop", "drain"]


@pytest.mark.parametrize(("port", "what"), [("grpc_port", "gRPC"), ("http_port", "HTTP")])
async def test_a_port_in_use_is_told_before_anything_is_served(
    service: AService, port: str, what: str
) -> None:
    number = getattr(service.endpoints, port)
    told = rf"^{what} port {number} on {HOST} cannot be opened"
    with socket.create_server((HOST, number)), pytest.raises(StartupFailed, match=told):
        await service.serve()


def test_both_ways_admit_the_largest_legal_batch() -> None:
    options = dict(channel_options())
    assert options["grpc.max_receive_message_length"] == options["grpc.max_send_message_length"]
    # Per event: content, 32 attributes, four ids; of four bytes a character, and some framing.
    event_bytes = 4 * 10_000 + 32 * (4 * (64 + 512) + 16) + 128 + 3 * 4 * 128 + 200
    assert 500 * event_bytes <= MAX_MESSAGE_BYTES == options["grpc.max_receive_message_length"]
