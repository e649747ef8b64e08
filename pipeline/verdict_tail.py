"""`VerdictTail`: reads verdicts as they enter their two streams, without a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis.asyncio as aioredis
from redis.exceptions import ResponseError

from pipeline.errors import PositionLost
from pipeline.keys import Keys
from pipeline.position import Position, order
from pipeline.store import Entry, store_errors
from pipeline.tasks import cancel_if_asked

_FROM_START = "0-0"


@dataclass(frozen=True, slots=True)
class Published:
    """A verdict in its stream: `payload` is `Verdict.encode()`; `position` lies right after it."""

    event_id: str
    payload: bytes
    position: Position


class VerdictTail:
    """Reads `events:reasoning_queue` and `events:low_risk`. Every call may raise StoreUnavailable."""

    def __init__(self, client: aioredis.Redis, keys: Keys) -> None:
        self._client = client
        self._reasoning_queue = keys.reasoning_queue
        self._low_risk = keys.low_risk
        self._trimmed = keys.trimmed

    async def end(self) -> Position:
        """Where the streams end now."""
        with store_errors():
            ends = [await end_of(self._client, name) for name in (self._reasoning_queue, self._low_risk)]
        cancel_if_asked()
        return Position(*ends)

    async def after(self, position: Position, *, count: int, block_ms: int) -> list[Published]:
        """What follows `position`, at most `count` of each stream; waits up to `block_ms` for the first.

        Each stream in its order; of the two, what was published earlier comes first, as far as both are read.
        """
        streams = {self._reasoning_queue: position.reasoning_queue, self._low_risk: position.low_risk}
        with store_errors():
            reply: Any = await self._client.xread(streams, count=count, block=block_ms)  # type: ignore[arg-type]
        cancel_if_asked()
        # bytes, in pairs, as `connect` asks; None or nothing where there was nothing new
        pairs: Sequence[tuple[bytes, Sequence[Entry]]] = reply or ()
        found = [
            (name.decode(), entry_id.decode(), fields)
            for name, entries in pairs
            for entry_id, fields in entries
        ]
        found.sort(key=lambda entry: order(entry[1]))
        published = []
        for name, entry_id, fields in found:
            streams[name] = entry_id
            position = Position(streams[self._reasoning_queue], streams[self._low_risk])
            event_id = fields.get(b"event_id", b"").decode(errors="replace")
            published.append(Published(event_id, fields.get(b"payload", b""), position))
        return published

    async def require_whole(self, position: Position) -> None:
        """Passes if nothing after `position` had been trimmed away when this was asked.

        Asked after a read, it tells that the read has missed nothing.

        Raises:
            PositionLost: something had; names the oldest position from which nothing is missing.
        """
        with store_errors():
            values: list[bytes | None] = await self._client.hmget(  # type: ignore[assignment]
                self._trimmed, [self._reasoning_queue, self._low_risk]
            )
        cancel_if_asked()
        trimmed = [_FROM_START if value is None else value.decode() for value in values]
        oldest = Position(
            max(position.reasoning_queue, trimmed[0], key=order),
            max(position.low_risk, trimmed[1], key=order),
        )
        if oldest != position:
            raise PositionLost("verdicts after this position have been trimmed away", oldest.encode())

    async def require_known(self, position: Position) -> None:
        """Passes if both streams have come as far as `position`.

        Raises:
            PositionLost: one has not: the position is of another Redis, or made up; names where they end.
        """
        end = await self.end()
        if order(position.reasoning_queue) > order(end.reasoning_queue) or order(position.low_risk) > order(
            end.low_risk
        ):
            raise PositionLost("the streams have not come as far as this position", end.encode())


async def end_of(client: aioredis.Redis, stream: str) -> str:
    """The id of the newest entry that a stream has ever had; `0-0` where there is no such stream.

    The caller translates what Redis raises.
    """
    try:
        info = await client.xinfo_stream(stream)
    except ResponseError as error:
        if "no such key" not in str(error):
            raise
        return _FROM_START
    return bytes(info["last-generated-id"]).decode()
