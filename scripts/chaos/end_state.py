"""`EndState`: what lies in Redis when a chaos run has ended, read from the beginning of every stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import redis.asyncio as aioredis

from pipeline.keys import GROUP, Keys
from pipeline.record import EventRecord, RecordState
from pipeline.store import store_errors

_COUNT = 1_000


@dataclass(frozen=True, slots=True)
class EndState:
    """The end of a run; the mappings are by event id.

    Attributes:
        verdicts: how many each event has, in both streams together.
        dead_letters: how many each event has.
        states: what the record of each event says; None where it has none.
        left: how many entries still lie in `events:raw` and `events:direct`.
        pending: how many entries the group of `events:raw` still counts as handed out.
    """

    verdicts: Mapping[str, int]
    dead_letters: Mapping[str, int]
    states: Mapping[str, RecordState | None]
    left: int
    pending: int


async def read_end_state(client: aioredis.Redis, keys: Keys, event_ids: Sequence[str]) -> EndState:
    """Reads it; `event_ids` are those whose records are looked at.

    Raises:
        StoreUnavailable: Redis does not answer.
        EntryUndecodable: a record has another layout.
    """
    with store_errors():
        verdicts = await _count(client, keys.reasoning_queue) + await _count(client, keys.low_risk)
        states: dict[str, RecordState | None] = {}
        for start in range(0, len(event_ids), _COUNT):
            some = event_ids[start : start + _COUNT]
            records: list[bytes | None] = await client.mget([keys.event(event_id) for event_id in some])  # type: ignore[assignment]  # bytes, as `connect` asks
            states |= {
                event_id: None if record is None else EventRecord.decode(record).state
                for event_id, record in zip(some, records, strict=True)
            }
        return EndState(
            verdicts=verdicts,
            dead_letters=await _count(client, keys.dead_letter),
            states=states,
            left=await client.xlen(keys.direct) + await client.xlen(keys.raw),  # the way that entries move
            pending=(await client.xpending(keys.raw, GROUP))["pending"],
        )


async def _count(client: aioredis.Redis, stream: str) -> Counter[str]:
    """How many entries of the stream each event id has."""
    found: Counter[str] = Counter()
    after = "-"
    while entries := await client.xrange(stream, min=after, count=_COUNT):
        found.update(fields[b"event_id"].decode() for _, fields in entries)  # type: ignore[union-attr, index]
        after = f"({entries[-1][0].decode()}"  # type: ignore[union-attr]
    return found
