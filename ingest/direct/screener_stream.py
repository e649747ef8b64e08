"""`ScreenerStream`: one ScreenStream to one screener, kept open; events leave it together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import grpc
import structlog
from seawall.screening.v1 import screening_pb2, screening_pb2_grpc, verdict_pb2

from ingest.direct.backoff import Backoff
from ingest.direct.handed import Handed
from ingest.metrics import IngestMetrics
from pipeline.breaker import Breaker, BreakerLimits
from pipeline.tasks import end
from pipeline.verdict import Verdict

CONNECT_TIMEOUT_S = 5.0
LEAST_TIME_LEFT_S = 0.005
"""A verdict that is of use for less than this cannot come in time: the way there and back takes as long."""

_BREAKER = BreakerLimits(failures=3, first_rest_s=0.2, most_rest_s=5.0)
"""Without a breaker the screener that refuses at once would look the least busy, and draw every event."""

Metadata = tuple[tuple[str, str], ...]
GiveBack = Callable[[Sequence[Handed], str], None]
_Call = grpc.aio.StreamStreamCall[screening_pb2.ScreenStreamRequest, screening_pb2.ScreenStreamResponse]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Bounds of one stream; see the settings of the same names."""

    in_flight: int
    batch_events: int
    batch_wait_s: float


class TakesVerdicts(Protocol):
    """Those who wait for verdicts, as the stream sees them."""

    def awaits(self, event_id: str) -> bool:
        """Whether anybody waits for the verdict of this event."""

    def tell(self, verdict: Verdict) -> None:
        """Hands a verdict to those who wait for it."""


class ScreenerStream:
    """A seat is taken before the event is admitted, and kept until the event has left the stream.

    What leaves without the screener's word is given back, with the reason: `broken`, `timeout`, `late`,
    `left`, or `draining` where the screener never saw it.
    """

    def __init__(
        self,
        open_channel: Callable[[], grpc.aio.Channel],
        *,
        target: str,
        metadata: Metadata,
        limits: StreamLimits,
        metrics: IngestMetrics,
        verdicts: TakesVerdicts,
        give_back: GiveBack,
    ) -> None:
        """Takes what opens a channel: each stream has its own, and with it the certificates of its time."""
        self.target = target
        self.turn = 0
        self._open_channel = open_channel
        self._metadata = metadata
        self._limits = limits
        self._metrics = metrics
        self._verdicts = verdicts
        self._give_back = give_back
        self._breaker = Breaker(_BREAKER)
        self._backoff = Backoff()
        self._seats = 0
        self._handed: dict[str, Handed] = {}  # by entry id, oldest first
        self._pending: deque[Handed] = deque()  # those of them that are still to be written
        self._wake = asyncio.Event()
        self._full = asyncio.Event()
        self._connected = False
        self._half_closing = False  # until the stream is opened again
        self._closing = False  # for good
        self._serving: asyncio.Task[None] | None = None
        self._told_down = False
        self._answered_at = 0.0

    @property
    def outstanding(self) -> int:
        """Seats taken: of events that are being admitted, or are on their way there and back."""
        return self._seats

    @property
    def standing(self) -> bool:
        """Whether the stream is open and the screener takes events."""
        return self._connected and not self._half_closing

    def has_seat(self, now_s: float) -> bool:
        """Whether `take_seat` may be called."""
        return self.standing and self._seats < self._limits.in_flight and not self.is_resting(now_s)

    def is_resting(self, now_s: float) -> bool:
        """Whether the screener is left alone, since it answered and did no work."""
        return self._breaker.is_open(now_s)

    def take_seat(self, turn: int) -> None:
        """Keeps a place for one event; `send` or `leave_seat` follows. `turn` grows with every seat taken."""
        self._seats += 1
        self.turn = turn

    def leave_seat(self) -> None:
        """The event does not come after all."""
        self._seats -= 1

    def send(self, handed: Handed) -> None:
        """Puts an event that has a seat on its way; to be called only while the stream stands."""
        self._handed[handed.entry_id] = handed
        self._pending.append(handed)
        self._wake.set()
        if len(self._pending) >= self._limits.batch_events:
            self._full.set()

    async def run(self) -> None:
        """Keeps the stream open until `close`, and returns when every answer has come."""
        try:
            while not self._closing:
                self._serving = asyncio.create_task(self._serve())
                await asyncio.wait((self._serving,))
                self._tell_end(self._serving)
                if not self._closing:
                    await asyncio.sleep(self._backoff.wait_s())
        finally:
            if self._serving is not None:
                await end((self._serving,))

    def close(self) -> None:
        """Takes nothing more; `run` returns once what was sent is answered."""
        self._closing = True
        self._half_close()
        if not self._connected and self._serving is not None:
            self._serving.cancel()

    def expire(self, now_s: float) -> None:
        """Gives back what has waited too long; a stream that has been silent all that time is opened anew."""
        overdue = []
        for handed in self._handed.values():
            if handed.expires_at > now_s:
                break
            overdue.append(handed)
        if not overdue:
            return
        self._leave(overdue, "timeout")
        self._breaker.failed(now_s)
        if self._answered_at < overdue[0].sent_at and self._serving is not None:
            self._serving.cancel()

    async def _serve(self) -> None:
        """One call on a channel of its own, from its opening to its end."""
        async with self._open_channel() as channel:
            await self._serve_on(screening_pb2_grpc.ScreeningServiceStub(channel))

    async def _serve_on(self, stub: screening_pb2_grpc.ScreeningServiceAsyncStub) -> None:
        self._half_closing = False
        call: _Call = stub.ScreenStream(metadata=self._metadata)
        writer: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await call.initial_metadata()
            if not call.done():  # else it was refused, and reading tells why
                self._connected = True
                self._told_down = False
                self._metrics.streams.inc()
                _log.info("hand_off_stream_open", screener=self.target)
                writer = asyncio.create_task(self._write(call))
            while isinstance(response := await call.read(), screening_pb2.ScreenStreamResponse):
                self._take_in(response)
        finally:
            if self._connected:
                self._connected = False
                self._metrics.streams.dec()
            if writer is not None:
                await end((writer,))
            call.cancel()
            self._pending.clear()
            self._leave(tuple(self._handed.values()), "broken")

    def _tell_end(self, serving: asyncio.Task[None]) -> None:
        """Logs the first of several failures in a row; what a call raises ends nothing but the call."""
        error = None if serving.cancelled() else serving.exception()
        if error is None and not serving.cancelled():
            _log.info("hand_off_stream_ended", screener=self.target)
        elif not self._told_down:
            self._told_down = True
            code = error.code().name if isinstance(error, grpc.aio.AioRpcError) else type(error).__name__
            _log.warning("hand_off_stream_broken", screener=self.target, code=code)

    async def _write(self, call: _Call) -> None:
        try:
            while not self._half_closing:
                await self._wake.wait()
                self._wake.clear()
                while self._pending and not self._half_closing:
                    await self._company()
                    if batch := self._next_batch():
                        await call.write(screening_pb2.ScreenStreamRequest(admitted=batch))
            unseen, self._pending = tuple(self._pending), deque()
            self._leave([handed for handed in unseen if handed.entry_id in self._handed], "draining")
            await call.done_writing()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            call.cancel()  # the reader then meets the end, and why

    async def _company(self) -> None:
        """Lets events come aboard; on a stream with nothing under way only those of this turn of the loop."""
        await asyncio.sleep(0)
        if len(self._pending) < len(self._handed) and len(self._pending) < self._limits.batch_events:
            self._full.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.batch_wait_s):
                    await self._full.wait()

    def _next_batch(self) -> list[screening_pb2.AdmittedEvent]:
        now_s = asyncio.get_running_loop().time()
        batch: list[screening_pb2.AdmittedEvent] = []
        late: list[Handed] = []
        while self._pending and len(batch) < self._limits.batch_events:
            handed = self._pending.popleft()
            if handed.entry_id not in self._handed:  # it has waited too long
                continue
            left_s = handed.useful_until - now_s
            if left_s < LEAST_TIME_LEFT_S:
                late.append(handed)
                continue
            message = screening_pb2.AdmittedEvent(entry_id=handed.entry_id, event=handed.payload)
            message.time_left.FromNanoseconds(int(left_s * 1e9))
            batch.append(message)
        if late:
            self._leave(late, "late")
        return batch

    def _take_in(self, response: screening_pb2.ScreenStreamResponse) -> None:
        now_s = self._answered_at = asyncio.get_running_loop().time()
        if response.draining:
            self._half_close()
        left = []
        refused = published = False
        for result in response.admitted_results:
            handed = self._handed.pop(result.entry_id, None)
            kind = result.WhichOneof("result")
            if kind == "verdict":
                published = True
                if handed is not None:
                    self._metrics.hand_off_latency.observe(now_s - handed.sent_at)
                self._tell(result.verdict)
            refused |= kind == "spilled" and result.spilled in _REFUSALS
            if handed is None:  # given back already; whoever moved the entry first has decided
                continue
            self._seats -= 1
            if kind == "left":
                left.append(handed)
        if left:
            self._give_back(left, "left")
        if published:
            self._breaker.succeeded()
            self._backoff.reset()
        elif refused:
            self._breaker.failed(now_s)

    def _tell(self, message: verdict_pb2.Verdict) -> None:
        if not self._verdicts.awaits(message.event_id):  # reading a message takes as long as all the rest
            return
        try:
            self._verdicts.tell(Verdict.from_proto(message))
        except ValueError:  # an enum value of a later release; who waits sees the timeout
            _log.warning("verdict_not_read")

    def _half_close(self) -> None:
        self._half_closing = True
        self._wake.set()
        self._full.set()

    def _leave(self, leaving: Sequence[Handed], reason: str) -> None:
        for handed in leaving:
            del self._handed[handed.entry_id]
        self._seats -= len(leaving)
        if leaving:
            self._give_back(leaving, reason)


_REFUSALS = frozenset({screening_pb2.SPILL_REASON_OVERLOADED, screening_pb2.SPILL_REASON_FAILED})
