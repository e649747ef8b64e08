"""A runtime over the served graph and nothing of the system around it, in a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal, cast

import numpy as np

from benchmarks.turns import Figures
from screener.buckets import Bucket, bucketed
from screener.model import EMBEDDING_WIDTH, OUTPUTS
from screener.tokens import Tokenizer
from screener.triton import MAX_BATCH
from scripts.system.system import TOKENIZER
from training.agreement import Answers
from training.sessions import cuda_session, openvino_session, plain_session


@dataclass(frozen=True, slots=True)
class Runtime:
    """A file of the model, and what runs it how."""

    name: str
    file: Path
    provider: Literal["onnxruntime", "openvino", "cuda"]
    precision: Literal["f32", "bf16"] = "f32"
    threads: int = 2
    streams: int = 1
    """Batches at once, which share the threads."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a bare runtime is to answer: texts, tokenised and cut into batches first, or batches."""

    texts: Sequence[str] = ()
    request_tokens: int = 0
    """Of a batch of texts, at most, padding included."""
    buckets: Sequence[Bucket] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """How long it took, from the texts in hand to the answers, and the answers in the order of the rows."""

    seconds: float
    processor_s: float
    answers: Answers

    @property
    def figures(self) -> Figures:
        """Texts a second, and milliseconds of processor a text."""
        texts = len(self.answers.embeddings)
        return {
            "texts_per_second": texts / self.seconds,
            "processor_ms": 1000 * self.processor_s / texts,
        }


class BareRuntime:
    """A runtime that works in another process; one piece of work at a time."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    async def do(self, work: Work) -> Done:
        """Has it done; the way there and back does not count."""
        return await asyncio.to_thread(self._ask, work)

    def _ask(self, work: Work) -> Done:
        self._pipe.send(work)
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return cast("Done", answer)


@asynccontextmanager
async def started(runtime: Runtime) -> AsyncIterator[BareRuntime]:
    """Opens it and has it ready; its process ends with the block, and with this process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(runtime, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        await asyncio.to_thread(ours.recv)
        yield BareRuntime(ours)
    finally:
        ours.close()
        await asyncio.to_thread(process.join)


def _serve(runtime: Runtime, pipe: Connection) -> None:
    tokenizer = Tokenizer.from_file(TOKENIZER)
    if runtime.provider == "openvino":
        run = openvino_session(
            runtime.file, precision=runtime.precision, threads=runtime.threads, streams=runtime.streams
        )
    elif runtime.provider == "cuda":
        run = cuda_session(runtime.file)
    else:
        run = plain_session(runtime.file, threads=runtime.threads - runtime.streams + 1)

    def done(work: Work) -> Done:
        began, processor = time.perf_counter(), time.process_time()
        buckets = work.buckets or bucketed(
            tokenizer.encode(work.texts), max_batch=MAX_BATCH, max_tokens=work.request_tokens
        )
        rows = sum(len(bucket.rows) for bucket in buckets)
        answers = Answers(
            np.empty((rows, EMBEDDING_WIDTH), np.float32), np.empty((rows, OUTPUTS), np.float32)
        )
        with ThreadPoolExecutor(runtime.streams) as streams:
            for bucket, (embeddings, probabilities) in zip(buckets, streams.map(run, buckets), strict=True):
                answers.embeddings[bucket.rows] = embeddings
                answers.probabilities[bucket.rows] = probabilities
        return Done(time.perf_counter() - began, time.process_time() - processor, answers)

    pipe.send(None)
    while True:
        try:
            work = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(done(work))
        except Exception as error:  # noqa: BLE001  # it is the caller's to see
            pipe.send(error)
