"""The file of keys, read again while the services run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from pipeline.audit import Details
from pipeline.auth import ApiKeys, Quota, Scope, digest_of
from pipeline.errors import StartupFailed, StoreUnavailable, Unauthenticated
from pipeline.key_file import KeyFile, ListedKey, ListedQuota
from pipeline.key_metrics import KeyMetrics
from pipeline.keys_in_force import KeysInForce
from pipeline.tasks import end
from tests.fixtures.logs import Logged

PLAIN, FIRST, SECOND = "a-plain-key-0123456789", "the-first-key-0123456789", "the-second-key-0123456789"


def a_key(key: str, name: str, quota: ListedQuota | None = None) -> ListedKey:
    return ListedKey(name=name, sha256=digest_of(key).hex(), scopes=(Scope.READ,), quota=quota)


def passes(keys: ApiKeys, key: str) -> bool:
    try:
        keys.enter([("api-key", key)], frozenset({Scope.READ}), door="grpc", at="/a/B")
    except Unauthenticated:
        return False
    return True


class Audit:
    """Takes records, or is away."""

    def __init__(self) -> None:
        self.records: list[tuple[str, str, str, Details]] = []
        self.away = False

    async def record(self, who: str, action: str, target: str, details: Details) -> None:
        if self.away:
            raise StoreUnavailable("away")
        self.records.append((who, action, target, details))


class Following:
    """Keys of a file that is followed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.registry = CollectorRegistry()
        self.in_force = KeysInForce(keys=[PLAIN], path=path, metrics=KeyMetrics(self.registry))
        self.audit = Audit()
        self.looks = 0

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not holds():
                await asyncio.sleep(0.01)

    def looked(self) -> None:
        self.looks += 1


@asynccontextmanager
async def following(path: Path, *keys: ListedKey) -> AsyncIterator[Following]:
    KeyFile(keys=keys).write(path)
    found = Following(path)
    watch = asyncio.create_task(
        found.in_force.watch(who="ingest", record=found.audit.record, each_time=found.looked)
    )
    try:
        yield found
    finally:
        await end([watch])


async def test_a_change_is_taken_up_and_recorded_by_name(tmp_path: Path) -> None:
    async with following(tmp_path / "keys.json", a_key(FIRST, "first")) as file:
        keys = file.in_force.keys
        assert (passes(keys, PLAIN), passes(keys, FIRST), passes(keys, SECOND)) == (True, True, False)
        KeyFile(keys=(a_key(SECOND, "second"),)).write(file.path)
        await file.until(lambda: bool(file.audit.records))
        assert (passes(keys, PLAIN), passes(keys, FIRST), passes(keys, SECOND)) == (True, False, True)
        assert file.audit.records == [
            (
                "ingest",
                "keys.reload",
                "API_KEYS_FILE",
                {"added": "second", "removed": "first", "altered": ""},
            )
        ]
        assert file.metric("api_keys_reloads_total", result="changed") == 1
        assert file.metric("api_keys_in_force") == 2
        assert file.looks


async def test_a_quota_that_changes_is_taken_up(tmp_path: Path) -> None:
    async with following(tmp_path / "keys.json", a_key(FIRST, "first")) as file:
        KeyFile(keys=(a_key(FIRST, "first", ListedQuota(events_per_second=3, burst=6)),)).write(file.path)
        await file.until(lambda: bool(file.audit.records))
        key = file.in_force.keys.enter([("api-key", FIRST)], frozenset(), door="grpc", at="/a/B")
        assert key.caller.quota == Quota(3, 6)
        assert file.audit.records[0][3] == {"added": "", "removed": "", "altered": "first"}


@pytest.mark.parametrize("broken", ['{"keys": [{"name": "first"}]}', "{", None])
async def test_a_broken_file_leaves_the_old_keys_in_force(
    tmp_path: Path, logged: Logged, broken: str | None
) -> None:
    async with following(tmp_path / "keys.json", a_key(FIRST, "first")) as file:
        if broken is None:
            file.path.unlink()
        else:
            file.path.write_text(broken)
        await file.until(lambda: file.metric("api_keys_reloads_total", result="failed") == 1)
        assert passes(file.in_force.keys, FIRST)
        assert "keys_not_reloaded" in logged()
        assert file.audit.records == []
        KeyFile(keys=(a_key(SECOND, "second"),)).write(file.path)
        await file.until(lambda: passes(file.in_force.keys, SECOND))
        assert not passes(file.in_force.keys, FIRST)


async def test_a_revocation_does_not_wait_for_its_record_and_the_record_is_not_lost(tmp_path: Path) -> None:
    async with following(tmp_path / "keys.json", a_key(FIRST, "first")) as file:
        file.audit.away = True
        KeyFile().write(file.path)
        await file.until(lambda: not passes(file.in_force.keys, FIRST))
        looks = file.looks
        await file.until(lambda: file.looks > looks)
        file.audit.away = False
        await file.until(lambda: bool(file.audit.records))
        assert [details["removed"] for *_, details in file.audit.records] == ["first"]


def test_a_file_that_does_not_load_at_start_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text("{")
    with pytest.raises(StartupFailed, match=r"^API_KEYS_FILE is not valid: .*keys\.json: it: Invalid JSON"):
        KeysInForce(keys=[PLAIN], path=path, metrics=KeyMetrics(CollectorRegistry()))


def test_a_file_without_keys_is_no_reason_to_let_everybody_in(tmp_path: Path) -> None:
    KeyFile().write(tmp_path / "keys.json")
    with pytest.raises(StartupFailed, match="API_KEYS is empty"):
        KeysInForce(keys=[], path=tmp_path / "keys.json", metrics=KeyMetrics(CollectorRegistry()))
