"""The files of a version."""

from __future__ import annotations

from training.graph import Precision

MODEL = "e5_risk"
FILES = {
    Precision.FP32: "model.onnx",
    Precision.FP16: "model.fp16.onnx",
    Precision.INT8: "model.int8.onnx",
}
MANIFEST = "manifest.json"
