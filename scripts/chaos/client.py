"""`RetryingClient`: brings events to ingest, with the same ids until each is in."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

import grpc
from google.rpc import error_details_pb2
from seawall.ingest.v1 import ingest_pb2, ingest_pb2_grpc

from pipeline.channel import open_channel
from pipeline.event import Event
from pipeline.hand_off import HandOff
from pipeline.status import details_of
from scripts.chaos.ledger import Ledger

MAX_BATCH = 128
_CALL_TIMEOUT_S = 10.0
_FIRST_WAIT_S, _MOST_WAIT_S = 0.05, 0.5
_RECONNECT: list[tuple[str, object]] = [
    # gRPC's own back-off grows to two minutes: a restarted ingest is to be found at once.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
]


class RetryingClient:
    """Keeps the ledger: what it was told, and which tries ended without an answer."""

    def __init__(
        self,
        address: str,
        *,
        api_key: str,
        ledger: Ledger,
        dice: random.Random,
        clock: Callable[[], float],
    ) -> None:
        """Takes ingest's host and port; connects on first use, inside a running loop."""
        self._channel = open_channel(address, None, options=_RECONNECT)
        self._stub = ingest_pb2_grpc.IngestServiceStub(self._channel)
        self._metadata = (("api-key", api_key),)
        self._ledger = ledger
        self._dice = dice
        self._clock = clock

    async def send(self, events: Sequence[Event], hand_off: HandOff) -> None:
        """Sends up to `MAX_BATCH` events that the ledger knows; returns when each is in."""
        left, backoff_s = list(events), _FIRST_WAIT_S
        while left:
            left, delay_s = await self._try(left, hand_off)
            if left:
                # Some of it at random, so that those who wait do not come back all at once.
                await asyncio.sleep(max(delay_s, backoff_s) * self._dice.uniform(1.0, 1.5))
                backoff_s = min(2 * backoff_s, _MOST_WAIT_S)

    async def close(self) -> None:
        """Closes the channel."""
        await self._channel.close()

    async def _try(self, events: Sequence[Event], hand_off: HandOff) -> tuple[list[Event], float]:
        """One call; answers with those that are to be sent again, and the delay that ingest asks for."""
        request = ingest_pb2.IngestBatchRequest(
            events=[event.to_proto() for event in events],
            hand_off=int(hand_off),  # type: ignore[arg-type]  # an int is the enum's value on the wire
        )
        try:
            response = await self._stub.IngestBatch(request, timeout=_CALL_TIMEOUT_S, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            self._ledger.refused(error.code().name, error.details() or "")
            if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                for event in events:
                    self._ledger.without_answer(event.event_id)
            return list(events), _delay_s(error)
        now, delay_s, left = self._clock(), 0.0, []
        for event, outcome in zip(events, response.outcomes, strict=True):
            if outcome.code == ingest_pb2.OUTCOME_CODE_ACCEPTED:
                self._ledger.told_accepted(event.event_id, now)
            elif outcome.code == ingest_pb2.OUTCOME_CODE_DUPLICATE:
                self._ledger.told_duplicate(event.event_id, now, duplicate_of=outcome.duplicate_of)
            elif outcome.code == ingest_pb2.OUTCOME_CODE_RETRY_LATER:
                left.append(event)
                delay_s = max(delay_s, outcome.retry_after.ToMilliseconds() / 1000)
            else:
                self._ledger.told_rejected(event.event_id)
        return left, delay_s


def _delay_s(error: grpc.aio.AioRpcError) -> float:
    status = details_of(error)
    info = error_details_pb2.RetryInfo()
    for detail in status.details if status else ():
        if detail.Unpack(info):
            return float(info.retry_delay.ToMilliseconds() / 1000)
    return 0.0
