"""Verdicts of a screener as they are published, across its restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import grpc
from google.rpc import error_details_pb2
from seawall.screening.v1 import screening_pb2, screening_pb2_grpc

from pipeline.status import details_of
from scripts.drive.screener_channel import screener_channel
from scripts.errors import CommandFailed

_FIRST_WAIT_S, _MOST_WAIT_S = 0.2, 5.0
_GOES_ON = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)


async def follow(
    address: str,
    request: screening_pb2.WatchVerdictsRequest,
    *,
    api_key: str,
    report: Callable[[str], None],
) -> AsyncIterator[screening_pb2.WatchVerdictsResponse]:
    """Yields the messages of a watch; where it breaks, of the next one, from the last position on.

    Args:
        address: host and port of a screener.
        request: what is wanted; its position moves on.
        api_key: a key of the screener.
        report: told of each break.

    Raises:
        CommandFailed: nobody answers there, or the screener refuses.
    """
    async with screener_channel(address) as channel:
        stub = screening_pb2_grpc.ScreeningServiceStub(channel)
        wait_s, begun = _FIRST_WAIT_S, False
        while True:
            try:
                async for message in stub.WatchVerdicts(request, metadata=(("api-key", api_key),)):
                    request.position = message.position
                    wait_s, begun = _FIRST_WAIT_S, True
                    yield message
            except grpc.aio.AioRpcError as error:
                if not begun or error.code() not in _GOES_ON:
                    raise CommandFailed(_told(address, error)) from error
                report(f"{_told(address, error)}; trying again")
            await asyncio.sleep(wait_s)
            wait_s = min(_MOST_WAIT_S, wait_s * 2)


def _told(address: str, error: grpc.aio.AioRpcError) -> str:
    """The status in one line, with the fields or the position that it names."""
    named = []
    status = details_of(error)
    for detail in status.details if status else ():
        bad, info = error_details_pb2.BadRequest(), error_details_pb2.ErrorInfo()
        if detail.Unpack(bad):
            named += [f"{v.field}: {v.description}" for v in bad.field_violations]
        elif detail.Unpack(info) and "oldest_position" in info.metadata:
            named.append(f"the oldest is {info.metadata['oldest_position']}")
    return "; ".join([f"{address}: {error.code().name}: {error.details()}", *named])
