"""`Coalescer`: calls that arrive together share one round trip."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar, cast

from pipeline.errors import Overloaded

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST_TURNS = 32
"""After which a batch goes even where each turn brings another item."""


class Coalescer(Generic[Item, Result]):
    """Joins items into batches without adding a delay.

    While fewer than `concurrency` batches are under way an item goes out at once; what arrives meanwhile goes
    out together as soon as one ends. So batches grow with the load, and a lone call waits for nobody.

    "At once" is after `quiet_turns` turns of the event loop in a row that brought no other item. On an idle
    loop that is some microseconds. On a busy one, where every turn does other calls' work, it is what brings
    a batch together: a gRPC call takes several turns from the wire to here.
    """

    def __init__(
        self,
        flush: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        *,
        max_batch: int,
        max_waiting: int,
        concurrency: int,
        quiet_turns: int = 1,
    ) -> None:
        """Takes the work.

        `quiet_turns` is explained above; `flush` gives one result for each item, in order, or an error in its
        place, or raises for all of them.
        """
        self._flush = flush
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._concurrency = concurrency
        self._quiet_turns = quiet_turns
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._under_way: set[asyncio.Task[None]] = set()

    def submit(self, item: Item) -> asyncio.Future[Result]:
        """Queues `item`; the future gets its result, or its error, or that of its batch.

        Raises:
            Overloaded: `max_waiting` items wait already.
        """
        if len(self._waiting) >= self._max_waiting:
            raise Overloaded(f"{self._max_waiting} calls wait already", retry_after_s=0.1)
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if len(self._under_way) < self._concurrency:
            task = asyncio.create_task(self._work())
            self._under_way.add(task)  # until it looked for items the last time; see `_work`
        return future

    async def drain(self) -> None:
        """Waits until everything submitted so far has its result."""
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                if batch := self._next_batch():
                    await self._run(batch)
        finally:
            # In the step that saw nothing waiting: a callback would come after callers who wake up with their
            # result and submit again, and what they submit would wait for a task that has ended.
            self._under_way.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _gather(self) -> None:
        """Waits while company comes: until some turns of the loop in a row have brought none."""
        quiet = 0
        for _ in range(_MOST_TURNS):
            before = len(self._waiting)
            await asyncio.sleep(0)
            quiet = 0 if len(self._waiting) > before else quiet + 1
            if quiet >= self._quiet_turns or len(self._waiting) >= self._max_batch:
                return

    def _next_batch(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        batch: list[tuple[Item, asyncio.Future[Result]]] = []
        while self._waiting and len(batch) < self._max_batch:
            item, future = self._waiting.popleft()
            if not future.done():  # else its caller has gone
                batch.append((item, future))
        return batch

    async def _run(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        results: Sequence[Result | Exception]
        try:
            results = await self._flush([item for item, _ in batch])
            if len(results) != len(batch):
                raise ValueError(f"{len(results)} results for {len(batch)} items")
        except asyncio.CancelledError:
            for _, future in batch:
                future.cancel()
            raise
        except Exception as error:  # noqa: BLE001  # it belongs to the callers, not to this task
            results = [error] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            _tell(future, result)


def _tell(future: asyncio.Future[Result], result: Result | Exception) -> None:
    if future.done():  # its caller has gone
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
