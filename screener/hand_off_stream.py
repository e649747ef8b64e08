"""The messages of a ScreenStream that carries admitted events, and how such a stream ends."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import TypeVar

from seawall.screening.v1 import screening_pb2, verdict_pb2

from pipeline.admission import MAX_BATCH
from pipeline.auth import Scope, current_caller
from pipeline.errors import EntryUndecodable, Forbidden, InvalidRequest
from pipeline.event import Event, Platform
from pipeline.hand_off import WANTED
from pipeline.wire import batch_violation
from screener.hand_off import Handed, HandOffs, Outcome, Published, SpillReason, Unmoved
from screener.source import Entry, RawEvent

Request = TypeVar("Request")
Metadata = Iterable[tuple[str, str | bytes]]

_LINGER_S = 3.0
"""How long a stream is read on after its end was told, for what was on its way."""

_ENTRY_ID = re.compile(r"\d{1,19}-\d{1,19}", re.ASCII)
_NO_LIMIT_S = float("inf")


class HandOffDoor:
    """Lets keys that may hand off in, and turns their messages into what `HandOffs` takes."""

    def __init__(
        self,
        hand_offs: HandOffs,
        *,
        ready: asyncio.Event | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Takes the parts.

        Args:
            hand_offs: what takes the events.
            ready: set once events can be judged; until then no stream stands. None: at once.
            clock: that of `hand_offs`.
        """
        self._hand_offs = hand_offs
        self._ready = ready
        self._clock = clock

    @property
    def stopping(self) -> asyncio.Event:
        """Set once nothing new is taken."""
        return self._hand_offs.draining

    async def permits(self, metadata: Metadata | None) -> bool:
        """Whether the current caller may hand events over; waits until they can be judged.

        Raises:
            Forbidden: the call's metadata says that it wants to, and the caller may not.
        """
        if Scope.HAND_OFF in current_caller().scopes:
            if self._ready is not None:
                await self._ready.wait()
            return True
        if WANTED in (metadata or ()):
            raise forbidden()
        return False

    async def settle(
        self, admitted: Sequence[screening_pb2.AdmittedEvent]
    ) -> list[screening_pb2.AdmittedResult]:
        """One result for each of a message's events.

        Raises:
            InvalidRequest: they are too many.
        """
        if violation := batch_violation(len(admitted), MAX_BATCH):
            raise InvalidRequest((violation,))
        now_s = self._clock()
        read = [_handed(message, now_s=now_s) for message in admitted]
        outcomes = iter(await self._hand_offs.take([handed for handed in read if handed is not None]))
        return [
            # What cannot be read is ingest's to move: the worker then dead-letters it under its own id.
            _result(message.entry_id, Unmoved.LEFT if handed is None else next(outcomes))
            for message, handed in zip(admitted, read, strict=True)
        ]


def forbidden() -> Forbidden:
    """The refusal of a key that may not hand off."""
    return Forbidden(
        "this key may not hand events over: HANDOFF_API_KEYS names those that may, or the scope hand_off",
        key=current_caller().name,
        scope=Scope.HAND_OFF,
    )


async def until_told(
    requests: AsyncIterator[Request], stopping: asyncio.Event, *, linger_s: float = _LINGER_S
) -> AsyncIterator[Request | None]:
    """Yields requests; once `stopping` is set None, then for `linger_s` at most what still comes."""
    told = asyncio.create_task(stopping.wait())
    coming = _next(requests)
    try:
        while not told.done():
            await asyncio.wait((coming, told), return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                yield coming.result()
                coming = _next(requests)
        yield None
        # No `asyncio.timeout` around a yield: it would cancel whoever reads from here.
        loop = asyncio.get_running_loop()
        until = loop.time() + linger_s
        while await _comes(coming, until - loop.time()):
            yield coming.result()
            coming = _next(requests)
    except StopAsyncIteration:
        return
    finally:
        told.cancel()
        coming.cancel()


def _next(requests: AsyncIterator[Request]) -> asyncio.Future[Request]:
    return asyncio.ensure_future(anext(requests))


async def _comes(coming: asyncio.Future[Request], within_s: float) -> bool:
    await asyncio.wait((coming,), timeout=max(0.0, within_s))
    return coming.done()


def _handed(message: screening_pb2.AdmittedEvent, *, now_s: float) -> Handed | None:
    if not _ENTRY_ID.fullmatch(message.entry_id):
        return None
    try:
        event = Event.decode(message.event)
        Platform(event.platform)
    except (EntryUndecodable, ValueError):  # ValueError: a platform of a later release
        return None
    entry = Entry(message.entry_id, event.event_id, message.event)
    left_s = message.time_left.ToNanoseconds() / 1e9 if message.HasField("time_left") else _NO_LIMIT_S
    return Handed(RawEvent(entry, event), now_s + left_s)


def _result(entry_id: str, outcome: Outcome) -> screening_pb2.AdmittedResult:
    match outcome:
        case Published(payload):
            return screening_pb2.AdmittedResult(
                entry_id=entry_id, verdict=verdict_pb2.Verdict.FromString(payload)
            )
        case SpillReason():
            return screening_pb2.AdmittedResult(entry_id=entry_id, spilled=int(outcome))  # type: ignore[arg-type]
        case Unmoved.GONE:
            return screening_pb2.AdmittedResult(entry_id=entry_id, gone=True)
        case Unmoved.LEFT:
            return screening_pb2.AdmittedResult(entry_id=entry_id, left=True)
