"""What lies below the branch, for some of many texts."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.branch.network import Stem
from training.branch.tokenized import Tokenized


@torch.no_grad()
def below(stem: Stem, texts: Tokenized, chosen: NDArray[np.int64], device: str) -> tuple[Tensor, Tensor]:
    """What the branch starts from: hidden states [batch, length, 384], and which are tokens."""
    ids, tokens = (torch.from_numpy(part).to(device) for part in texts.padded(chosen))
    return stem(ids, tokens), tokens
