"""Taking entries out of a stream for good, and with each what is remembered of its event."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import redis.asyncio as aioredis

from pipeline.errors import EntryUndecodable
from pipeline.keys import Keys
from pipeline.record import FINGERPRINT_BYTES, EventRecord
from pipeline.store import store_errors

_NO_FINGERPRINT = bytes(FINGERPRINT_BYTES)


class Dropper:
    """Drops verdicts or dead letters (`drop.lua`)."""

    def __init__(self, client: aioredis.Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._script = client.register_script(files("pipeline").joinpath("drop.lua").read_text())

    async def drop(self, stream: str, entries: Sequence[tuple[str, str]]) -> list[bool]:
        """Drops entries, each given by its id and its event's; tells of each whether it was still there.

        An event's record and fingerprint are forgotten where they are this entry's.

        Raises:
            StoreUnavailable: Redis did not answer. Calling again is safe.
        """
        if not entries:
            return []
        records = await self.records([event_id for _, event_id in entries])
        keys: list[bytes | str] = [stream]
        args: list[str] = []
        for (entry_id, event_id), record in zip(entries, records, strict=True):
            fingerprint = record.fingerprint if record else _NO_FINGERPRINT
            keys += (self._keys.event(event_id), self._keys.fingerprint(fingerprint))
            args += (entry_id, event_id)
        with store_errors():
            reply = await self._script(keys=keys, args=args)
        return [bool(dropped) for dropped in reply]

    async def records(self, event_ids: Sequence[str]) -> list[EventRecord | None]:
        """The records of events; None where there is none that can be read."""
        if not event_ids:
            return []
        with store_errors():
            values: list[bytes | None] = await self._client.mget(  # type: ignore[assignment]  # bytes, as `connect` asks
                [self._keys.event(event_id) for event_id in event_ids]
            )
        return [_record(value) for value in values]


def _record(value: bytes | None) -> EventRecord | None:
    try:
        return None if value is None else EventRecord.decode(value)
    except EntryUndecodable:
        return None
