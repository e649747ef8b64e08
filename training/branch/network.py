"""e5's transformer blocks as torch modules, with the weights of `training.encoder` and back to them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.encoder import HEADS, LAYER_NORM_EPSILON, WIDTH, Affine, Encoder, Layer

HEAD_WIDTH = WIDTH // HEADS


class Block(nn.Module):
    """One post-norm transformer block, [batch, length, 384] to the same."""

    def __init__(self, layer: Layer, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.query_key_value = _linear(layer.query_key_value)
        self.attention_output = _linear(layer.attention_output)
        self.attention_norm = _norm(layer.attention_norm)
        self.intermediate = _linear(layer.intermediate)
        self.output = _linear(layer.output)
        self.output_norm = _norm(layer.output_norm)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor, attend: Tensor | None) -> Tensor:
        """`attend` bool [batch, 1, 1, length] is true on tokens; None where no row is padded."""
        batch, length, _ = hidden.shape
        projected = self.query_key_value(hidden).view(batch, length, 3, HEADS, HEAD_WIDTH)
        query, key, value = projected.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=attend)
        mixed = mixed.transpose(1, 2).reshape(batch, length, WIDTH)
        hidden = self.attention_norm(hidden + self.dropout(self.attention_output(mixed)))
        widened = functional.gelu(self.intermediate(hidden))
        normed: Tensor = self.output_norm(hidden + self.dropout(self.output(widened)))
        return normed

    def layer(self) -> Layer:
        """The weights as they are now."""
        return Layer(
            query_key_value=_affine(self.query_key_value),
            attention_output=_affine(self.attention_output),
            attention_norm=_affine(self.attention_norm),
            intermediate=_affine(self.intermediate),
            output=_affine(self.output),
            output_norm=_affine(self.output_norm),
        )


class Stem(nn.Module):
    """The encoder from token ids to the hidden states behind its first `layers` blocks, frozen."""

    def __init__(self, encoder: Encoder, layers: int) -> None:
        super().__init__()
        self.words = nn.Embedding.from_pretrained(torch.from_numpy(encoder.word_embeddings))
        self.positions = nn.Embedding.from_pretrained(torch.from_numpy(encoder.position_embeddings))
        self.norm = _norm(encoder.embedding_norm)
        self.blocks = nn.ModuleList(Block(layer) for layer in encoder.layers[:layers])
        self.requires_grad_(requires_grad=False).eval()

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """int64 [batch, length] twice to float32 [batch, length, 384]."""
        positions = torch.arange(input_ids.shape[1], device=input_ids.device)
        hidden: Tensor = self.norm(self.words(input_ids) + self.positions(positions))
        attend = attended(attention_mask)
        for block in self.blocks:
            hidden = block(hidden, attend)
        return hidden


def attended(attention_mask: Tensor) -> Tensor | None:
    """The mask as `Block` takes it."""
    tokens = attention_mask.bool()
    return None if bool(tokens.all()) else tokens[:, None, None, :]


def _linear(affine: Affine) -> nn.Linear:
    rows, columns = affine.weight.shape
    linear = nn.Linear(rows, columns)
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(np.ascontiguousarray(affine.weight.T)))
        linear.bias.copy_(torch.from_numpy(affine.bias))
    return linear


def _norm(affine: Affine) -> nn.LayerNorm:
    norm = nn.LayerNorm(WIDTH, eps=LAYER_NORM_EPSILON)
    with torch.no_grad():
        norm.weight.copy_(torch.from_numpy(affine.weight))
        norm.bias.copy_(torch.from_numpy(affine.bias))
    return norm


def _affine(module: nn.Linear | nn.LayerNorm) -> Affine:
    weight = module.weight.detach().cpu().numpy()
    return Affine(
        weight=np.ascontiguousarray(weight.T if weight.ndim == 2 else weight),
        bias=module.bias.detach().cpu().numpy(),
    )
