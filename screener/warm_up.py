"""The screener's start: nothing is taken from the queue before the first event finds everything in place."""

from __future__ import annotations

import asyncio
import contextlib

from pipeline.collector import settle
from pipeline.errors import SeawallError
from screener.encoder import Encoder
from screener.similarity.feed import IndexFeed
from screener.similarity.shared import SharedComparison
from screener.worker import Worker


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
    settle()  # rules, modules and index are here to stay
    warm.set()
    await worker.run()
