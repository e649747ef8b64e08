"""The risk head: a linear layer on the embedding, its calibration and its thresholds, kept as JSON.

A text file of numbers can be reviewed, diffs cleanly, and is the same bytes on every machine.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from screener.model import CATEGORIES, EMBEDDING_WIDTH, OUTPUTS
from training.errors import WeightsInvalid

FORMAT = 2
LABELS = len(CATEGORIES)

_SHAPES = {
    "weight": (EMBEDDING_WIDTH, LABELS),
    "bias": (LABELS,),
    "any_harm": (2,),
    "thresholds": (2, OUTPUTS),
}


@dataclass(frozen=True, slots=True)
class RiskHead:
    """Six calibrated logits, embedding @ weight + bias, and what makes the seventh probability of them.

    Any harm is sigmoid(slope · logit(noisy-or of the six) + offset). In a trial it ranked better than an
    output of its own: harms are unlike, and no one direction of the embedding fits them all.
    """

    weight: NDArray[np.float32]
    """[384, 6], Platt's slope already multiplied in."""
    bias: NDArray[np.float32]
    """[6], Platt's slope and offset already applied."""
    any_harm: NDArray[np.float32]
    """[2]: slope and offset of the calibration of any harm."""
    thresholds: NDArray[np.float32]
    """[2, 7]: row 0 label thresholds, row 1 escalation thresholds; 1 is never reached."""

    def __post_init__(self) -> None:
        for name, shape in _SHAPES.items():
            array = getattr(self, name)
            if array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
                raise WeightsInvalid(
                    f"the head's {name} must be finite float32 {shape}, not {array.dtype} {array.shape}"
                )

    def to_json(self) -> str:
        """Lossless: nine digits tell every float32 from its neighbours."""
        fields = {name: getattr(self, name).tolist() for name in sorted(_SHAPES)}
        rounded = json.dumps({"format": FORMAT, **fields}, default=float)
        return (
            json.dumps(
                json.loads(rounded, parse_float=lambda digits: float(f"{float(digits):.9g}")),
                separators=(",", ":"),
            ).replace("],[", "],\n[")
            + "\n"
        )

    @classmethod
    def from_json(cls, text: str) -> RiskHead:
        """Raises WeightsInvalid."""
        try:
            document = json.loads(text)
            if document["format"] != FORMAT:
                raise WeightsInvalid(f"head format {document['format']} is unknown; this code reads {FORMAT}")
            return cls(**{name: np.array(document[name], dtype=np.float32) for name in _SHAPES})
        except (ValueError, KeyError, TypeError) as error:
            raise WeightsInvalid(f"the head's weights are damaged ({error}): run `seawall train`") from error

    @classmethod
    def load(cls, path: Path) -> RiskHead:
        """Raises WeightsInvalid."""
        try:
            return cls.from_json(path.read_text())
        except FileNotFoundError as error:
            raise WeightsInvalid(f"no trained head at {path}: run `seawall train --data DIR`") from error
