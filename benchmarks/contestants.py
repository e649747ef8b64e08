"""The runtimes that this machine has for the model's graph, by name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import onnxruntime
from onnxruntime.quantization import QuantType, quantize_dynamic

from benchmarks.runtime import Runtime
from screener.model import Device
from scripts.system.services import ROOT
from scripts.system.system import MODEL_REPOSITORY
from training.graph import Precision
from training.sessions import cpu_has_bf16
from training.source import sha256_of
from training.variants import FILES, MODEL

_Precision = Literal["f32", "bf16"]

EXACT = "ONNX Runtime, FP32"
_SERVED_STREAMS = 2  # instances in config.pbtxt
_KEPT = ROOT / ".cache" / "seawall" / "runtimes"


def served() -> Runtime:
    """As Triton's backend opens the newest version here; bf16 only where its build found it no different."""
    if _has_cuda():
        return _cuda()
    streams = min(_SERVED_STREAMS, _threads())
    return _openvino("bf16", streams=streams) if cpu_has_bf16() else _onnxruntime(streams=streams)


def contestants() -> Sequence[Runtime]:
    """All of them, the exact one first; the first call on a machine quantises a file, in half a minute."""
    fp32, int8 = (_newest() / FILES[precision] for precision in (Precision.FP32, Precision.INT8))
    threads = _threads()
    found = [
        exact(),
        Runtime("ONNX Runtime, weights in INT8", int8, "onnxruntime", threads=threads),
        Runtime("ONNX Runtime, dynamic INT8", _dynamic_int8(fp32), "onnxruntime", threads=threads),
        Runtime("OpenVINO, weights in INT8", int8, "openvino", threads=threads),
    ]
    precisions: Sequence[_Precision] = ("f32", "bf16") if cpu_has_bf16() else ("f32",)
    for streams in sorted({1, min(_SERVED_STREAMS, threads), threads}):
        if streams > 1:
            found.append(_onnxruntime(streams=streams))
        found += [_openvino(precision, streams=streams) for precision in precisions]
    if _has_cuda():
        found.append(_cuda())
    return found


def exact() -> Runtime:
    """What the others are held against."""
    return Runtime(EXACT, _newest() / FILES[Precision.FP32], "onnxruntime", threads=_threads())


def _dynamic_int8(fp32: Path) -> Path:
    """The graph as ONNX Runtime quantises it by itself: activations in INT8 too. Kept."""
    kept = _KEPT / f"{sha256_of(fp32)[:16]}.dynamic-int8.onnx"
    if not kept.is_file():
        _KEPT.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(f".{os.getpid()}.partial")
        # Seven bits for the weights: without VNNI, sums of eight by eight bits overflow.
        quantize_dynamic(fp32, partial, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
        partial.replace(kept)
    return kept


def _onnxruntime(*, streams: int) -> Runtime:
    fp32 = _newest() / FILES[Precision.FP32]
    return Runtime(f"{EXACT}, {streams} streams", fp32, "onnxruntime", threads=_threads(), streams=streams)


def _openvino(precision: _Precision, *, streams: int) -> Runtime:
    name = f"OpenVINO, {precision}, {streams} stream{'s' if streams > 1 else ''}"
    return Runtime(name, _newest() / FILES[Precision.FP32], "openvino", precision, _threads(), streams)


def _cuda() -> Runtime:
    return Runtime("CUDA, FP16", _newest() / FILES[Precision.FP16], "cuda")


def _has_cuda() -> bool:
    """Whether ONNX Runtime has CUDA and DEVICE does not forbid it."""
    available = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    return available and os.environ.get("DEVICE") != Device.CPU


def _newest() -> Path:
    versions = (path for path in (MODEL_REPOSITORY / MODEL).glob("[0-9]*") if path.name.isdigit())
    return max(versions, key=lambda path: int(path.name))


def _threads() -> int:
    return len(os.sched_getaffinity(0))
