"""Admission: one Lua call decides duplicates and depth for a batch and appends what is new (`admit.lua`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from importlib.resources import files
from itertools import chain
from typing import NamedTuple

import redis.asyncio as aioredis

from pipeline.hand_off import HandOff
from pipeline.keys import Keys
from pipeline.store import store_errors

MAX_BATCH = 500
"""Most events of one call: Lua's unpack and Redis's other clients set the bound."""

_Columns = tuple[tuple[str, ...], tuple[bytes, ...], tuple[str, ...], tuple[bytes, ...], tuple[HandOff, ...]]
_NO_COLUMNS: _Columns = ((), (), (), (), ())
_DIGITS = {way: b"%d" % way for way in HandOff}


class Admitted(IntEnum):
    """What admission decided of one event; numbers as in `admit.lua`."""

    ACCEPTED = 0
    DUPLICATE = 1
    CONFLICT = 2
    NO_ROOM = 3


class Candidate(NamedTuple):
    """An event at the door: `payload` is `Event.encode()`, `fingerprint` has 16 bytes.

    `hand_off` is the way that it shall go; where `events:direct` is full it goes through `events:raw`.
    """

    event_id: str
    fingerprint: bytes
    platform: str
    payload: bytes
    hand_off: HandOff = HandOff.STREAM


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a candidate.

    Attributes:
        first_id: DUPLICATE: names the event that came first.
        hand_off: ACCEPTED: the way that it goes.
        entry_id: ACCEPTED: its entry in `events:raw` or `events:direct`.
    """

    admitted: Admitted
    first_id: str = ""
    hand_off: HandOff | None = None
    entry_id: str = ""


@dataclass(frozen=True, slots=True)
class AdmissionReport:
    """What became of the candidates, in their order, and how much each stream then held.

    A column of each, as `admit.lua` replies: of a batch of new events nobody asks for each by itself.

    Attributes:
        outcomes: of each candidate, a number of `Admitted`.
        streams: the number of its `HandOff`, or 0 where it is in no stream by this call.
        told: the id of its entry where it is ACCEPTED, of the event that came first where it is a DUPLICATE.
        queue_depth: entries of `events:raw`.
        direct_depth: entries of `events:direct`.
        reasoning_unread: entries of `events:reasoning_queue`, where it has a group.
    """

    outcomes: Sequence[int]
    streams: Sequence[int]
    told: Sequence[bytes]
    queue_depth: int
    direct_depth: int
    reasoning_unread: int

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Each by itself."""
        return tuple(map(_decision, self.outcomes, self.streams, self.told))


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """The bounds that `admit.lua` keeps.

    Attributes:
        max_depth: most entries of `events:raw`; past it events are refused.
        max_unread: most unread entries of `events:reasoning_queue`; past it events are refused.
        window_ms: how long a fingerprint is remembered, by Redis's clock.
        duplicate_ms: how long a duplicate's own id is remembered, by Redis's clock.
        max_direct: most entries of `events:direct`; past it events go through `events:raw`.
    """

    max_depth: int
    max_unread: int
    window_ms: int
    duplicate_ms: int
    max_direct: int = 0


class Admission:
    """Admits batches of at most `MAX_BATCH` events, atomically."""

    def __init__(self, client: aioredis.Redis, keys: Keys, limits: AdmissionLimits) -> None:
        self._keys = keys
        self._limits = limits
        self._script = client.register_script(files("pipeline").joinpath("admit.lua").read_text())

    async def admit(self, candidates: Sequence[Candidate]) -> AdmissionReport:
        """Decides and appends; all of it or nothing.

        Raises:
            StoreUnavailable: Redis did not answer, or cannot write. Whether the batch was admitted is then
                unknown; sending it again is safe, for the same ids and contents are duplicates of themselves.
        """
        names, limits = self._keys, self._limits
        columns: _Columns = tuple(zip(*candidates, strict=True)) or _NO_COLUMNS  # type: ignore[assignment]
        ids, prints, platforms, payloads, ways = columns
        numbers = {label: number for number, label in enumerate(dict.fromkeys(platforms), start=1)}
        # By columns: loops in C, where one over the candidates took three times as long.
        pairs: Iterable[tuple[str | bytes, ...]] = zip(
            map(names.event, ids), map(names.fingerprint, prints), strict=True
        )
        keys: list[str | bytes] = [
            names.raw,
            names.direct,
            names.reasoning_queue,
            *chain.from_iterable(pairs),
        ]
        args: list[bytes | str | int] = [
            limits.max_depth,
            limits.max_direct,
            limits.max_unread,
            limits.window_ms,
            limits.duplicate_ms,
            b"".join(map(_DIGITS.__getitem__, ways)),
            bytes(map(numbers.__getitem__, platforms)),
            len(names.event("")),
            len(names.fingerprint(b"")),
            len(numbers),
            *numbers,
            *payloads,
        ]
        with store_errors():
            reply = await self._script(keys=keys, args=args)
        depth, direct_depth, unread, outcomes, streams, told = reply
        return AdmissionReport(outcomes, streams, told, depth, direct_depth, unread)


def _decision(outcome: int, stream: int, told: bytes) -> Decision:
    if outcome == Admitted.ACCEPTED:
        return Decision(Admitted.ACCEPTED, hand_off=HandOff(stream), entry_id=told.decode())
    return Decision(Admitted(outcome), first_id=told.decode())
