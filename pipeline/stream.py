"""A bidirectional stream whose items are worked on side by side, with a bound, and answered as they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pipeline.errors import Overloaded

Request = TypeVar("Request")
Result = TypeVar("Result")

_END = object()


@dataclass(frozen=True, slots=True)
class Later(Generic[Result]):
    """What the work on an item gives whose last answer is still to come.

    Attributes:
        last: gives that answer; cancelled if the stream is left before.
        first: an answer that goes out already; None for none.
    """

    last: asyncio.Future[Result]
    first: Result | None = None


async def answers(
    requests: AsyncIterator[Request],
    submit: Callable[[Request], asyncio.Future[Result] | asyncio.Future[Result | Later[Result]]],
    *,
    in_flight: int,
) -> AsyncIterator[tuple[Request, Result | Exception]]:
    """Yields each request with its result, or the error that it met, in the order in which they end.

    Where the result is a `Later`, its answers are yielded instead, each when it is there.

    At most `in_flight` items are under way or have an answer that waits to be yielded; past that the stream
    is read no further, so that flow control slows the sender. An error of the stream itself is raised after
    the answers that are already there.
    """
    room = asyncio.Semaphore(in_flight)
    work = _UnderWay()

    async def read() -> None:
        try:
            async for request in requests:
                await room.acquire()
                try:
                    future = submit(request)
                except Exception as error:  # noqa: BLE001  # the item's own error, answered as such
                    work.answer(request, error, is_last=True)
                    continue
                work.follow(future, request)
        finally:
            await work.ended()
            work.answer(_END, None, is_last=True)

    reader = asyncio.create_task(read())
    try:
        while True:
            request, result, is_last = await work.answers.get()
            if request is _END:
                break
            if is_last:
                room.release()
            yield request, result
        await reader
    finally:
        reader.cancel()
        work.leave()


class _UnderWay:
    """The items of one stream that are worked on, and the answers that wait to be yielded."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[tuple[Any, Any, bool]] = asyncio.Queue()  # bounded by `room`: two an item
        self._futures: set[asyncio.Future[Any]] = set()
        self._lasts: set[asyncio.Future[Any]] = set()
        self._left = False

    def answer(self, request: object, result: object, *, is_last: bool) -> None:
        self.answers.put_nowait((request, result, is_last))

    def follow(self, future: asyncio.Future[Any], request: object) -> None:
        self._futures.add(future)
        future.add_done_callback(lambda done: self._hand_over(done, request))

    async def ended(self) -> None:
        while self._futures:
            await asyncio.wait(self._futures)

    def leave(self) -> None:
        """Nobody takes answers any more: what was begun ends, but nothing is waited for."""
        self._left = True
        for last in tuple(self._lasts):
            last.cancel()

    def _hand_over(self, future: asyncio.Future[Any], request: object) -> None:
        self._futures.discard(future)
        self._lasts.discard(future)
        if future.cancelled():  # still owed an answer, and its room to the next one
            self.answer(request, Overloaded("the work on this item was given up"), is_last=True)
            return
        result = future.exception() or future.result()
        if not isinstance(result, Later):
            self.answer(request, result, is_last=True)
            return
        if result.first is not None:
            self.answer(request, result.first, is_last=False)
        self._lasts.add(result.last)
        self.follow(result.last, request)
        if self._left:
            result.last.cancel()
