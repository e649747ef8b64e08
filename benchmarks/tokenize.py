"""`tokenize`: our tokenizer, prefix, emoji in words and arrays included, beside the library's lists of ids.

The module has the name that the suite has for it. Nothing below this folder is run as a script, so the
standard library's `tokenize` stays what it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import tokenizers

from benchmarks.messages import messages
from benchmarks.result import Effort, Line, Result, Wanted
from benchmarks.turns import Figures, in_turns
from screener.tokens import PREFIX, Tokenizer
from scripts.system.system import TOKENIZER

BATCH = 100
"""Texts of one call, as the screener makes it."""


async def measure(effort: Effort) -> Result:
    """Measures in this process; nothing is started.

    Raises:
        RuntimeError: an ASCII text has other tokens than the library gives it.
    """
    texts = messages(200 if effort.brief else 5_000)
    batches = [texts[at : at + BATCH] for at in range(0, len(texts), BATCH)]
    ours = Tokenizer.from_file(TOKENIZER)
    alone = tokenizers.Tokenizer.from_file(str(TOKENIZER))
    alone.no_padding()
    alone.no_truncation()
    prefixed = [[PREFIX + text for text in batch] for batch in batches]
    seconds = effort.seconds / 5 if effort.brief else effort.seconds / 2

    for batch, same in zip(batches, prefixed, strict=True):
        for text, ids, wanted in zip(
            batch, ours.encode_whole(batch), alone.encode_batch_fast(same), strict=True
        ):
            if text.isascii() and not np.array_equal(ids, wanted.ids):
                raise RuntimeError("an ASCII text has other tokens than the library gives it")

    async def of_ours() -> Figures:
        return _rate(lambda number: ours.encode_whole(batches[number]), batches, seconds)

    async def of_library() -> Figures:
        return _rate(lambda number: _ids(alone, prefixed[number]), batches, seconds)

    found = await in_turns({"ours": of_ours, "library": of_library}, rounds=effort.rounds)
    return Result(
        "tokenize",
        (
            Line(
                f"batches of {BATCH}, texts/s",
                found["ours"]["per_second"],
                found["library"]["per_second"],
                "the tokenizers library alone",
                (Wanted(least=0.9, of_ratio=True),),
            ),
            Line(
                "processor, µs a text",
                found["ours"]["us"],
                found["library"]["us"],
                "the tokenizers library alone",
            ),
        ),
        {"texts": len(texts)},
    )


def _ids(alone: tokenizers.Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """What the library is asked for: the ids are lists only once somebody takes them."""
    return [encoding.ids for encoding in alone.encode_batch_fast(texts)]


def _rate(encode: Callable[[int], object], batches: Sequence[Sequence[str]], seconds: float) -> Figures:
    """Whole passes over the batches until the time is over."""
    texts = 0
    began, used = time.perf_counter(), time.process_time()
    while (elapsed := time.perf_counter() - began) < seconds:
        for number, batch in enumerate(batches):
            encode(number)
            texts += len(batch)
    elapsed = time.perf_counter() - began
    return {"per_second": texts / elapsed, "us": 1e6 * (time.process_time() - used) / texts}
