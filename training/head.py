"""What stands on the risk branch: seven logits, their calibration and their thresholds, kept as JSON.

A text file of numbers can be reviewed, diffs cleanly, and is the same bytes on every machine.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from screener.model import EMBEDDING_WIDTH, OUTPUTS
from training.errors import WeightsInvalid

FORMAT = 3

_SHAPES = {
    "attention": (OUTPUTS, EMBEDDING_WIDTH),
    "on_attended": (OUTPUTS, EMBEDDING_WIDTH),
    "on_mean": (OUTPUTS, EMBEDDING_WIDTH),
    "bias": (OUTPUTS,),
    "any_harm": (3,),
    "thresholds": (2, OUTPUTS),
}


@dataclass(frozen=True, slots=True)
class RiskHead:
    """Seven calibrated logits from the branch's last hidden states h [length, 384].

    Output o looks at the text with an attention of its own, softmax over the tokens of h @ attention[o], and
    at the plain mean: logit[o] = attended @ on_attended[o] + mean @ on_mean[o] + bias[o].

    Any harm joins its own logit with the noisy-or of the six: sigmoid(a * own + b * logit(noisy-or) + c).
    """

    attention: NDArray[np.float32]
    """[7, 384]"""
    on_attended: NDArray[np.float32]
    """[7, 384], Platt's slope already multiplied in for the six labels."""
    on_mean: NDArray[np.float32]
    """[7, 384], likewise."""
    bias: NDArray[np.float32]
    """[7], Platt's slope and offset already applied to the six labels."""
    any_harm: NDArray[np.float32]
    """[3]: a, b, c."""
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
