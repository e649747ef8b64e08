"""A process with nothing but an index: `python -m benchmarks.index_host FOLDER REDIS_URL SEGMENT`.

It fills the index with the folder's vectors, says in `built.json` what that took, and then does what the
index process of a screener does: follows the stream, and answers at the folder's socket until it is ended.
`SIMILARITY_DEVICE` is as for a screener.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import orjson
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from benchmarks.memory import resident_mb
from pipeline.collector import settle
from pipeline.keys import ONLY
from pipeline.store import connect
from pipeline.verdict import Category
from screener.metrics import ScreenerMetrics
from screener.similarity.campaign import CampaignPolicy
from screener.similarity.comparison import LocalComparison
from screener.similarity.exact import exact_on
from screener.similarity.feed import IndexFeed, Sealer
from screener.similarity.index import SimilarityIndex
from screener.similarity.seen import Said, Seen
from screener.similarity.shared import options, serve_comparison, socket_of
from screener.similarity.versions import VersionedIndexes

VERSION = 1
VECTORS, BUILT = "vectors.npy", "built.json"

_AT_ONCE = 100
_UNSEALED = 10_000
"""Vectors added before the lists must have caught up, for nobody searches meanwhile."""


@dataclass(frozen=True, slots=True)
class Built:
    """What filling the index took: seconds, seconds of processor, and memory in MB before and after."""

    seconds: float
    processor_s: float
    before_mb: float
    after_mb: float


def events(vectors: NDArray[np.float16] | NDArray[np.float32], *, first: int) -> Iterator[Seen]:
    """An event for each vector, with its number for a name: each its own text by its own author."""
    for number, vector in enumerate(vectors, start=first):
        digest = number.to_bytes(32, "big")
        yield Seen(
            event_id=str(number),
            category=Category.LOW_RISK,
            model_version=VERSION,
            author=digest,
            text=digest,
            seen_at_ms=number,
            vector=vector.astype(np.float32),
            said=Said(informative=8),
        )


async def _host(folder: Path, redis_url: str, segment: int) -> None:
    vectors: NDArray[np.float16] = np.load(folder / VECTORS, mmap_mode="r")
    exact = exact_on("cuda" if os.environ.get("SIMILARITY_DEVICE") == "cuda" else "cpu")
    sealer = Sealer()
    indexes = VersionedIndexes(
        lambda: SimilarityIndex(
            max_events=len(vectors),
            segment_events=segment,
            window_ms=600_000,
            seal_later=sealer,
            exact=exact,
        )
    )
    built = await _fill(indexes, vectors, sealer)
    (folder / BUILT).write_bytes(orjson.dumps(built))
    client = connect(redis_url, timeout_ms=5_000)
    feed = IndexFeed(client, ONLY, indexes, ScreenerMetrics(CollectorRegistry()))
    server = grpc.aio.server(options=options())
    serve_comparison(server, LocalComparison(indexes, CampaignPolicy()), feed.caught_up)
    server.add_insecure_port(socket_of(folder))
    await server.start()
    await feed.run()


async def _fill(indexes: VersionedIndexes, vectors: NDArray[np.float16], sealer: Sealer) -> Built:
    before_mb, began, processor_began = resident_mb(os.getpid()), time.perf_counter(), time.process_time()
    for at in range(0, len(vectors), _AT_ONCE):
        await indexes.add(list(events(vectors[at : at + _AT_ONCE], first=at)))
        if at % _UNSEALED == 0:
            await sealer.done()
    await sealer.done()
    settle()
    return Built(
        time.perf_counter() - began,
        time.process_time() - processor_began,
        before_mb,
        resident_mb(os.getpid()),
    )


if __name__ == "__main__":
    asyncio.run(_host(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
