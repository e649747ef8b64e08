"""e5's blocks in plain numpy and float64: what the written graph is held against."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from screener.buckets import Bucket
from training.encoder import HEADS, LAYER_NORM_EPSILON, Affine, Layer
from training.source import Source

Floats = NDArray[np.float64]


def below_the_split(source: Source, layers: int, batch: Bucket) -> Floats:
    """The export's hidden states behind `layers` layers, [batch, length, 384]; 0: the embeddings."""
    model = onnx.load(source.encoder)
    # The export names a layer's last node after it.
    layer = f"/encoder/layer.{layers - 1}/output" if layers else "/embeddings"
    name = f"{layer}/LayerNorm/Add_1_output_0"
    model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    export = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {
        "input_ids": batch.input_ids,
        "attention_mask": batch.attention_mask,
        "token_type_ids": np.zeros_like(batch.input_ids),
    }
    (states,) = export.run([name], feeds)
    return np.asarray(states, np.float64)


def block(states: Floats, tokens: NDArray[np.bool_], layer: Layer) -> Floats:
    """One post-norm block; `tokens` [batch, length] is true on tokens."""
    rows, length, width = states.shape
    projected = _linear(states, layer.query_key_value).reshape(rows, length, 3, HEADS, width // HEADS)
    query, key, value = projected.transpose(2, 0, 3, 1, 4)
    logits = query @ key.swapaxes(2, 3) / np.sqrt(width // HEADS)
    logits = np.where(tokens[:, np.newaxis, np.newaxis], logits, -np.inf)
    shares = np.exp(logits - logits.max(axis=3, keepdims=True))
    mixed = (shares / shares.sum(axis=3, keepdims=True)) @ value
    mixed = mixed.transpose(0, 2, 1, 3).reshape(rows, length, width)
    states = _norm(states + _linear(mixed, layer.attention_output), layer.attention_norm)
    widened = _linear(states, layer.intermediate)
    error: Any = np.vectorize(math.erf)
    widened = widened * 0.5 * (1 + error(widened / np.sqrt(2)))
    return _norm(states + _linear(widened, layer.output), layer.output_norm)


def _linear(states: Floats, affine: Affine) -> Floats:
    return np.asarray(states @ affine.weight + affine.bias, np.float64)


def _norm(states: Floats, affine: Affine) -> Floats:
    centred = states - states.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt(centred.var(axis=-1, keepdims=True) + LAYER_NORM_EPSILON)
    return np.asarray(scaled * affine.weight + affine.bias, np.float64)
