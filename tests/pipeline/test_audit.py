from __future__ import annotations

import json
from pathlib import Path

import pytest
import redis.asyncio as aioredis

from pipeline.audit import AuditFile, AuditLog, AuditRecord
from pipeline.errors import EntryUndecodable, StoreUnavailable
from pipeline.keys import ONLY
from pipeline.store import connect
from scripts.system.ports import Ports


async def test_a_record_says_who_did_what_and_when_by_redis_clock(store: aioredis.Redis) -> None:
    audit = AuditLog(store, ONLY)
    seconds, _ = await store.time()

    await audit.record("anna@desk", "dead_letters.drop", "events:dead_letter", {"chosen": 3, "reason": "all"})

    (record,) = [record async for record in audit.records()]
    assert (record.who, record.action, record.target) == (
        "anna@desk",
        "dead_letters.drop",
        "events:dead_letter",
    )
    assert record.details == {"chosen": 3, "reason": "all"}
    assert abs(record.at_ms - int(seconds) * 1000) < 60_000


async def test_all_records_are_read_in_their_order(store: aioredis.Redis) -> None:
    audit = AuditLog(store, ONLY)
    for number in range(501):  # more than a page
        await audit.record("a", "counted", "numbers", {"number": number})

    numbers = [record.details["number"] async for record in audit.records()]
    assert numbers == list(range(501))


async def test_what_somebody_else_wrote_there_is_said(store: aioredis.Redis) -> None:
    await store.xadd(ONLY.audit, {"who": "me"})
    with pytest.raises(EntryUndecodable):
        _ = [record async for record in AuditLog(store, ONLY).records()]


async def test_without_redis_nothing_is_recorded_and_the_caller_is_told() -> None:
    away = connect(f"redis://127.0.0.1:{Ports().take(name='Redis')}/0", timeout_ms=1_000)
    with pytest.raises(StoreUnavailable):
        await AuditLog(away, ONLY).record("a", "b", "c", {})
    await away.aclose()


def test_a_file_gets_a_line_for_each_record(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    times = iter((5, 6))
    audit = AuditFile.beside(keys)
    audit = AuditFile(audit.path, clock_ms=lambda: next(times))
    assert list(audit.records()) == []

    audit.record("anna@desk", "keys.new", "web", {"scopes": "ingest"})
    audit.record("anna@desk", "keys.revoke", "web\nfake", {})

    path = tmp_path / "keys.json.audit.jsonl"
    assert [json.loads(line)["action"] for line in path.read_text().splitlines()] == [
        "keys.new",
        "keys.revoke",
    ]
    assert list(audit.records()) == [
        AuditRecord(5, "anna@desk", "keys.new", "web", {"scopes": "ingest"}),
        AuditRecord(6, "anna@desk", "keys.revoke", "web\nfake", {}),
    ]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_is_no_record_is_said(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"[1]\n")
    with pytest.raises(EntryUndecodable):
        list(AuditFile(path).records())
