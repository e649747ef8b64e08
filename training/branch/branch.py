"""The risk branch: the encoder's top blocks, tuned for risk, and seven logits that look for themselves."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from screener.model import OUTPUTS
from training.branch.network import Block, attended
from training.encoder import WIDTH, Layer
from training.head import RiskHead


class RiskBranch(nn.Module):
    """Hidden states at the split in, logits [batch, 7] out.

    Each output reads the last states twice: their mean, for what the whole text is about, and a mean weighed
    by an attention of the output's own, for the three words that decide.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(layer) for layer in layers)
        self.attention = nn.Parameter(torch.zeros(OUTPUTS, WIDTH))
        self.on_attended = nn.Parameter(torch.zeros(OUTPUTS, WIDTH))
        self.on_mean = nn.Parameter(torch.zeros(OUTPUTS, WIDTH))
        self.bias = nn.Parameter(torch.zeros(OUTPUTS))

    def forward(self, hidden: Tensor, tokens: Tensor) -> Tensor:
        """`hidden` [batch, length, 384]; `tokens` bool [batch, length], true on tokens."""
        attend = attended(tokens)
        for block in self.blocks:
            hidden = block(hidden, attend)
        outside = ~tokens[:, :, None]
        looked = (hidden @ self.attention.T).masked_fill(outside, -1e4).softmax(dim=1)
        seen = looked.transpose(1, 2) @ hidden
        mean = hidden.masked_fill(outside, 0.0).sum(dim=1) / tokens.sum(dim=1, keepdim=True)
        return (seen * self.on_attended).sum(dim=2) + mean @ self.on_mean.T + self.bias

    def layers(self) -> list[Layer]:
        """The blocks' weights as they are now."""
        return [block.layer() for block in self._typed_blocks()]

    def load_layers(self, layers: Sequence[Layer]) -> None:
        """Put other weights in the blocks."""
        for block, layer in zip(self._typed_blocks(), layers, strict=True):
            block.load_state_dict(Block(layer).state_dict())

    @torch.no_grad()
    def load_head(self, head: RiskHead) -> None:
        """Go on from a head; its calibration stays in it, as a start like another."""
        for name in ("attention", "on_attended", "on_mean", "bias"):
            getattr(self, name).copy_(torch.from_numpy(getattr(head, name)))

    def _typed_blocks(self) -> list[Block]:
        return [block for block in self.blocks if isinstance(block, Block)]

    def head_parameters(self) -> list[nn.Parameter]:
        """What starts from nothing, and so learns faster than the blocks."""
        return [self.attention, self.on_attended, self.on_mean, self.bias]
