"""Ending tasks for certain."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

_AGAIN_S = 0.2


async def end(tasks: Collection[asyncio.Task[object]]) -> None:
    """Cancels tasks until all have ended; what they raise is dropped.

    Until, because `asyncio.wait_for` of Python 3.11 can lose a cancellation that comes as its wait ends, and
    redis-py waits with it: a loop that was cancelled once would then go on for ever.
    """
    pending: Collection[asyncio.Task[object]] = tasks
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_AGAIN_S)


def cancel_if_asked() -> None:
    """Cancels the current task where a cancellation of it was lost, as `end` describes; after each wait."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
