"""Rows of token ids to padded batches, so that runs of the model and padding cost least together.

Pure. A run costs a fixed part and a part for each token, padding included. So rows of like length go
together, and a few that would be a run by themselves go along with longer ones where that costs less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

RUN_TOKENS = 8
"""What a run of the model costs beside its tokens, in tokens (docs/performance.md, The model)."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Rows of like length, padded with zeros to the length of the longest, or to an edge above it."""

    rows: NDArray[np.intp]
    """[batch]: where each row stood in the caller's list."""
    input_ids: NDArray[np.int64]
    """[batch, length]"""
    attention_mask: NDArray[np.int64]
    """[batch, length]: 1 for a token, 0 for padding."""


def bucketed(
    encoded: Sequence[NDArray[np.int64]],
    *,
    max_batch: int,
    max_tokens: int | None = None,
    edges: Sequence[int] | None = None,
) -> list[Bucket]:
    """Every row in exactly one bucket, shortest first; of all ways to cut them, the cheapest.

    Args:
        encoded: rows of ids, each int64 [length]; rows keep their order within a bucket.
        max_batch: rows of a bucket, at most.
        max_tokens: of a bucket, padding included, unless it is one row; None for any number.
        edges: the only widths, ascending, no row being longer than the last; None for any width.
    """
    if max_batch < 1:
        raise ValueError(f"max_batch must be at least 1, not {max_batch}")
    lengths = np.fromiter((len(ids) for ids in encoded), dtype=np.intp, count=len(encoded))
    order = np.argsort(lengths, kind="stable")
    widths = lengths[order]
    if edges is not None:
        widths = np.asarray(edges)[np.searchsorted(edges, widths)]
    most_rows = np.full(len(encoded), max_batch)
    if max_tokens is not None:
        most_rows = np.clip(max_tokens // widths, 1, max_batch)
    return [
        _padded(encoded, np.sort(order[start:stop]), int(widths[stop - 1]))
        for start, stop in pairwise(_cuts(widths, most_rows))
    ]


def padded_share(buckets: Sequence[Bucket]) -> float:
    """Of all the buckets' tokens, those that are padding; 0 without any."""
    tokens = sum(bucket.input_ids.size for bucket in buckets)
    real = sum(int(bucket.attention_mask.sum()) for bucket in buckets)
    return 1 - real / tokens if tokens else 0.0


def _cuts(widths: NDArray[np.intp], most_rows: NDArray[np.intp]) -> list[int]:
    """Where the buckets of rows sorted by width begin and end: the least sum of runs and padded tokens.

    The cheapest way to cut the first n rows ends with some bucket, and what is before it is cut in the
    cheapest way too.
    """
    costs = np.zeros(len(widths) + 1)
    begins = [0]
    for stop, (width, most) in enumerate(zip(widths.tolist(), most_rows.tolist(), strict=True), start=1):
        first = max(0, stop - most)
        with_last = costs[first:stop] + width * np.arange(stop - first, 0, -1)
        begin = int(with_last.argmin())
        costs[stop] = with_last[begin] + RUN_TOKENS
        begins.append(first + begin)
    cuts = [len(widths)]
    while cuts[-1]:
        cuts.append(begins[cuts[-1]])
    return cuts[::-1]


def _padded(encoded: Sequence[NDArray[np.int64]], rows: NDArray[np.intp], length: int) -> Bucket:
    taken = [encoded[row] for row in rows]
    real = np.arange(length) < np.fromiter(map(len, taken), dtype=np.intp, count=len(taken))[:, None]
    input_ids = np.zeros((len(rows), length), dtype=np.int64)
    input_ids[real] = np.concatenate(taken)
    return Bucket(rows=rows, input_ids=input_ids, attention_mask=real.astype(np.int64))
