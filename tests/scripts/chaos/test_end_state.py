"""The end of a run is read from a real Redis."""

from __future__ import annotations

import redis.asyncio as aioredis

from pipeline.admission import Admission, AdmissionLimits, Candidate
from pipeline.hand_off import HandOff
from pipeline.keys import GROUP, ONLY
from pipeline.move import Append, Move, Mover, StreamCaps
from pipeline.record import RecordState
from scripts.chaos.end_state import read_end_state

IDS = [f"e{number}" for number in range(2_300)]  # more than one page


async def admit(store: aioredis.Redis, ids: list[str], way: HandOff) -> dict[str, str]:
    """Their entries, by event id."""
    limits = AdmissionLimits(
        max_depth=10_000, max_unread=10_000, window_ms=60_000, duplicate_ms=60_000, max_direct=10_000
    )
    admission = Admission(store, ONLY, limits)
    entries: dict[str, str] = {}
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        candidates = [Candidate(i, i.encode().ljust(16), "discord", b"", way) for i in some]
        report = await admission.admit(candidates)
        entries |= {i: d.entry_id for i, d in zip(some, report.decisions, strict=True)}
    return entries


async def test_every_stream_is_counted_to_its_end(store: aioredis.Redis) -> None:
    await store.xgroup_create(ONLY.raw, GROUP, id="0", mkstream=True)
    entries = await admit(store, IDS, HandOff.STREAM)
    await admit(store, ["handed"], HandOff.DIRECT)
    await store.xreadgroup(GROUP, "somebody", {ONLY.raw: ">"}, count=3_000)
    mover = Mover(store, ONLY, source=ONLY.raw, group=GROUP, caps=StreamCaps())

    def to(stream: str, event_id: str, state: RecordState) -> Move:
        return Move(entries[event_id], event_id, state, 60_000, Append(stream, {"event_id": event_id}))

    for start in range(0, 2_200, 100):
        some = IDS[start : start + 100]
        await mover.move([to(ONLY.low_risk, event_id, RecordState.SCREENED) for event_id in some])
    dead, queued = IDS[-2], IDS[-1]
    await mover.move([to(ONLY.dead_letter, dead, RecordState.DEAD_LETTERED)])
    await store.xadd(ONLY.reasoning_queue, {"event_id": IDS[0]})

    end = await read_end_state(store, ONLY, [IDS[0], dead, queued, "never"])
    assert sum(end.verdicts.values()) == 2_201
    assert (end.verdicts[IDS[0]], end.verdicts[IDS[1]]) == (2, 1)
    assert end.dead_letters == {dead: 1}
    assert end.states == {
        IDS[0]: RecordState.SCREENED,
        dead: RecordState.DEAD_LETTERED,
        queued: RecordState.QUEUED,
        "never": None,
    }
    assert (end.left, end.pending) == (100, 99)
