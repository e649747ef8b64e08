"""Events at the door, and the door."""

from __future__ import annotations

from dataclasses import replace

import redis.asyncio as aioredis

from pipeline.admission import Admission, AdmissionLimits, Admitted, Candidate, Decision
from pipeline.hand_off import HandOff
from pipeline.keys import ONLY
from tests.fixtures.digests import DIGESTS

ACCEPTED = Decision(Admitted.ACCEPTED)
CONFLICT = Decision(Admitted.CONFLICT)
NO_ROOM = Decision(Admitted.NO_ROOM)


def duplicate_of(first_id: str) -> Decision:
    return Decision(Admitted.DUPLICATE, first_id)


def candidate(event_id: str, text: str = "hello", hand_off: HandOff = HandOff.STREAM) -> Candidate:
    payload = f"{event_id}:{text}".encode()
    return Candidate(event_id, DIGESTS.fingerprint(1, "author", text), "discord", payload, hand_off)


def door(
    store: aioredis.Redis,
    *,
    max_depth: int = 1_000,
    max_unread: int = 1_000,
    window_ms: int = 60_000,
    duplicate_ms: int = 60_000,
    max_direct: int = 0,
) -> Admission:
    return Admission(store, ONLY, AdmissionLimits(max_depth, max_unread, window_ms, duplicate_ms, max_direct))


async def decide(admission: Admission, *candidates: Candidate) -> list[Decision]:
    """The decisions, without the place of what was accepted."""
    decisions = (await admission.admit(candidates)).decisions
    return [replace(decision, hand_off=None, entry_id="") for decision in decisions]
