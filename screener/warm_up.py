"""The screener's start: nothing is taken from the queue before the first event finds everything in place."""

from __future__ import annotations

import asyncio
import contextlib
import gc

from pipeline.errors import SeawallError
from screener.encoder import Encoder
from screener.similarity.feed import IndexFeed
from screener.similarity.shared import SharedComparison
from screener.worker import Worker

_NEW_OBJECTS_BETWEEN_COLLECTIONS = 10_000
"""Python's default is 700, those of some 15 events: a twelfth of the loop's time went into looking at objects
that nearly all are free soon, or here to stay. With many more, one look would be a stall of its own."""


async def work_warm(
    worker: Worker,
    feed: IndexFeed | SharedComparison,
    encoder: Encoder,
    timeout_s: float,
    warm: asyncio.Event,
) -> None:
    """Warms up, then works: the first event finds the model warm and the index full."""
    await feed.caught_up.wait()
    with contextlib.suppress(SeawallError):  # without a model the worker itself waits for it
        await encoder.warm_up(timeout_s=timeout_s)
    # Rules, modules and index are here to stay: a full collection would look at each of their objects, for
    # a tenth of a second, in which no event goes on.
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS_BETWEEN_COLLECTIONS)
    warm.set()
    await worker.run()
