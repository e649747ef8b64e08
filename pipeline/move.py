"""Moving entries between streams: one Lua call, each entry moved once or not at all (`move.lua`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import NamedTuple

import redis.asyncio as aioredis

from pipeline.keys import Keys
from pipeline.record import RecordState
from pipeline.store import store_errors

Fields = Mapping[str, bytes | str | int | float]


class Append(NamedTuple):
    """An entry to append: the stream's name and the fields."""

    stream: str
    fields: Fields


class Move(NamedTuple):
    """One entry's way.

    Attributes:
        entry_id: the entry in the source.
        event_id: whose record is updated.
        state: what the record says afterwards.
        record_life_ms: how long the record is kept from now on, by Redis's clock; 0: until the next move.
        to: the destination.
        beside: appended in the same step, such as the vector to `events:embeddings`.
    """

    entry_id: str
    event_id: str
    state: RecordState
    record_life_ms: int
    to: Append
    beside: Append | None = None


@dataclass(frozen=True, slots=True)
class StreamCaps:
    """Most entries of a stream, by its name, kept approximately; a stream with a group is never trimmed."""

    caps: Mapping[str, int] = field(default_factory=dict)

    def of(self, stream: str) -> int:
        """The cap, 0 where the stream is never trimmed."""
        return self.caps.get(stream, 0)


class Mover:
    """Moves entries out of one source stream."""

    def __init__(
        self, client: aioredis.Redis, keys: Keys, *, source: str, group: str, caps: StreamCaps
    ) -> None:
        self._keys = keys
        self._source = source
        self._group = group
        self._caps = caps
        self._script = client.register_script(files("pipeline").joinpath("move.lua").read_text())

    async def move(self, moves: Sequence[Move]) -> list[str | None]:
        """Moves each entry that is still in the source; answers with its new id, None where it was gone.

        Raises:
            StoreUnavailable: Redis did not answer. Calling again is safe: what was moved moves no more.
        """
        streams = sorted({a.stream for m in moves for a in (m.to, m.beside) if a is not None})
        number = {stream: i for i, stream in enumerate(streams, start=1)}
        keys: list[str] = [self._source, self._keys.attempts, self._keys.trimmed, *streams]
        args: list[bytes | str | int | float] = [self._group, len(streams), len(moves)]
        args += [self._caps.of(stream) for stream in streams]
        for move in moves:
            keys.append(self._keys.event(move.event_id))
            args += (move.entry_id, move.state.value, move.record_life_ms)
            args += _target(move.to, number)
            args += _target(move.beside, number)
        with store_errors():
            reply = await self._script(keys=keys, args=args)
        return [entry_id.decode() or None for entry_id in reply]


def _target(append: Append | None, number: Mapping[str, int]) -> list[bytes | str | int | float]:
    if append is None:
        return [0, 0]
    flat: list[bytes | str | int | float] = [number[append.stream], 2 * len(append.fields)]
    for name, value in append.fields.items():
        flat += (name, value)
    return flat
