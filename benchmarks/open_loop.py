"""Load at a fixed rate. A call's time runs from the moment when it was due, not from when it was sent.

So a stall of the system shows in every call that it delayed, and not only in the one that met it (the fault
that is known as coordinated omission).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def at_rate(
    call: Callable[[int], Awaitable[None]], *, per_second: float, seconds: float
) -> list[float]:
    """Makes `per_second * seconds` calls, numbered from 0, each when it is due; seconds that each took.

    A call that fails fails the measurement.
    """
    loop = asyncio.get_running_loop()
    began = loop.time() + 0.01

    async def timed(number: int) -> float:
        due = began + number / per_second
        await asyncio.sleep(max(0.0, due - loop.time()))
        await call(number)
        return loop.time() - due

    return list(await asyncio.gather(*(timed(number) for number in range(max(1, int(per_second * seconds))))))
