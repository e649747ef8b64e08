"""The `onnxruntime` backend, Python-based, for Triton servers that come without NVIDIA's C++ one.

It reads the same config.pbtxt: default_model_filename, cc_model_filenames, the openvino CPU accelerator,
intra_op_thread_count, max_batch_size and the declared inputs and outputs. One process serves one instance of
one version, so several versions live side by side. Blocking throughout: Triton gives each instance its own
process.

DEVICE in the server's environment says where: `cuda` on a GPU or not at all, `cpu` on the CPU even where
there is a GPU; `auto`, as without it, on a GPU where the server has found one and ONNX Runtime has CUDA.

Stands alone: it runs in Triton's stub process, where only numpy and onnxruntime are to be expected.
"""

from __future__ import annotations

import ctypes
import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils

_COMPUTE_CAPABILITY_MAJOR = 75  # CUdevice_attribute, cuda.h
_COMPUTE_CAPABILITY_MINOR = 76


class TritonPythonModel:
    """One loaded version."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the model file; raises TritonModelException with one line that names the file."""
        config = json.loads(args["model_config"])
        self._inputs = {item["name"]: _numpy_type(item) for item in config["input"]}
        self._outputs = [item["name"] for item in config["output"]]
        self._limits = _Limits(config)
        name = f"{args['model_name']} version {args['model_version']}"
        folder = Path(args["model_repository"], args["model_version"])
        file, providers = _choose(config, args, folder)
        path = folder / file
        if not path.is_file():
            raise pb_utils.TritonModelException(
                f"{name}: no file {path}; build it with `seawall model build`"
            )
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors: the providers' chatter belongs in no server log
        options.intra_op_num_threads = _threads(config)
        # Who spins for work takes the processor from the services beside.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            raise pb_utils.TritonModelException(f"{name}: cannot load {path}: {error}") from error
        _require_in_use(self._session, providers[0], name)
        pb_utils.Logger.log_info(f"{name}: {file} on {providers[0]}")

    def execute(self, requests: list[Any]) -> list[Any]:
        """One response a request, in order. Requests of one shape run as one batch; a bad one fails alone."""
        responses: list[Any] = [None] * len(requests)
        groups: dict[tuple[int, ...], list[tuple[int, dict[str, np.ndarray]]]] = defaultdict(list)
        for place, request in enumerate(requests):
            feeds = {
                name: pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in self._inputs
            }
            fault = self._limits.fault(feeds, self._inputs)
            if fault:
                responses[place] = _failure(fault)
            else:
                groups[next(iter(feeds.values())).shape[1:]].append((place, feeds))
        for group in groups.values():
            self._run_group(group, responses)
        return responses

    def finalize(self) -> None:
        """Free the session first, so that unloading a version gives its memory back at once."""
        del self._session

    def _run_group(self, group: list[tuple[int, dict[str, np.ndarray]]], responses: list[Any]) -> None:
        try:
            outputs = self._run([feeds for _, feeds in group])
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's exceptions have no common base
            if len(group) > 1:
                # One of them may be to blame: alone, each gets its own answer.
                for single in group:
                    self._run_group([single], responses)
                return
            responses[group[0][0]] = _failure(f"inference failed: {error}")
            return
        start = 0
        for place, feeds in group:
            stop = start + len(next(iter(feeds.values())))
            # Slices along the first axis are contiguous: no copy until Triton takes them into shared memory.
            tensors = [
                pb_utils.Tensor(name, output[start:stop])
                for name, output in zip(self._outputs, outputs, strict=True)
            ]
            responses[place] = pb_utils.InferenceResponse(output_tensors=tensors)
            start = stop

    def _run(self, feeds: list[dict[str, np.ndarray]]) -> list[np.ndarray]:
        merged = {name: np.concatenate([feed[name] for feed in feeds]) for name in self._inputs}
        return self._session.run(self._outputs, merged)


class _Limits:
    """What a request may hold. Unchecked, one bad row would fail its batch, or worse, silently mislead it."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._max_batch = int(config["max_batch_size"])
        self._max_length = int(_parameter(config, "seawall.max_length", "512"))
        self._vocabulary = int(_parameter(config, "seawall.vocabulary_size", "0"))

    def fault(self, feeds: dict[str, np.ndarray], types: dict[str, type]) -> str | None:
        """What is wrong with the request, or None."""
        shapes = {name: feed.shape for name, feed in feeds.items()}
        for name, feed in feeds.items():
            if feed.dtype != types[name]:
                return f"{name} must be {np.dtype(types[name])}, not {feed.dtype}"
            if feed.ndim != 2 or not 1 <= feed.shape[1] <= self._max_length:
                return f"{name} must be [batch, 1..{self._max_length}], not {list(feed.shape)}"
        if len(set(shapes.values())) > 1:
            return f"the inputs differ in shape: {', '.join(f'{n} {list(s)}' for n, s in shapes.items())}"
        batch = next(iter(shapes.values()))[0]
        if not 1 <= batch <= self._max_batch:
            return f"a batch holds 1..{self._max_batch} rows, not {batch}"
        ids = feeds.get("input_ids")
        if ids is not None and self._vocabulary and not (ids.min() >= 0 and ids.max() < self._vocabulary):
            return f"input_ids must lie in 0..{self._vocabulary - 1}"
        return None


def _failure(message: str) -> Any:
    return pb_utils.InferenceResponse(
        output_tensors=[], error=pb_utils.TritonError(message, pb_utils.TritonError.INVALID_ARG)
    )


def _numpy_type(item: dict[str, str]) -> type:
    return pb_utils.triton_string_to_numpy(item["data_type"])


def _parameter(config: dict[str, Any], key: str, default: str) -> str:
    return config.get("parameters", {}).get(key, {}).get("string_value", default)


def _threads(config: dict[str, Any]) -> int:
    """Of `intra_op_thread_count`; 0 or nothing means this instance's share of the CPUs that it may use."""
    instances = sum(int(group.get("count", 1)) for group in config.get("instance_group", [])) or 1
    share = -(-len(os.sched_getaffinity(0)) // instances)
    return int(_parameter(config, "intra_op_thread_count", "0")) or share


def _choose(config: dict[str, Any], args: dict[str, str], folder: Path) -> tuple[str, list[Any]]:
    """The model file and the execution providers, best first."""
    file = config.get("default_model_filename") or "model.onnx"
    available = onnxruntime.get_available_providers()
    if _on_gpu(args["model_instance_kind"], available):
        if hasattr(onnxruntime, "preload_dlls"):
            onnxruntime.preload_dlls()  # CUDA's libraries from their wheels, where they came so
        device = int(args["model_instance_device_id"])
        file = config.get("cc_model_filenames", {}).get(_compute_capability(device), file)
        return file, [("CUDAExecutionProvider", {"device_id": device}), "CPUExecutionProvider"]
    precision = _cpu_precision(config, folder)
    accelerators = (
        config.get("optimization", {}).get("execution_accelerators", {}).get("cpu_execution_accelerator", [])
    )
    wants_openvino = any(item["name"] == "openvino" for item in accelerators)
    # In f32 ONNX Runtime's own kernels take a tenth less than OpenVINO's and load in a fifth of the time.
    if precision == "f32" or not wants_openvino or "OpenVINOExecutionProvider" not in available:
        return file, ["CPUExecutionProvider"]
    return file, [("OpenVINOExecutionProvider", _openvino_options(config, precision)), "CPUExecutionProvider"]


def _on_gpu(kind: str, available: list[str]) -> bool:
    """Whether this instance computes on a GPU; raises where it should and cannot."""
    device = os.environ.get("DEVICE") or "auto"
    if device not in ("auto", "cpu", "cuda"):
        raise pb_utils.TritonModelException(f"DEVICE={device}: allowed are auto, cpu, cuda")
    has_provider = "CUDAExecutionProvider" in available
    if device == "cuda" and kind != "GPU":
        raise pb_utils.TritonModelException("DEVICE=cuda: Triton has found no GPU on this machine")
    if device == "cuda" and not has_provider:
        raise pb_utils.TritonModelException(
            "DEVICE=cuda: this onnxruntime has no CUDA provider; put onnxruntime-gpu in its place"
        )
    if device == "auto" and kind == "GPU" and not has_provider:
        pb_utils.Logger.log_warn("this onnxruntime has no CUDA provider: the GPU instance runs on the CPU")
    return device != "cpu" and kind == "GPU" and has_provider


def _name(provider: Any) -> str:
    return provider if isinstance(provider, str) else provider[0]


def _require_in_use(session: Any, wanted: Any, name: str) -> None:
    """ONNX Runtime goes on with the next provider where one cannot start, and only logs it."""
    if _name(wanted) not in session.get_providers():
        raise pb_utils.TritonModelException(
            f"{name}: {_name(wanted)} did not start, most likely for want of a library; the log says which"
        )


def _cpu_precision(config: dict[str, Any], folder: Path) -> str:
    precision = _parameter(config, "seawall.cpu_precision", "auto")
    if precision == "auto":
        precision = "bf16" if _cpu_has_bf16() and _keeps_bound_in_bf16(folder) else "f32"
    if precision not in ("bf16", "f32"):
        raise pb_utils.TritonModelException(
            f"parameter seawall.cpu_precision is {precision!r}; allowed: auto, bf16, f32"
        )
    return precision


def _openvino_options(config: dict[str, Any], precision: str) -> dict[str, str]:
    return {
        "device_type": "CPU",
        "num_of_threads": str(_threads(config)),
        "num_streams": "1",
        # Unpinned: each instance would take the first CPUs for its own, and all would run on the same.
        "load_config": json.dumps(
            {"CPU": {"INFERENCE_PRECISION_HINT": precision, "ENABLE_CPU_PINNING": "NO"}}
        ),
    }


def _keeps_bound_in_bf16(folder: Path) -> bool:
    """Whether the build measured bfloat16 on this version and found its answers close enough."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return manifest.get("cpu_precision") == "bf16"


def _cpu_has_bf16() -> bool:
    flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split()
    return "amx_bf16" in flags or "avx512_bf16" in flags


def _compute_capability(device: int) -> str:
    """Such as "9.0", or "" where the driver does not tell."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return ""
    handle, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    failed = (
        driver.cuInit(0)
        or driver.cuDeviceGet(ctypes.byref(handle), device)
        or driver.cuDeviceGetAttribute(ctypes.byref(major), _COMPUTE_CAPABILITY_MAJOR, handle)
        or driver.cuDeviceGetAttribute(ctypes.byref(minor), _COMPUTE_CAPABILITY_MINOR, handle)
    )
    return "" if failed else f"{major.value}.{minor.value}"
