"""`Door`: brings calls to the services as they are, bytes and all, and tells what came back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import grpc
from google.rpc import status_pb2

from pipeline.server import channel_options
from pipeline.status import details_of
from scripts.fuzz.call import PACKED, Answer, Call, End, Target

SLACK_S = 15.0
"""How long after its deadline a call is waited for: then it hangs."""

_MOST_RESPONSES = 1_000
_LOST = "Internal error from Core"
"""What Python's client tells in place of the status, where a write of its own failed: INTERNAL, and this."""

Channel = grpc.aio.Channel


class Door:
    """A few channels to each service, without any limit of the client's own on what it sends."""

    def __init__(self, addresses: Mapping[Target, str], *, api_key: str) -> None:
        """Takes host and port of each service; connects on first use, inside a running loop."""
        options = [
            (name, value) for name, value in channel_options() if name != "grpc.max_send_message_length"
        ]
        options += [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        self._channels = {
            target: grpc.aio.insecure_channel(address, options=options)
            for target, address in addresses.items()
        }
        self._key = ("api-key", api_key)

    async def close(self) -> None:
        """Closes the channels."""
        for channel in self._channels.values():
            await channel.close()

    async def send(self, call: Call) -> Answer:
        """Makes the call, and waits for its end."""
        started = time.perf_counter()
        responses: list[bytes] = []
        status: status_pb2.Status | None = None
        code, message, hung = grpc.StatusCode.OK, "", False
        try:
            async with asyncio.timeout(call.deadline_s + SLACK_S):
                await self._make(call, responses)
        except grpc.aio.AioRpcError as error:
            code, message, status = error.code(), error.details() or "", details_of(error)
        except asyncio.CancelledError:
            if call.end is not End.LEAVES or _is_cancelled():
                raise
            code = grpc.StatusCode.CANCELLED  # as the client asked for
        except TimeoutError:
            code, hung = grpc.StatusCode.DEADLINE_EXCEEDED, True
        seconds = time.perf_counter() - started
        lost = code is grpc.StatusCode.INTERNAL and message == _LOST
        return Answer(code, message, status, tuple(responses), seconds, hung, lost)

    async def _make(self, call: Call, responses: list[bytes]) -> None:
        channel = self._channels[call.target]
        metadata = grpc.aio.Metadata(*call.metadata, self._key)
        if call.is_unary and not call.method.endswith("WatchVerdicts"):
            unary: Any = channel.unary_unary(call.method, request_serializer=None, response_deserializer=None)
            responses.append(
                await unary(
                    call.messages[0],
                    timeout=call.deadline_s,
                    metadata=metadata,
                    compression=grpc.Compression.Gzip if call.kind == PACKED else None,
                )
            )
            return
        if call.end is End.CLOSES and len(call.messages) == 1 and call.method.endswith("WatchVerdicts"):
            watch: Any = channel.unary_stream(
                call.method, request_serializer=None, response_deserializer=None
            )
            await _read(watch(call.messages[0], timeout=call.deadline_s, metadata=metadata), responses)
            return
        # A stream both ways is what every method can be called as: so any number of messages reaches any.
        stream: Any = channel.stream_stream(call.method, request_serializer=None, response_deserializer=None)
        made = stream(timeout=call.deadline_s, metadata=metadata)
        reading = asyncio.create_task(_read(made, responses))
        reading.add_done_callback(
            lambda done: done.cancelled() or done.exception()
        )  # told, be it waited for or not
        try:
            await self._write(call, made)
            await reading
        finally:
            reading.cancel()
            made.cancel()

    async def _write(self, call: Call, made: grpc.aio.StreamStreamCall[bytes, bytes]) -> None:
        try:
            for message in call.messages:
                await made.write(message)
            if call.end is End.CLOSES:
                await made.done_writing()
        except (grpc.aio.AioRpcError, grpc.aio.InternalError, asyncio.InvalidStateError):
            pass  # the service has ended it meanwhile: the reader is told how
        if call.end is End.LEAVES:
            made.cancel()


async def _read(made: Any, responses: list[bytes]) -> None:
    async for response in made:
        if len(responses) < _MOST_RESPONSES:
            responses.append(response)
    code = await made.code()
    if code is not grpc.StatusCode.OK:
        raise grpc.aio.AioRpcError(
            code, await made.initial_metadata(), await made.trailing_metadata(), await made.details()
        )


def _is_cancelled() -> bool:
    """Whether somebody cancels this task, rather than the call that it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
