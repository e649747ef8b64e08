"""Writes the served ONNX graph: tokens in; embedding, calibrated probabilities and thresholds out.

    input_ids, attention_mask int64 [batch, length]
      → embedding      float32 [batch, 384]   mean over the tokens, L2-normalised: e5's own
      → category_probs float32 [batch, 7]     calibrated, from the risk branch
      → thresholds     float32 [batch, 2, 7]  constants of the version, repeated for each row

The risk branch has blocks of its own in place of e5's last ones; it starts from the hidden states below them,
which both share.

Opset 17 and IR 8: NVIDIA's 24.10 container reads them (ONNX Runtime 1.19.2 knows opset 21 and IR 10).
The bytes depend on the inputs alone: names are numbered in the order of writing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from screener.model import OUTPUTS
from training.encoder import HEADS, LAYER_NORM_EPSILON, LAYERS, WIDTH, Affine, Encoder, Layer
from training.head import RiskHead
from training.risk_weights import RiskWeights

OPSET = 17
IR_VERSION = 8
HEAD_WIDTH = WIDTH // HEADS
MASKED = -1e4
"""Added to the attention logits of padding. exp(-1e4) is 0 in every format, and float16 still holds the
number."""


INT8_BLOCK = 16
"""Weights that share a scale. Whole columns (384 or 1,536 weights) move probabilities up to three times as
far."""


class Precision(StrEnum):
    """How the blocks are written. Inputs, outputs, pooling and head are float32 (int64) in all of them.

    INT8 is of the weights alone. Activations in int8 move probabilities by up to 0.18, even with a scale for
    each row and full 8 bits on both sides, because a few of BERT's channels are a hundred times the others;
    so they would have to be served against the bound that docs/model-card.md states. The file is a quarter of
    FP32's.
    """

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


def write_model(encoder: Encoder, weights: RiskWeights, precision: Precision) -> onnx.ModelProto:
    """The whole graph as one checked model."""
    writer = _Writer(precision)
    hidden = writer.embeddings(encoder)
    bias = writer.attention_bias()
    split = LAYERS - len(weights.branch)
    for layer in encoder.layers[:split]:
        hidden = writer.block(hidden, bias, layer)
    risk = hidden
    for layer in encoder.layers[split:]:
        hidden = writer.block(hidden, bias, layer)
    for layer in weights.branch:
        risk = writer.block(risk, bias, layer)
    writer.outputs(hidden, risk, weights.head)
    model = writer.model()
    onnx.checker.check_model(model, full_check=True)
    return model


def _symmetric_int8(array: NDArray[np.float32], *, axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Array ≈ quantised * scale, one scale along `axis`."""
    scale = np.maximum(np.abs(array).max(axis=axis, keepdims=True), 1e-12) / 127
    return np.rint(array / scale).astype(np.int8), scale.astype(np.float32)


def _value(name: str, kind: int, shape: list[str | int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


class _Writer:
    def __init__(self, precision: Precision) -> None:
        self._precision = precision
        self._float: type[np.floating[Any]] = np.float16 if precision is Precision.FP16 else np.float32
        self._float_proto = TensorProto.FLOAT16 if precision is Precision.FP16 else TensorProto.FLOAT
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: list[onnx.TensorProto] = []

    # -- the encoder
    # -------------------------------------------------------------------------------------------

    def embeddings(self, encoder: Encoder) -> str:
        """[batch, length, 384]: word plus position, normalised."""
        words = self._words(encoder.word_embeddings)
        length = self._add("Shape", "input_ids", start=1, end=2)
        zero, one = self._ints([0]), self._ints([1])
        positions = self._add("Slice", self._weight(encoder.position_embeddings), zero, length, zero, one)
        return self._norm(self._add("Add", words, positions), encoder.embedding_norm)

    def _words(self, table: NDArray[np.float32]) -> str:
        if self._precision is not Precision.INT8:
            return self._add("Gather", self._weight(table), "input_ids")
        quantised, scale = _symmetric_int8(table.reshape(len(table), -1, INT8_BLOCK), axis=2)
        rows = self._add("Gather", self._tensor(quantised), "input_ids")
        scales = self._add("Gather", self._tensor(scale), "input_ids")
        blocks = self._add("Mul", self._add("Cast", rows, to=TensorProto.FLOAT), scales)
        return self._reshape(blocks, [0, 0, WIDTH])

    def attention_bias(self) -> str:
        """[batch, 1, 1, length] float32: 0 on tokens, MASKED on padding."""
        wide = self._add("Unsqueeze", "attention_mask", self._ints([1, 2]))
        mask = self._add("Cast", wide, to=self._float_proto)
        padding = self._add("Sub", self._scalar(1.0), mask)
        return self._add("Mul", padding, self._scalar(MASKED))

    def block(self, hidden: str, bias: str, layer: Layer) -> str:
        """One transformer block, [batch, length, 384] to the same."""
        attended = self._linear(self._attention(hidden, bias, layer), layer.attention_output)
        hidden = self._norm(self._add("Add", attended, hidden), layer.attention_norm)
        widened = self._gelu(self._linear(hidden, layer.intermediate))
        return self._norm(self._add("Add", self._linear(widened, layer.output), hidden), layer.output_norm)

    def _attention(self, hidden: str, bias: str, layer: Layer) -> str:
        # The scale 1/sqrt(32) goes into the query's weights: exact enough in float32, and float16 logits stay
        # small.
        scale = np.ones(3 * WIDTH, dtype=np.float32)
        scale[:WIDTH] = 1 / np.sqrt(HEAD_WIDTH)
        merged = Affine(layer.query_key_value.weight * scale, layer.query_key_value.bias * scale)
        projected = self._linear(hidden, merged)
        parts = self._parts(projected, [WIDTH] * 3, axis=-1)
        query, key, value = (
            self._add("Transpose", self._reshape(part, [0, 0, HEADS, HEAD_WIDTH]), perm=perm)
            for part, perm in zip(parts, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]), strict=True)
        )
        logits = self._add("Add", self._add("MatMul", query, key), bias)
        weights = self._add("Softmax", logits, axis=-1)
        mixed = self._add("Transpose", self._add("MatMul", weights, value), perm=[0, 2, 1, 3])
        return self._reshape(mixed, [0, 0, WIDTH])

    def _linear(self, hidden: str, affine: Affine) -> str:
        if self._precision is Precision.INT8:
            weight = self._blockwise_int8(affine.weight)
        else:
            weight = self._weight(affine.weight)
        return self._add("Add", self._add("MatMul", hidden, weight), self._weight(affine.bias))

    def _blockwise_int8(self, weight: NDArray[np.float32]) -> str:
        """[rows, columns] in int8, one scale for INT8_BLOCK rows of a column; multiplied out on loading."""
        rows, columns = weight.shape
        blocks = weight.reshape(rows // INT8_BLOCK, INT8_BLOCK, columns)
        quantised, scale = _symmetric_int8(blocks, axis=1)
        widened = self._add("Cast", self._tensor(quantised), to=TensorProto.FLOAT)
        return self._reshape(self._add("Mul", widened, self._tensor(scale)), [rows, columns])

    def _norm(self, hidden: str, affine: Affine) -> str:
        # stash_type 1, the default: mean and variance are float32 also where the input is float16.
        return self._add(
            "LayerNormalization",
            hidden,
            self._weight(affine.weight),
            self._weight(affine.bias),
            axis=-1,
            epsilon=LAYER_NORM_EPSILON,
        )

    def _gelu(self, hidden: str) -> str:
        # Written out: the operator Gelu came with opset 20, and every runtime fuses this form.
        error = self._add("Erf", self._add("Div", hidden, self._scalar(float(np.sqrt(2)))))
        return self._add(
            "Mul", self._add("Mul", hidden, self._add("Add", error, self._scalar(1.0))), self._scalar(0.5)
        )

    # -- what is served
    # ----------------------------------------------------------------------------------------

    def outputs(self, hidden: str, risk: str, head: RiskHead) -> None:
        """Pooling, head and thresholds, all in float32, from the last states of trunk and branch."""
        hidden, risk = self._as_float32(hidden), self._as_float32(risk)
        mask = self._add(
            "Cast", self._add("Unsqueeze", "attention_mask", self._ints([2])), to=TensorProto.FLOAT
        )
        mean = self._mean(hidden, mask)
        squares = self._add("ReduceSum", self._add("Mul", mean, mean), self._ints([1]), keepdims=1)
        norm = self._add("Max", self._add("Sqrt", squares), self._float32(1e-12))
        self._add("Div", mean, norm, output="embedding")
        logits = self._logits(risk, mask, head)
        labels, own = self._parts(logits, [OUTPUTS - 1, 1], axis=1)
        joined = self._add("Concat", labels, self._any_harm(own, labels, head), axis=1)
        self._add("Sigmoid", joined, output="category_probs")
        batch = self._add("Shape", "input_ids", start=0, end=1)
        shape = self._add("Concat", batch, self._ints(list(head.thresholds.shape)), axis=0)
        self._add("Expand", self._tensor(head.thresholds[np.newaxis]), shape, output="thresholds")

    def _as_float32(self, hidden: str) -> str:
        return (
            self._add("Cast", hidden, to=TensorProto.FLOAT) if self._precision is Precision.FP16 else hidden
        )

    def _mean(self, hidden: str, mask: str) -> str:
        """[batch, 384] over the tokens."""
        total = self._add("ReduceSum", self._add("Mul", hidden, mask), self._ints([1]), keepdims=0)
        # An empty mask (Triton's zero-filled warm-up) must not divide by zero: NaN would look like a fault.
        count = self._add(
            "Max", self._add("ReduceSum", mask, self._ints([1]), keepdims=0), self._float32(1.0)
        )
        return self._add("Div", total, count)

    def _logits(self, risk: str, mask: str, head: RiskHead) -> str:
        """[batch, 7]: each output's attended states and the mean, as `RiskHead` says."""
        padding = self._add("Mul", self._add("Sub", self._float32(1.0), mask), self._float32(MASKED))
        looks = self._add("Add", self._add("MatMul", risk, self._tensor(head.attention.T)), padding)
        shares = self._add("Transpose", self._add("Softmax", looks, axis=1), perm=[0, 2, 1])
        attended = self._add("MatMul", shares, risk)
        weighed = self._add("Mul", attended, self._tensor(head.on_attended))
        on_attended = self._add("ReduceSum", weighed, self._ints([2]), keepdims=0)
        mean = self._mean(risk, mask)
        on_mean = self._add("Gemm", mean, self._tensor(head.on_mean), self._tensor(head.bias), transB=1)
        return self._add("Add", on_attended, on_mean)

    def _any_harm(self, own: str, labels: str, head: RiskHead) -> str:
        """[batch, 1]: its own logit joined with that of the labels' noisy-or.

        With s the sum of softplus(logits), the noisy-or is 1 - exp(-s), and its logit s + log(1 - exp(-s));
        by way of the product it would lose its digits near 0 and 1.
        """
        total = self._add("ReduceSum", self._add("Softplus", labels), self._ints([1]), keepdims=1)
        total = self._add("Max", total, self._float32(1e-6))
        chance = self._add("Sub", self._float32(1.0), self._add("Exp", self._add("Neg", total)))
        noisy_or = self._add("Add", total, self._add("Log", chance))
        on_own, on_noisy_or, offset = (self._float32(float(number)) for number in head.any_harm)
        both = self._add("Add", self._add("Mul", own, on_own), self._add("Mul", noisy_or, on_noisy_or))
        return self._add("Add", both, offset)

    def model(self) -> onnx.ModelProto:
        graph = helper.make_graph(
            self._nodes,
            "e5_risk",
            inputs=[
                _value("input_ids", TensorProto.INT64, ["batch", "length"]),
                _value("attention_mask", TensorProto.INT64, ["batch", "length"]),
            ],
            outputs=[
                _value("embedding", TensorProto.FLOAT, ["batch", WIDTH]),
                _value("category_probs", TensorProto.FLOAT, ["batch", 7]),
                _value("thresholds", TensorProto.FLOAT, ["batch", 2, 7]),
            ],
            initializer=self._initializers,
        )
        return helper.make_model(
            graph,
            producer_name="seawall",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )

    # -- writing
    # -----------------------------------------------------------------------------------------------

    def _add(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        name = output or f"{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def _parts(self, value: str, sizes: list[int], *, axis: int) -> list[str]:
        names = [f"Split_{len(self._nodes)}_{part}" for part in range(len(sizes))]
        self._nodes.append(
            helper.make_node("Split", [value, self._ints(sizes)], names, name=names[0], axis=axis)
        )
        return names

    def _reshape(self, value: str, shape: list[int]) -> str:
        return self._add("Reshape", value, self._ints(shape))

    def _tensor(self, array: NDArray[np.generic]) -> str:
        name = f"weight_{len(self._initializers)}"
        self._initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _weight(self, array: NDArray[np.float32]) -> str:
        return self._tensor(array.astype(self._float))

    def _scalar(self, number: float) -> str:
        return self._tensor(np.array(number, dtype=self._float))

    def _float32(self, number: float) -> str:
        return self._tensor(np.array(number, dtype=np.float32))

    def _ints(self, numbers: list[int]) -> str:
        return self._tensor(np.array(numbers, dtype=np.int64))
