"""ONNX Runtime sessions over the variants, as the backend opens them on a CPU."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from screener.buckets import Bucket
from training.agreement import Run


def cpu_has_bf16() -> bool:
    """Whether this CPU multiplies in bfloat16; the backend in deploy/triton looks at the same flags."""
    flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split()
    return "amx_bf16" in flags or "avx512_bf16" in flags


def plain_session(path: Path, *, threads: int) -> Run:
    """ONNX Runtime's own CPU provider: FP32 arithmetic, and FP16 with the operators it has for it."""
    return _run(path, threads, ["CPUExecutionProvider"])


def openvino_session(path: Path, *, precision: str, threads: int, streams: int = 1) -> Run:
    """OpenVINO, as the backend opens it on a CPU; `precision` is f32 or bf16.

    With more than one stream, as many calls at once share the threads.
    """
    options = {
        "device_type": "CPU",
        "num_of_threads": str(threads),
        "num_streams": str(streams),
        "load_config": json.dumps({"CPU": {"INFERENCE_PRECISION_HINT": precision}}),
    }
    return _run(path, threads, [("OpenVINOExecutionProvider", options), "CPUExecutionProvider"])


def cuda_session(path: Path) -> Run:
    """CUDA, as the backend opens it on the first GPU; on the CPU, without a word, where there is none."""
    if hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()
    return _run(path, 1, [("CUDAExecutionProvider", {"device_id": "0"}), "CPUExecutionProvider"])


def _run(path: Path, threads: int, providers: list[str | tuple[str, dict[str, str]]]) -> Run:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Threads that spin for work make a shared machine several times slower.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, providers=providers)

    def run(bucket: Bucket) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        feeds = {"input_ids": bucket.input_ids, "attention_mask": bucket.attention_mask}
        embeddings, probabilities = session.run(["embedding", "category_probs"], feeds)
        return embeddings, probabilities

    return run
