"""A bidirectional stream whose items are worked on side by side, with a bound, and answered as they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from pipeline.errors import Overloaded

Request = TypeVar("Request")
Result = TypeVar("Result")

_END = object()


async def answers(
    requests: AsyncIterator[Request],
    submit: Callable[[Request], asyncio.Future[Result]],
    *,
    in_flight: int,
) -> AsyncIterator[tuple[Request, Result | Exception]]:
    """Yields each request with its result, or the error that it met, in the order in which they end.

    At most `in_flight` items are under way or wait to be yielded; past that the stream is read no further,
    so that flow control slows the sender. An error of the stream itself is raised after the answers that
    are already there.
    """
    room = asyncio.Semaphore(in_flight)
    done: asyncio.Queue[tuple[object, object]] = asyncio.Queue()  # bounded by `room`

    async def read() -> None:
        under_way: set[asyncio.Future[Result]] = set()
        try:
            async for request in requests:
                await room.acquire()
                try:
                    future = submit(request)
                except Exception as error:  # noqa: BLE001  # the item's own error, answered as such
                    done.put_nowait((request, error))
                    continue
                under_way.add(future)
                future.add_done_callback(lambda f, request=request: _hand_over(f, request, under_way, done))  # type: ignore[misc]
        finally:
            if under_way:
                await asyncio.wait(under_way)
            done.put_nowait((_END, None))

    reader = asyncio.create_task(read())
    try:
        while True:
            request, result = await done.get()
            if request is _END:
                break
            room.release()
            yield request, result  # type: ignore[misc]  # the queue holds pairs of these alone, but for _END
        await reader
    finally:
        reader.cancel()


def _hand_over(
    future: asyncio.Future[Result],
    request: object,
    under_way: set[asyncio.Future[Result]],
    done: asyncio.Queue[tuple[object, object]],
) -> None:
    under_way.discard(future)
    if future.cancelled():  # still owed an answer, and its room to the next one
        done.put_nowait((request, Overloaded("the work on this item was given up")))
    else:
        done.put_nowait((request, future.exception() or future.result()))
