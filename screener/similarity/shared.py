"""One index for all workers of a host: the process that has it answers over a socket, and workers ask.

gRPC over a Unix-domain socket in the service's own folder, which no other user can open: so without keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import IndexUnavailable
from pipeline.server_bounds import MAX_MESSAGE_BYTES
from pipeline.verdict import SimilarEvent
from screener.similarity.comparison import Comparison
from screener.similarity.neighbourhood import Neighbourhood, Utterance
from screener.similarity.wire import (
    NearestQuestion,
    Question,
    decode_nearest,
    decode_neighbourhoods,
    encode_nearest,
    encode_neighbourhoods,
)

_SERVICE = "seawall.Index"
_LOOK_S = 0.5

Method = Callable[[bytes, "grpc.aio.ServicerContext[bytes, bytes]"], Awaitable[bytes]]


def options() -> list[tuple[str, int]]:
    """Of both ends."""
    return [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_reconnect_backoff_ms", 1_000),
    ]


def socket_of(folder: Path) -> str:
    """Where the index process of a service answers, as gRPC takes it."""
    return f"unix:{folder / 'index.grpc'}"


def serve_comparison(server: grpc.aio.Server, comparison: Comparison, caught_up: asyncio.Event) -> None:
    """Adds what `SharedComparison` calls; before the index has caught up, nothing is answered."""

    async def ready(_: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        await _refuse_unless(caught_up, context)
        return b""

    async def compare(data: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        await _refuse_unless(caught_up, context)
        asked = Question.decode(data)
        found = await comparison.compare(asked.vectors, asked.rows, asked.utterances, version=asked.version)
        return encode_neighbourhoods(found)

    async def nearest(data: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        await _refuse_unless(caught_up, context)
        asked = NearestQuestion.decode(data)
        found = await comparison.nearest(
            asked.vectors, version=asked.version, k=asked.k, min_cosine=asked.min_cosine
        )
        return encode_nearest(found)

    methods: dict[str, Method] = {"Ready": ready, "Compare": compare, "Nearest": nearest}
    handlers: dict[str, Any] = {
        name: grpc.unary_unary_rpc_method_handler(method) for name, method in methods.items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))


class SharedComparison:
    """The `Comparison` of a worker: asks the host's index process."""

    def __init__(self, address: str, *, timeout_s: float) -> None:
        """Connects with the first call; `timeout_s` is most time for one."""
        self._channel = grpc.aio.insecure_channel(address, options=options())
        self._timeout_s = timeout_s
        self.caught_up = asyncio.Event()

    async def run(self) -> None:
        """Looks whether the index is there, and says so by `caught_up`, until cancelled; then disconnects."""
        try:
            while True:
                try:
                    await self._call("Ready", b"")
                except IndexUnavailable:
                    self.caught_up.clear()
                else:
                    self.caught_up.set()
                await asyncio.sleep(_LOOK_S)
        finally:
            await self._channel.close()

    async def compare(
        self,
        vectors: NDArray[np.float32],
        rows: Sequence[int],
        utterances: Sequence[Utterance],
        *,
        version: int,
    ) -> list[Neighbourhood]:
        """As `Comparison` has it.

        Raises:
            IndexUnavailable: the index process is away, has not caught up, or did not answer in time.
        """
        question = Question(vectors, rows, utterances, version)
        return decode_neighbourhoods(await self._call("Compare", question.encode()))

    async def nearest(
        self, vectors: NDArray[np.float32], *, version: int, k: int, min_cosine: float
    ) -> list[list[SimilarEvent]]:
        """As `Comparison` has it; raises as `compare`."""
        question = NearestQuestion(vectors, version, k, min_cosine)
        return decode_nearest(await self._call("Nearest", question.encode()))

    async def _call(self, method: str, data: bytes) -> bytes:
        call: Any = self._channel.unary_unary(f"/{_SERVICE}/{method}")
        try:
            answer: bytes = await call(data, timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise IndexUnavailable("the similarity index does not answer") from error
        return answer


async def _refuse_unless(caught_up: asyncio.Event, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
    if not caught_up.is_set():
        await context.abort(grpc.StatusCode.UNAVAILABLE, "not caught up")
