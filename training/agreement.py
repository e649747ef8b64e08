"""How far a variant's answers lie from the FP32 graph's, alone and inside mixed, padded batches.

The reference is the exported encoder's arithmetic in FP32, one text at a time and without padding: what a
reader of the model card would compute. A variant is held to it twice, since batching must not change a
verdict.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from screener.buckets import Bucket, bucketed
from screener.model import EMBEDDING_WIDTH, OUTPUTS
from training.errors import AgreementBroken

LARGEST_MOVE = 0.02
"""Of any probability. Less than the step between two verdicts that an analyst would call different."""

LARGEST_INT8_MOVE = 0.1
"""Of any probability of the INT8 file, which nothing serves unless somebody asks for the smaller one."""

TEXTS = 512
MIXED_BATCH = 16
_MIXED_EDGES = (48, 160)

Run = Callable[[Bucket], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""A padded batch to its embeddings [batch, 384] and probabilities [batch, 7]."""
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Answers:
    """What one form of the model said about the check texts."""

    embeddings: NDArray[np.float32]
    """[texts, 384]"""
    probabilities: NDArray[np.float32]
    """[texts, 7]"""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The distance of one variant from the reference."""

    variant: str
    batching: str
    texts: int
    largest_move: float
    """Of any probability of any text."""
    mean_move: float
    least_cosine: float

    @property
    def allowed_move(self) -> float:
        """The bound of this variant."""
        return LARGEST_INT8_MOVE if "int8" in self.variant else LARGEST_MOVE

    @property
    def holds(self) -> bool:
        """Whether every probability is a number within the bound."""
        return self.largest_move <= self.allowed_move

    def require(self) -> None:
        """Raises AgreementBroken where the bound does not hold."""
        if not self.holds:
            raise AgreementBroken(
                f"{self.variant} {self.batching}: a probability moved by {self.largest_move:.4f}, "
                f"allowed {self.allowed_move}; this file must not be served"
            )


def alone(encoded: Sequence[NDArray[np.int64]]) -> list[Bucket]:
    """Every text by itself, without padding."""
    return [
        Bucket(np.array([row]), ids[np.newaxis], np.ones((1, len(ids)), np.int64))
        for row, ids in enumerate(encoded)
    ]


def mixed(encoded: Sequence[NDArray[np.int64]]) -> list[Bucket]:
    """Batches of unlike neighbours: shuffled within wide length classes, padded to the longest.

    Served batches mix less: a bucket spans half of its length at most.
    """
    shuffle = random.Random(len(encoded))  # noqa: S311 - a fixed order, no secret
    classes = np.searchsorted(_MIXED_EDGES, [len(ids) for ids in encoded])
    buckets: list[Bucket] = []
    for present in np.unique(classes):
        order = np.flatnonzero(classes == present).tolist()
        shuffle.shuffle(order)
        for start in range(0, len(order), MIXED_BATCH):
            rows = np.array(order[start : start + MIXED_BATCH])
            ids = [encoded[row] for row in rows]
            (bucket,) = bucketed(ids, max_batch=MIXED_BATCH, edges=(max(map(len, ids)),))
            buckets.append(Bucket(rows[bucket.rows], bucket.input_ids, bucket.attention_mask))
    return buckets


def ask(run: Run, buckets: Sequence[Bucket], texts: int, advance: Advance) -> Answers:
    """Send every bucket through `run` and put the answers back in the order of the texts."""
    embeddings = np.full((texts, EMBEDDING_WIDTH), np.nan, dtype=np.float32)
    probabilities = np.full((texts, OUTPUTS), np.nan, dtype=np.float32)
    for bucket in buckets:
        embeddings[bucket.rows], probabilities[bucket.rows] = run(bucket)
        advance(len(bucket.rows))
    return Answers(embeddings, probabilities)


def compare(variant: str, batching: str, answers: Answers, reference: Answers) -> Agreement:
    """Largest and mean move, and least cosine."""
    moves = np.abs(answers.probabilities - reference.probabilities)
    norms = np.linalg.norm(answers.embeddings, axis=1) * np.linalg.norm(reference.embeddings, axis=1)
    cosines = (answers.embeddings * reference.embeddings).sum(axis=1) / norms
    return Agreement(
        variant=variant,
        batching=batching,
        texts=len(moves),
        largest_move=float(moves.max()),
        mean_move=float(moves.mean()),
        least_cosine=float(cosines.min()),
    )
