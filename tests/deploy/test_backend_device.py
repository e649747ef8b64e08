"""Which file and which provider an instance gets, as far as a machine without a GPU can show."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import onnx
import onnxruntime
import pytest
from google.protobuf import json_format, text_format
from onnx import TensorProto, helper
from tritonclient.grpc.model_config_pb2 import ModelConfig

from scripts.commands.model import REPOSITORY
from scripts.system.triton_runtime import _BACKEND
from training.variants import MODEL

CPU, CUDA, OPENVINO = "CPUExecutionProvider", "CUDAExecutionProvider", "OpenVINOExecutionProvider"


class _RefusedError(Exception):
    """Stands for the exception of Triton's utilities, which its stub process alone has."""


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The backend's module, outside Triton."""
    utilities = SimpleNamespace(
        TritonModelException=_RefusedError, Logger=SimpleNamespace(log_warn=print, log_info=print)
    )
    monkeypatch.setitem(sys.modules, "triton_python_backend_utils", utilities)
    spec = importlib.util.spec_from_file_location("seawall_backend", _BACKEND)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def config() -> dict[str, Any]:
    """The committed configuration, as Triton hands it to a backend."""
    parsed = text_format.Parse((REPOSITORY / MODEL / "config.pbtxt").read_text(), ModelConfig())
    return json_format.MessageToDict(parsed, preserving_proto_field_name=True)


@pytest.mark.parametrize(
    ("device", "kind", "available", "bf16", "file", "provider"),
    [
        ("auto", "GPU", [CUDA, CPU], True, "model.fp16.onnx", CUDA),
        ("cuda", "GPU", [CUDA, CPU], False, "model.fp16.onnx", CUDA),
        ("auto", "GPU", [OPENVINO, CPU], True, "model.onnx", OPENVINO),
        ("cpu", "GPU", [CUDA, CPU], True, "model.onnx", CPU),
        ("auto", "CPU", [CUDA, CPU], False, "model.onnx", CPU),
        ("", "CPU", [OPENVINO, CPU], True, "model.onnx", OPENVINO),
        ("", "CPU", [OPENVINO, CPU], False, "model.onnx", CPU),
    ],
)
def test_file_and_provider_follow_the_device(
    backend: ModuleType,
    config: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    device: str,
    kind: str,
    available: list[str],
    bf16: bool,
    file: str,
    provider: str,
) -> None:
    monkeypatch.setenv("DEVICE", device)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: available)
    monkeypatch.setattr(backend, "_compute_capability", lambda _: "9.0")
    monkeypatch.setattr(backend, "_cpu_has_bf16", lambda: bf16)
    (tmp_path / "manifest.json").write_text('{"cpu_precision": "bf16"}')
    args = {"model_instance_kind": kind, "model_instance_device_id": "0"}
    chosen, providers = backend._choose(config, args, tmp_path)
    assert chosen == file
    assert (providers[0] if isinstance(providers[0], str) else providers[0][0]) == provider


@pytest.mark.parametrize(("cpus", "threads"), [(1, 1), (2, 1), (5, 3), (16, 8)])
def test_the_instances_share_the_processors(
    backend: ModuleType, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, cpus: int, threads: int
) -> None:
    monkeypatch.setattr(backend.os, "sched_getaffinity", lambda _: set(range(cpus)))
    assert backend._threads(config) == threads


@pytest.mark.parametrize(
    ("kind", "available", "told"),
    [("CPU", [CUDA, CPU], "no GPU on this machine"), ("GPU", [OPENVINO, CPU], "no CUDA provider")],
)
def test_cuda_is_never_replaced_in_silence(
    backend: ModuleType, monkeypatch: pytest.MonkeyPatch, kind: str, available: list[str], told: str
) -> None:
    monkeypatch.setenv("DEVICE", "cuda")
    with pytest.raises(_RefusedError, match=told):
        backend._on_gpu(kind, available)


@pytest.mark.filterwarnings("ignore:Specified provider 'CUDAExecutionProvider':UserWarning")
def test_a_provider_that_did_not_start_is_told(backend: ModuleType, tmp_path: Path) -> None:
    value = (
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1]),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, [1]),
    )
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "same", [value[0]], [value[1]])
    path = tmp_path / "same.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    session = onnxruntime.InferenceSession(str(path), providers=[CUDA, CPU])
    backend._require_in_use(session, CPU, "a model")
    with pytest.raises(_RefusedError, match=f"a model: {CUDA} did not start"):
        backend._require_in_use(session, (CUDA, {"device_id": 0}), "a model")
