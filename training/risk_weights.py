"""The trained part of a version, as it is committed: the branch's blocks and the head, two files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from screener.model import EMBEDDING_WIDTH, OUTPUTS
from training.branch_file import read_branch, write_branch
from training.encoder import Encoder, Layer
from training.head import RiskHead

BRANCH = "e5_branch.npz"
HEAD = "e5_risk.json"


@dataclass(frozen=True, slots=True)
class RiskWeights:
    """What is trained here, beside e5-small-v2's own weights."""

    branch: tuple[Layer, ...]
    """The blocks in place of the encoder's last ones."""
    head: RiskHead

    def save(self, folder: Path, encoder: Encoder) -> None:
        """Write both files; the branch is rounded to int8 differences on the way (`branch_file.rounded`)."""
        write_branch(folder / BRANCH, self.branch, encoder)
        (folder / HEAD).write_text(self.head.to_json())

    @classmethod
    def load(cls, folder: Path, encoder: Encoder) -> RiskWeights:
        """Raises WeightsInvalid."""
        return cls(read_branch(folder / BRANCH, encoder), RiskHead.load(folder / HEAD))


def no_risk() -> RiskWeights:
    """No branch and a head of zeros, for graphs whose embedding alone is read."""
    rows = np.zeros((OUTPUTS, EMBEDDING_WIDTH), np.float32)
    return RiskWeights(
        branch=(),
        head=RiskHead(
            attention=rows,
            on_attended=rows,
            on_mean=rows,
            bias=np.zeros(OUTPUTS, np.float32),
            any_harm=np.zeros(3, np.float32),
            thresholds=np.zeros((2, OUTPUTS), np.float32),
        ),
    )
