"""The order of training: what a pass draws, in batches of like length; from seed and pass alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TOKENS_PER_BATCH = 1792
MAX_ROWS = 96

_POOL_ROWS = 8192


def draw(draws: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.int64]:
    """The rows of one pass, shuffled: row r comes draws[r] times, a fraction by chance."""
    times = np.floor(draws) + (generator.random(len(draws)) < draws % 1)
    rows = np.repeat(np.arange(len(draws)), times.astype(np.int64))
    generator.shuffle(rows)
    return rows


def batches(
    rows: NDArray[np.int64], lengths: NDArray[np.int64], generator: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Cut `rows` into batches of like length within pools of neighbours, in a random order of batches."""
    made: list[NDArray[np.int64]] = []
    for start in range(0, len(rows), _POOL_ROWS):
        pool = rows[start : start + _POOL_ROWS]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        cut: list[NDArray[np.int64]] = []
        first = 0
        for last in range(1, len(pool) + 1):
            rows_with_next = last + 1 - first
            full = last == len(pool) or rows_with_next > MAX_ROWS
            if full or rows_with_next * lengths[pool[last]] > TOKENS_PER_BATCH:
                cut.append(pool[first:last])
                first = last
        made += [cut[place] for place in generator.permutation(len(cut))]
    return made
