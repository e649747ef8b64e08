"""Made-up rows and scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from screener.model import CATEGORIES
from training.evaluation.rows import Rows, truth_matrix
from training.evaluation.scored import Judged, Scored, Scorer, Served

HALF = ((0.5,) * 7, (0.9,) * 7)
SERVED = Served("e5_risk", 3, "cpu:model.onnx", HALF, {"screening_weights": "0.6,0.4"})


def rows_of(
    labels: Sequence[Mapping[str, int]],
    *,
    sources: Sequence[str] | str = "a",
    texts: Sequence[str] | None = None,
    parts: Sequence[str] | str = "file",
) -> Rows:
    """Rows with the given labels; texts are long enough, unless given."""
    n = len(labels)
    return Rows(
        ids=tuple(f"row-{place}" for place in range(n)),
        texts=tuple(texts or (f"a text of some length, number {place}" for place in range(n))),
        parts=np.array([parts] * n if isinstance(parts, str) else parts),
        sources=np.array([sources] * n if isinstance(sources, str) else sources),
        truth=truth_matrix(labels),
    )


def judged_by(scores: NDArray[np.float64]) -> Judged:
    """Labels from .5 on, the risk is the largest score, routed above .7, the category is the highest."""
    labels = scores >= 0.5
    return Judged(
        scores=scores,
        labels=labels,
        risk=scores.max(axis=1),
        routed=scores.max(axis=1) > 0.7,
        category=np.where(labels.any(axis=1), scores.argmax(axis=1), -1),
        confidence=np.where(labels.any(axis=1), scores.max(axis=1), 1 - scores.max(axis=1)),
    )


def scored_by(fused: NDArray[np.float64], *, served: Served = SERVED) -> Scored:
    """The three scorers: fused as given, the model a little lower, the heuristics in three steps."""
    by = {Scorer.FUSED: fused, Scorer.MODEL: fused * 0.95, Scorer.HEURISTICS: np.round(fused * 2) / 2}
    return Scored(
        served=served,
        probabilities=np.concatenate([by[Scorer.MODEL], fused.max(axis=1, keepdims=True)], axis=1),
        judged={scorer: judged_by(scores) for scorer, scores in by.items()},
    )


def sample(n: int = 300, *, seed: int = 1, noise: float = 0.6) -> tuple[Rows, NDArray[np.float64]]:
    """Rows of several sources and two files, some labels unknown, some texts short; and scores that fit."""
    generator = np.random.default_rng(seed)
    sources = generator.choice(["gametox", "davidson", "stormfront"], n)
    told = {
        "gametox": ("TOXIC", "TARGETED_HARASSMENT"),
        "davidson": ("TOXIC", "HATE_SPEECH"),
        "stormfront": ("HATE_SPEECH", "VIOLENCE", "SPAM", "SEXUAL"),
    }
    labels = [
        {label: int(generator.random() < 0.3) for label in told[source] if generator.random() < 0.95}
        for source in sources
    ]
    rows = rows_of(
        labels,
        sources=[str(source) for source in sources],
        texts=[
            ("short" if place % 7 == 0 else "finna go home now" if place % 5 == 0 else "off we go, all of us")
            for place in range(n)
        ],
        parts=["moderation-test" if place % 3 else "moderation-extra-test" for place in range(n)],
    )
    known = np.nan_to_num(rows.truth, nan=0.3)
    scores = np.clip(known * (1 - noise) + generator.random((n, len(CATEGORIES))) * noise, 0, 1)
    return rows, scores
