"""A client of IngestStream in a process of its own: items at a fixed rate, each timed from when it was due.

`python -m benchmarks.stream_client ADDRESS FILE STREAMS RATE`, with API_KEY: sends the messages of a file (as
`ghz_load.write_delimited` writes them, numbered from 1) on some streams in turn, and prints the seconds that
each took as a JSON array. ghz loads streams as fast as they go, but cannot hold a rate.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any, cast

import grpc
import orjson
import uvloop
from seawall.ingest.v1 import ingest_pb2

from benchmarks.ghz_load import read_delimited
from pipeline.channel import open_channel

_METHOD = "/seawall.ingest.v1.IngestService/IngestStream"
_ACCEPTED = ingest_pb2.OUTCOME_CODE_ACCEPTED


async def run(
    address: str, messages: list[bytes], streams: int, per_second: float, api_key: str
) -> list[float]:
    """Sends all; seconds from when each was due to its answer.

    Raises:
        RuntimeError: an event was not accepted, or a stream ended early.
    """
    took = [0.0] * len(messages)
    began = time.perf_counter() + 0.1

    async def one(first: int, channel: grpc.aio.Channel) -> None:
        method: Any = channel.stream_stream(_METHOD)
        call = method(metadata=(("api-key", api_key),), timeout=120)
        own = range(first, len(messages), streams)
        await asyncio.gather(_send(call, own), _receive(call, own))

    async def _send(call: grpc.aio.StreamStreamCall[bytes, bytes], own: range) -> None:
        for number in own:
            if (wait := began + number / per_second - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            await call.write(messages[number])
        await call.done_writing()

    async def _receive(call: grpc.aio.StreamStreamCall[bytes, bytes], own: range) -> None:
        for _ in own:
            data = await call.read()
            if data is grpc.aio.EOF:
                raise RuntimeError(f"the stream ended: {await call.code()}")
            answer = ingest_pb2.IngestStreamResponse.FromString(cast("bytes", data))
            if answer.outcome.code != _ACCEPTED:
                raise RuntimeError(f"an event was not accepted: {answer.outcome.code}")
            number = answer.correlation_id - 1
            took[number] = time.perf_counter() - (began + number / per_second)

    async with open_channel(address, None) as channel:
        await asyncio.gather(*(one(first, channel) for first in range(streams)))
    return took


if __name__ == "__main__":
    to, file, number_of_streams, rate = sys.argv[1:]
    sys.stdout.buffer.write(
        orjson.dumps(
            uvloop.run(
                run(
                    to, read_delimited(Path(file)), int(number_of_streams), float(rate), os.environ["API_KEY"]
                )
            )
        )
    )
