"""The weights of e5-small-v2, read out of its exported ONNX graph by the names of the nodes that use them.

The export is not patched in place: `training.graph` writes a new graph from these weights. So one writer
yields the FP32, FP16 and INT8 forms with the same few operators, and a test holds them against the export
itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from training.errors import SourceInvalid

Array = NDArray[np.float32]

LAYERS = 12
HEADS = 12
WIDTH = 384
LAYER_NORM_EPSILON = 1e-12  # config.json of intfloat/e5-small-v2


@dataclass(frozen=True, slots=True)
class Affine:
    """x @ weight + bias, or for a layer norm normalised(x) * weight + bias."""

    weight: Array
    bias: Array


@dataclass(frozen=True, slots=True)
class Layer:
    """One transformer block, post-norm."""

    query_key_value: Affine
    """[384, 1152]: the three projections side by side, since one wide product is faster than three."""
    attention_output: Affine
    attention_norm: Affine
    intermediate: Affine
    output: Affine
    output_norm: Affine


@dataclass(frozen=True, slots=True)
class Encoder:
    """All weights of the encoder, float32."""

    word_embeddings: Array
    """[30522, 384]"""
    position_embeddings: Array
    """[512, 384], with the type embedding 0 added: token_type_ids are always zero here."""
    embedding_norm: Affine
    layers: tuple[Layer, ...]


def read_encoder(path: Path) -> Encoder:
    """Read the export at `path`; raises SourceInvalid where a weight is not where BERT's export has it."""
    try:
        model = onnx.load(path)
    except Exception as error:  # protobuf's DecodeError, or an OSError
        raise SourceInvalid(f"{path} is no ONNX model: {error}") from error
    weights = _Weights(model.graph)
    positions = weights.tensor("embeddings.position_embeddings.weight")
    types = weights.tensor("embeddings.token_type_embeddings.weight")
    return Encoder(
        word_embeddings=weights.tensor("embeddings.word_embeddings.weight"),
        position_embeddings=positions + types[0],
        embedding_norm=weights.norm("embeddings.LayerNorm"),
        layers=tuple(_read_layer(weights, f"encoder.layer.{index}") for index in range(LAYERS)),
    )


def _read_layer(weights: _Weights, name: str) -> Layer:
    projections = [weights.linear(f"{name}.attention.self.{part}") for part in ("query", "key", "value")]
    return Layer(
        query_key_value=Affine(
            weight=np.concatenate([part.weight for part in projections], axis=1),
            bias=np.concatenate([part.bias for part in projections]),
        ),
        attention_output=weights.linear(f"{name}.attention.output.dense"),
        attention_norm=weights.norm(f"{name}.attention.output.LayerNorm"),
        intermediate=weights.linear(f"{name}.intermediate.dense"),
        output=weights.linear(f"{name}.output.dense"),
        output_norm=weights.norm(f"{name}.output.LayerNorm"),
    )


class _Weights:
    """Looks tensors up: by their own names, and matrices, which the export renamed, by their node's."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._tensors = {tensor.name: tensor for tensor in graph.initializer}
        self._nodes = {node.name: node for node in graph.node}

    def tensor(self, name: str) -> Array:
        if name not in self._tensors:
            raise SourceInvalid(f"the encoder's ONNX has no tensor {name!r}: is it e5-small-v2?")
        return numpy_helper.to_array(self._tensors[name]).astype(np.float32)

    def linear(self, name: str) -> Affine:
        node = self._nodes.get("/" + name.replace(".", "/").replace("layer/", "layer.") + "/MatMul")
        if node is None:
            raise SourceInvalid(f"the encoder's ONNX has no product for {name!r}: is it e5-small-v2?")
        return Affine(weight=self.tensor(node.input[1]), bias=self.tensor(f"{name}.bias"))

    def norm(self, name: str) -> Affine:
        return Affine(weight=self.tensor(f"{name}.weight"), bias=self.tensor(f"{name}.bias"))
