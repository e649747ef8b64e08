"""Brings rows from a blocking reader into the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice
from typing import TypeVar

Row = TypeVar("Row")

_CHUNKS_AHEAD = 4


async def feed(rows: Iterator[Row], *, chunk: int) -> AsyncIterator[Sequence[Row]]:
    """Yields the rows in chunks, read ahead by a few; `chunk` is 1 where rows trickle, as in a pipe.

    Raises whatever `rows` raises, after the rows before it. The reader runs in a thread that nobody waits
    for: one that hangs in an open pipe must not keep the program from ending.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Sequence[Row] | Exception | None] = asyncio.Queue(_CHUNKS_AHEAD)

    def read() -> None:
        last: Exception | None = None
        try:
            while part := list(islice(rows, chunk)):
                asyncio.run_coroutine_threadsafe(queue.put(part), loop).result()
        except Exception as error:  # noqa: BLE001  # raised again where the rows are wanted
            last = error
        asyncio.run_coroutine_threadsafe(queue.put(last), loop)

    threading.Thread(target=read, name="rows", daemon=True).start()
    while (item := await queue.get()) is not None:
        if isinstance(item, Exception):
            raise item
        yield item
