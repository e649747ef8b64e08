"""A worker that dies of a text, and is started again until the queue is empty; tells of each death."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

from pipeline.keys import ONLY
from pipeline.store import connect
from screener.model import ModelOutput
from tests.fixtures.model import ModelInMemory
from tests.fixtures.screening import Bench


class DeadlyModel(ModelInMemory):
    """Ends the process, as a fault in native code does."""

    async def infer(self, texts: Sequence[str], *, timeout_s: float) -> ModelOutput:
        if self.poison in texts:
            os._exit(1)
        return await super().infer(texts, timeout_s=timeout_s)


async def work(url: str, deadly: str) -> None:
    """One life: until the queue is empty."""
    store = connect(url, timeout_ms=5_000)
    model = DeadlyModel()
    model.poison = deadly
    bench = Bench(store, model, claim_idle_ms=100)
    async with bench.running(bench.worker(consumer=f"mortal-{os.getpid()}")):
        while await store.xlen(ONLY.raw):
            await asyncio.sleep(0.02)
    await store.aclose()


def main(url: str, deadly: str) -> None:
    """Lives again and again."""
    while True:
        child = os.fork()
        if child == 0:
            asyncio.run(work(url, deadly))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status == 0:
            return
        print("died", flush=True)  # noqa: T201  # to who asked


if __name__ == "__main__":
    main(*sys.argv[1:])
