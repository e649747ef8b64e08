from __future__ import annotations

import grpc
import pytest
import redis.asyncio as aioredis
from seawall.ingest.v1 import ingest_pb2

from pipeline.keys import ONLY
from pipeline.move import Fields
from pipeline.record import RecordState
from pipeline.verdict import Verdict
from tests.fixtures.events import MakeEvent
from tests.fixtures.redis_state import entries_of
from tests.fixtures.verdicts import a_verdict
from tests.ingest.door import Ingest, bad_fields
from tests.pipeline.way_out import mover, publish

UNKNOWN = ingest_pb2.EVENT_STATE_UNKNOWN
QUEUED = ingest_pb2.EVENT_STATE_QUEUED
SCREENED = ingest_pb2.EVENT_STATE_SCREENED
DEAD_LETTERED = ingest_pb2.EVENT_STATE_DEAD_LETTERED

VERDICT = a_verdict("event-1")


async def finish(store: aioredis.Redis, *, to: str, state: RecordState) -> None:
    """Moves the one queued event on, as the screener does."""
    [(entry_id, _)] = await entries_of(store, ONLY.raw)
    fields: Fields = {"event_id": "event-1", "payload": VERDICT.encode()}
    await mover(store).move([publish(entry_id, "event-1", to=to, state=state, fields=fields)])


async def test_an_event_that_nobody_sent_is_unknown(ingest: Ingest) -> None:
    status = await ingest.status("event-1")
    assert (status.state, status.duplicate_of, status.HasField("verdict")) == (UNKNOWN, "", False)


async def test_an_accepted_event_is_queued(ingest: Ingest, make_event: MakeEvent) -> None:
    await ingest.one(make_event())
    status = await ingest.status("event-1")
    assert (status.state, status.duplicate_of, status.HasField("verdict")) == (QUEUED, "", False)


@pytest.mark.parametrize("stream", [ONLY.low_risk, ONLY.reasoning_queue])
async def test_a_screened_event_has_its_verdict(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent, stream: str
) -> None:
    await ingest.one(make_event())
    await finish(store, to=stream, state=RecordState.SCREENED)
    status = await ingest.status("event-1")
    assert status.state == SCREENED
    assert Verdict.from_proto(status.verdict) == VERDICT


async def test_a_duplicate_has_the_status_and_verdict_of_the_first(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await ingest.batch([make_event(), make_event(event_id="event-2")])
    status = await ingest.status("event-2")
    assert (status.state, status.duplicate_of) == (QUEUED, "event-1")
    await finish(store, to=ONLY.low_risk, state=RecordState.SCREENED)
    status = await ingest.status("event-2")
    assert (status.state, status.duplicate_of) == (SCREENED, "event-1")
    assert Verdict.from_proto(status.verdict) == VERDICT


async def test_a_dead_lettered_event_says_so_without_a_verdict(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await ingest.one(make_event())
    await finish(store, to=ONLY.dead_letter, state=RecordState.DEAD_LETTERED)
    status = await ingest.status("event-1")
    assert (status.state, status.HasField("verdict")) == (DEAD_LETTERED, False)


async def test_a_verdict_that_its_stream_has_dropped_leaves_the_state(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await ingest.one(make_event())
    await finish(store, to=ONLY.low_risk, state=RecordState.SCREENED)
    await store.xtrim(ONLY.low_risk, maxlen=0)
    status = await ingest.status("event-1")
    assert (status.state, status.HasField("verdict")) == (SCREENED, False)


async def test_a_duplicate_of_a_forgotten_event_is_unknown(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await ingest.batch([make_event(), make_event(event_id="event-2")])
    await store.delete(ONLY.event("event-1"))
    status = await ingest.status("event-2")
    assert (status.state, status.duplicate_of) == (UNKNOWN, "event-1")


async def test_a_duplicate_has_no_part_in_other_content_under_the_id_of_its_first(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await ingest.batch([make_event(), make_event(event_id="event-2")])
    await store.delete(ONLY.event("event-1"))  # as it is dropped
    await ingest.one(make_event(content="something else"))
    status = await ingest.status("event-2")
    assert (status.state, status.duplicate_of) == (UNKNOWN, "event-1")


async def test_an_event_sent_again_after_it_was_forgotten_is_unknown_not_an_error(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await ingest.one(make_event())
    await store.delete(ONLY.event("event-1"))
    assert (await ingest.one(make_event())).duplicate_of == "event-1"
    assert (await ingest.status("event-1")).state == UNKNOWN


async def test_a_duplicate_of_an_event_that_became_a_duplicate_leads_to_the_first(
    ingest: Ingest, store: aioredis.Redis
) -> None:
    fingerprint = b"f" * 16
    await store.set(ONLY.event("e3"), b"=" + fingerprint + b"e2")
    await store.set(ONLY.event("e2"), b"=" + fingerprint + b"e1")
    await store.set(ONLY.event("e1"), b"q" + fingerprint)
    status = await ingest.status("e3")
    assert (status.state, status.duplicate_of) == (QUEUED, "e1")


async def test_records_that_lead_in_a_circle_are_unknown(ingest: Ingest, store: aioredis.Redis) -> None:
    await store.set(ONLY.event("e1"), b"=" + b"f" * 16 + b"e2")
    await store.set(ONLY.event("e2"), b"=" + b"f" * 16 + b"e1")
    assert (await ingest.status("e1")).state == UNKNOWN


@pytest.mark.parametrize("event_id", ["", "a b", "a" * 129, "é"])
async def test_a_malformed_id_is_a_bad_field(ingest: Ingest, event_id: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await ingest.status(event_id)
    assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert bad_fields(failed.value) == ["event_id"]


async def test_a_record_of_another_layout_is_internal_and_tells_nothing(
    ingest: Ingest, store: aioredis.Redis
) -> None:
    await store.set(ONLY.event("e1"), b"somebody's words")
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await ingest.status("e1")
    assert (failed.value.code(), failed.value.details()) == (grpc.StatusCode.INTERNAL, "internal error")
