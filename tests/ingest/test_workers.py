"""`python -m ingest` with several workers, as processes: one service to whoever calls it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import grpc
import pytest
import redis.asyncio as aioredis
from prometheus_client.parser import text_string_to_metric_families
from seawall.ingest.v1 import ingest_pb2, ingest_pb2_grpc

from benchmarks.processor import children
from pipeline.keys import ONLY
from scripts.system.ports import HOST, Ports
from scripts.system.process import ProcessDied
from scripts.system.redis import RedisServer
from scripts.system.services import Service, ServicePorts
from tests.fixtures.digests import DEDUP_SECRET
from tests.fixtures.events import MakeEvent
from tests.ingest.door import ACCEPTED
from tests.pipeline.guarded import KEY, WITH_KEY

WORKERS = 2


def with_workers(redis_url: str, folder: Path, ports: ServicePorts | None = None) -> Service:
    """Not started yet."""
    taken = Ports()
    return Service(
        "ingest",
        ports=ports or ServicePorts(taken.take(name="gRPC"), taken.take(name="HTTP")),
        settings={
            "API_KEYS": KEY,
            "DEDUP_SECRET": DEDUP_SECRET,
            "REDIS_URL": redis_url,
            "DRAIN_GRACE_MS": "2000",
            "INGEST_WORKERS": str(WORKERS),
            "TMPDIR": str(folder),  # where a parent that is killed leaves its sockets
        },
        folder=folder,
    )


@pytest.fixture(scope="module")
def service(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Of those tests that leave it as it was."""
    yield from started(with_workers(redis_server.url, tmp_path_factory.mktemp("w")))


@pytest.fixture
def own_service(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    yield from started(with_workers(redis_server.url, tmp_path_factory.mktemp("w")))


def started(service: Service) -> Iterator[Service]:
    service.start()
    try:
        service.wait_ready(timeout_s=60)
        yield service
    finally:
        service.process.kill()


async def accepted_over_new_connections(service: Service, make_event: MakeEvent, count: int) -> int:
    """How many of so many events are accepted, each over a connection of its own."""
    found = 0
    for _ in range(count):
        options = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(service.address, options=options) as channel:
            name = os.urandom(8).hex()
            event = make_event(event_id=f"event-{name}", content=f"text {name}").to_proto()
            answer = await ingest_pb2_grpc.IngestServiceStub(channel).Ingest(
                ingest_pb2.IngestRequest(event=event), metadata=WITH_KEY, timeout=10, wait_for_ready=True
            )
            found += answer.outcome.code == ACCEPTED
    return found


def accepted_by(service: Service) -> dict[str, float]:
    """Events that each process says it has accepted."""
    return {
        sample.labels["process"]: sample.value
        for family in text_string_to_metric_families(service.metrics())
        for sample in family.samples
        if sample.name == "events_accepted_total"
    }


def lives(pid: int) -> bool:
    """Whether a process has not ended; one whose status nobody has taken yet has."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return not state.rpartition(")")[2].startswith(" Z")


def ready(service: Service) -> dict[str, bool]:
    with urlopen(f"{service.http_url}/ready", timeout=5) as answer:  # noqa: S310  # our own http
        parts: dict[str, bool] = json.load(answer)["parts"]
        return parts


async def test_workers_share_the_calls_and_are_one_service(
    service: Service, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    assert ready(service) == {"worker-1 redis": True, "worker-2 redis": True}
    assert await accepted_over_new_connections(service, make_event, 40) == 40
    by_worker = accepted_by(service)
    assert sum(by_worker.values()) == 40 == await store.xlen(ONLY.raw)
    assert len(by_worker) == WORKERS  # the odds against each: 2^-39


def test_metrics_want_a_key_as_those_of_one_process_do(service: Service) -> None:
    for headers in ({}, {"api-key": "not-one-of-the-keys"}):
        asked = Request(f"{service.http_url}/metrics", headers=headers)  # noqa: S310  # our own http
        with pytest.raises(OSError, match="401"):
            urlopen(asked, timeout=5)  # noqa: S310


def test_the_sockets_between_processes_are_their_owners_alone(service: Service) -> None:
    [folder] = service.process.log.parent.glob("seawall-*")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name for path in folder.iterdir()} == {"worker-1.http", "worker-2.http"}


async def test_a_worker_that_is_killed_is_started_again(service: Service, make_event: MakeEvent) -> None:
    before = children(service.process.pid)
    os.kill(before[0], signal.SIGKILL)
    async with asyncio.timeout(30):
        while len(set(children(service.process.pid)) - set(before)) < 1 or not service.is_ready():
            await asyncio.sleep(0.05)
    assert await accepted_over_new_connections(service, make_event, 10) == 10
    said = service.process.log.read_text()
    assert '"process_ended"' in said


async def test_on_sigterm_all_of_them_end(own_service: Service) -> None:
    workers = children(own_service.process.pid)
    assert len(workers) == WORKERS
    own_service.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(20):
        while own_service.process.running:
            await asyncio.sleep(0.02)
    assert not any(map(lives, workers))
    assert own_service.stop()


async def test_workers_end_with_a_parent_that_is_killed(own_service: Service) -> None:
    workers = children(own_service.process.pid)
    os.kill(own_service.process.pid, signal.SIGKILL)  # it alone, and not its group
    async with asyncio.timeout(20):
        while any(map(lives, workers)):
            await asyncio.sleep(0.02)


def test_a_port_that_is_held_by_another_service_is_in_use(
    service: Service, redis_server: RedisServer, tmp_path: Path
) -> None:
    """Though sharing it is allowed to processes of the same user."""
    second = with_workers(
        redis_server.url,
        tmp_path / "second",
        ServicePorts(service.ports.grpc, Ports().take(name="HTTP")),
    )
    second.start()
    try:
        with pytest.raises(ProcessDied, match=f"{service.ports.grpc} on {HOST} cannot be opened"):
            second.wait_ready(timeout_s=60)
    finally:
        second.process.kill()
