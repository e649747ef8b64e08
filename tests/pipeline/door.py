"""Events at the door, and the door."""

from __future__ import annotations

import redis.asyncio as aioredis

from pipeline.admission import Admission, AdmissionLimits, Admitted, Candidate, Decision
from pipeline.fingerprint import fingerprint
from pipeline.keys import ONLY

ACCEPTED = Decision(Admitted.ACCEPTED)
CONFLICT = Decision(Admitted.CONFLICT)
NO_ROOM = Decision(Admitted.NO_ROOM)


def duplicate_of(first_id: str) -> Decision:
    return Decision(Admitted.DUPLICATE, first_id)


def candidate(event_id: str, text: str = "hello") -> Candidate:
    return Candidate(event_id, fingerprint(1, "author", text), "discord", f"{event_id}:{text}".encode())


def door(
    store: aioredis.Redis,
    *,
    max_depth: int = 1_000,
    max_unread: int = 1_000,
    window_ms: int = 60_000,
    duplicate_ms: int = 60_000,
) -> Admission:
    return Admission(store, ONLY, AdmissionLimits(max_depth, max_unread, window_ms, duplicate_ms))


async def decide(admission: Admission, *candidates: Candidate) -> list[Decision]:
    return list((await admission.admit(candidates)).decisions)
