"""The port to the risk model: what the screener asks of it, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

CATEGORIES = ("SPAM", "TOXIC", "TARGETED_HARASSMENT", "HATE_SPEECH", "VIOLENCE", "SEXUAL")
"""The first six columns of the probabilities and thresholds, in this order."""

ANY_HARM = len(CATEGORIES)
"""The last column: the calibrated probability that any of the six holds."""

EMBEDDING_WIDTH = 384
OUTPUTS = len(CATEGORIES) + 1


class Device(StrEnum):
    """Where the model is to be served; `auto` takes what there is."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """Which numbers to expect: equal versions agree on equal texts, within the bound of the build."""

    number: int
    precision: str
    """Device and file, such as `cpu:model.onnx`: the same version answers differently in FP16. For cache
    keys."""


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """Results of one model version for n texts, in the order of the texts."""

    version: int
    embeddings: NDArray[np.float32]
    """[n, 384], L2-normalised."""
    probabilities: NDArray[np.float32]
    """[n, 7] in 0..1: CATEGORIES, then any harm."""
    thresholds: NDArray[np.float32]
    """[2, 7]: label thresholds, escalation thresholds; constants of the version."""


class RiskModel(Protocol):
    """The model as the screener sees it. Calls do not block the event loop and have a deadline each."""

    async def infer(self, texts: Sequence[str], *, timeout_s: float) -> ModelOutput:
        """Score the texts by ONE version; raises ModelUnavailable (try again) or ModelOutputInvalid."""
        ...

    async def current_version(self) -> ModelVersion:
        """The version that `infer` would use now; raises ModelUnavailable."""
        ...
