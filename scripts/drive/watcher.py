"""`Watcher`: reads verdicts and dead letters as they enter their streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis.asyncio as aioredis

from pipeline.keys import Keys
from pipeline.store import store_errors
from pipeline.tasks import cancel_if_asked
from pipeline.verdict import Verdict
from pipeline.verdict_tail import end_of

BLOCK_MS = 200
_COUNT = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """A new entry: a verdict, or for a dead letter None."""

    event_id: str
    verdict: Verdict | None


class Watcher:
    """Sees every entry from `note_positions` on, unless a stream is trimmed faster than it is read."""

    def __init__(self, client: aioredis.Redis, keys: Keys) -> None:
        self._client = client
        self._dead_letter = keys.dead_letter
        self._streams = (keys.reasoning_queue, keys.low_risk, keys.dead_letter)
        self._positions: dict[str, str] = {}

    async def note_positions(self) -> None:
        """Remembers where the streams end now.

        Raises:
            StoreUnavailable: Redis does not answer.
        """
        with store_errors():
            for stream in self._streams:
                self._positions[stream] = await end_of(self._client, stream)

    async def read(self) -> Sequence[Seen]:
        """The entries since the last call, each stream in order; waits `BLOCK_MS` at most for the first.

        Raises:
            StoreUnavailable: Redis does not answer.
            EntryUndecodable: an entry does not hold a verdict.
        """
        with store_errors():
            reply = await self._client.xread(self._positions, count=_COUNT, block=BLOCK_MS)  # type: ignore[arg-type]
        cancel_if_asked()  # a Ctrl-C that is lost would leave the run running
        seen = []
        for name, entries in _pairs(reply):
            stream = name.decode()
            self._positions[stream] = entries[-1][0].decode()
            for _, fields in entries:
                verdict = None if stream == self._dead_letter else Verdict.decode(fields[b"payload"])
                seen.append(Seen(fields[b"event_id"].decode(), verdict))
        return seen


def _pairs(reply: Any) -> Sequence[tuple[bytes, Sequence[tuple[bytes, Mapping[bytes, bytes]]]]]:
    """XREAD's reply: a map under RESP3, a list of pairs under RESP2; None or empty for nothing new."""
    if isinstance(reply, Mapping):
        return [(name, entries[0]) for name, entries in reply.items()]
    return reply or []
