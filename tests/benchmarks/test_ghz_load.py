"""Requests as ghz reads them, and its report: a call's time counts from when the call was due."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from seawall.ingest.v1 import ingest_pb2

from benchmarks.event_load import batch_requests, new_events, stream_requests
from benchmarks.ghz_load import _report, read_delimited, write_delimited
from benchmarks.ingest_batch import commands_of

BEGAN_S = 1_700_000_000.0


def call(started_s: float, took_s: float) -> dict[str, str | int]:
    ended = datetime.fromtimestamp(BEGAN_S + started_s + took_s, UTC)
    return {"timestamp": ended.isoformat(), "latency": round(took_s * 1e9)}


def report(*calls: dict[str, str | int], status: str = "OK") -> dict[str, object]:
    codes = {status: len(calls)}
    return {"statusCodeDistribution": codes, "errorDistribution": {}, "details": list(calls)}


def test_requests_are_read_as_they_were_written(tmp_path: Path) -> None:
    messages = [b"", b"a" * 127, b"b" * 128, b"c" * 70_000]
    write_delimited(tmp_path / "requests", messages)
    assert read_delimited(tmp_path / "requests") == messages


def test_events_are_all_new_and_in_the_batches_that_are_asked_for() -> None:
    events = new_events(250)
    assert len({event.event_id for event in events}) == len({event.author_id for event in events}) == 250
    batches = [ingest_pb2.IngestBatchRequest.FromString(data) for data in batch_requests(events, 100)]
    assert [len(batch.events) for batch in batches] == [100, 100, 50]
    numbers = [ingest_pb2.IngestStreamRequest.FromString(data) for data in stream_requests(events[:3])]
    assert [message.correlation_id for message in numbers] == [1, 2, 3]


def test_the_commands_of_a_batch_are_those_that_admission_issues() -> None:
    names = [command.split(b"\r\n")[2] for command in commands_of(new_events(3), 2)]
    of_two = [b"MGET", b"MSET", b"SET", b"XADD", b"SET", b"XADD"]
    assert names == [*of_two, b"MGET", b"MSET", b"SET", b"XADD"]


def test_at_full_load_a_call_takes_what_ghz_says() -> None:
    found = _report(report(call(0.0, 0.5), call(0.5, 0.1)), 2, 0)
    assert found.took == pytest.approx((0.5, 0.1))
    assert found.per_second == pytest.approx(2 / 0.6, rel=1e-3)


def test_at_a_rate_a_call_that_began_late_took_longer() -> None:
    # Two a second; ghz began the third 0.4 s after it was due.
    found = _report(report(call(0.0, 0.1), call(0.5, 0.1), call(1.4, 0.1)), 3, 2)
    assert found.took == pytest.approx((0.1, 0.1, 0.5), abs=1e-4)


def test_a_call_that_failed_fails_the_benchmark() -> None:
    with pytest.raises(RuntimeError, match="Unavailable"):
        _report(report(call(0.0, 0.1), status="Unavailable"), 1, 0)
