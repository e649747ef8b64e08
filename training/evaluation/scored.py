"""What was said of the rows: by the whole system, and by rules and model alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Scorer(StrEnum):
    """Who judged."""

    FUSED = "fused"
    """The verdict as it is served."""
    MODEL = "model"
    """The verdict if no rule had matched."""
    HEURISTICS = "heuristics"
    """The verdict if the model were away."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One scorer's judgements of n rows; columns in the order of CATEGORIES."""

    scores: NDArray[np.float64]
    """[n, 6] in 0..1."""
    labels: NDArray[np.bool_]
    """[n, 6]"""
    risk: NDArray[np.float64]
    """[n] in 0..1."""
    routed: NDArray[np.bool_]
    """[n]: whether a person or a reasoning model would look at it."""
    category: NDArray[np.intp]
    """[n]: column of the final category; -1 is LOW_RISK."""
    confidence: NDArray[np.float64]
    """[n] in 0..1."""


@dataclass(frozen=True, slots=True)
class Served:
    """What was in service while the rows were scored."""

    model_name: str
    model_version: int
    precision: str
    """Device and file, such as `cpu:model.onnx`."""
    thresholds: tuple[tuple[float, ...], ...]
    """[2][7]: the model's label thresholds and escalation thresholds."""
    settings: Mapping[str, str]
    """Those of the screener's settings that judging depends on, by name."""


@dataclass(frozen=True, slots=True)
class Scored:
    """All that was said of n rows."""

    served: Served
    probabilities: NDArray[np.float64]
    """[n, 7] in 0..1: the model's calibrated outputs, one for each of CATEGORIES, then any harm."""
    judged: Mapping[Scorer, Judged]
