"""The backend under a real Triton: what it serves, and how it says no."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from numpy.typing import NDArray
from tritonclient.grpc import InferenceServerClient, InferInput
from tritonclient.grpc.model_config_pb2 import ModelConfig
from tritonclient.utils import InferenceServerException

from screener.buckets import Bucket
from scripts.commands.model import CACHE, REPOSITORY
from scripts.system.ports import Ports
from scripts.system.triton import NICENESS, TritonPorts, TritonServer
from scripts.system.triton_runtime import TritonFailed
from training.graph import Precision
from training.sessions import plain_session
from training.variants import FILES, MODEL

Ids = NDArray[np.int64]


@pytest.fixture(scope="module")
def client(triton_server: TritonServer) -> Iterator[InferenceServerClient]:
    client = InferenceServerClient(triton_server.grpc_url)
    yield client
    client.close()


def inputs(ids: Ids, mask: Ids | None = None) -> list[InferInput]:
    mask = np.ones_like(ids) if mask is None else mask
    tensors = []
    for name, values in (("input_ids", ids), ("attention_mask", mask)):
        tensor = InferInput(name, list(values.shape), "INT64")
        tensor.set_data_from_numpy(values)
        tensors.append(tensor)
    return tensors


def rows(count: int, length: int, *, seed: int = 1) -> Ids:
    return np.random.default_rng(seed).integers(1000, 30000, (count, length))


def test_serves_what_the_file_computes(client: InferenceServerClient, variants: Path) -> None:
    ids = rows(5, 21)
    answer = client.infer(MODEL, inputs(ids))
    run = plain_session(variants / FILES[Precision.FP32], threads=2)
    embeddings, probabilities = run(Bucket(np.arange(5), ids, np.ones_like(ids)))
    assert np.abs(answer.as_numpy("embedding") - embeddings).max() < 1e-4
    assert np.abs(answer.as_numpy("category_probs") - probabilities).max() < 1e-3
    assert answer.as_numpy("thresholds").shape == (5, 2, 7)


def test_rows_of_concurrent_requests_find_their_way_back(triton_server: TritonServer) -> None:
    def ask(seed: int) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float32]], ...]:
        own = InferenceServerClient(triton_server.grpc_url)
        ids = rows(1 + seed % 3, (16, 24)[seed % 2], seed=seed)
        answers = [own.infer(MODEL, inputs(ids)).as_numpy("embedding") for _ in range(3)]
        own.close()
        return tuple(answers)

    with ThreadPoolExecutor(12) as pool:
        crowded = list(pool.map(ask, range(24)))
    for seed in range(0, 24, 5):
        for quiet, busy in zip(ask(seed), crowded[seed], strict=True):
            assert np.abs(quiet - busy).max() < 1e-4


@pytest.mark.parametrize(
    ("ids", "mask", "told"),
    [
        (rows(1, 513), None, r"\[batch, 1\.\.512\]"),
        (np.array([[101, 30522]]), None, r"0\.\.30521"),
        (np.array([[101, -1]]), None, r"0\.\.30521"),
        (rows(1, 8), np.ones((1, 9), np.int64), "differ in shape"),
        (rows(65, 8), None, "batch-size must be <= 64"),
    ],
)
def test_bad_input_is_refused_with_a_reason(
    client: InferenceServerClient,
    ids: Ids,
    mask: Ids | None,
    told: str,
) -> None:
    with pytest.raises(InferenceServerException, match=told) as error:
        client.infer(MODEL, inputs(ids, mask))
    assert error.value.status() == "StatusCode.INVALID_ARGUMENT"
    assert client.infer(MODEL, inputs(rows(1, 8))).as_numpy("embedding").shape == (1, 384)


def test_wrong_types_are_refused(client: InferenceServerClient) -> None:
    bad = InferInput("input_ids", [1, 4], "INT32")
    bad.set_data_from_numpy(np.ones((1, 4), np.int32))
    with pytest.raises(InferenceServerException, match="INT64"):
        client.infer(MODEL, [bad, inputs(rows(1, 4))[1]])


def test_the_configuration_parses_and_says_what_the_design_says() -> None:
    config = text_format.Parse((REPOSITORY / MODEL / "config.pbtxt").read_text(), ModelConfig())
    assert (config.name, config.backend) == (MODEL, "onnxruntime")
    assert config.default_model_filename in FILES.values()
    assert set(config.cc_model_filenames.values()) == {FILES[Precision.FP16]}
    assert config.version_policy.latest.num_versions == 2
    accelerators = config.optimization.execution_accelerators.cpu_execution_accelerator
    assert [item.name for item in accelerators] == ["openvino"]
    assert config.HasField("dynamic_batching")
    assert {warmup.batch_size for warmup in config.model_warmup} == {1, 4}
    # The C++ backend ignores keys that it does not know; these are ours.
    assert all(key.startswith("seawall.") for key in config.parameters)


def test_a_missing_model_file_is_told_at_once(model_repository: Path, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    shutil.copytree(model_repository, repository, ignore=shutil.ignore_patterns("*.onnx"))
    server = _server(repository, tmp_path)
    server.start()
    with pytest.raises(TritonFailed, match=r"model\.onnx; build it with `seawall model build`") as told:
        server.wait_ready(60)
    assert "\n" not in str(told.value)
    assert server.pid is None


@pytest.mark.parametrize(
    ("device", "told"),
    [("cuda", "DEVICE=cuda: Triton has found no GPU on this machine"), ("tpu", "DEVICE=tpu: allowed are")],
)
def test_a_device_that_is_not_there_is_told_and_nothing_is_served(
    model_repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, told: str
) -> None:
    monkeypatch.setenv("DEVICE", device)
    server = _server(model_repository, tmp_path)
    server.start()
    with pytest.raises(TritonFailed, match=told) as error:
        server.wait_ready(60)
    assert "\n" not in str(error.value)
    assert server.pid is None


def test_an_empty_repository_is_told(tmp_path: Path) -> None:
    (tmp_path / MODEL).mkdir()
    with pytest.raises(TritonFailed, match=r"config\.pbtxt is missing"):
        _server(tmp_path, tmp_path).start()
    (tmp_path / MODEL / "config.pbtxt").touch()
    with pytest.raises(TritonFailed, match="seawall model build"):
        _server(tmp_path, tmp_path).start()


def test_a_taken_port_is_told(triton_server: TritonServer, model_repository: Path, tmp_path: Path) -> None:
    server = TritonServer(
        repository=model_repository, cache=CACHE, log=tmp_path / "log", ports=triton_server.ports
    )
    with pytest.raises(TritonFailed, match=f"port {triton_server.ports.http} is taken"):
        server.start()


def test_stopping_leaves_no_process(
    start_triton: Callable[[Path], TritonServer], model_repository: Path
) -> None:
    server = start_triton(model_repository)
    group = server.pid
    assert group is not None
    assert _group(group)
    server.stop()
    server.stop()
    assert not _group(group)


def test_a_model_at_work_lets_the_services_go_first(triton_server: TritonServer) -> None:
    assert triton_server.pid is not None
    members = _group(triton_server.pid)
    assert len(members) > 1
    assert {os.getpriority(os.PRIO_PROCESS, member) for member in members} == {NICENESS}


def _server(repository: Path, folder: Path) -> TritonServer:
    ports = Ports()
    return TritonServer(
        repository=repository,
        cache=CACHE,
        log=folder / "triton.log",
        ports=TritonPorts(*(ports.take(name="Triton") for _ in range(3))),
    )


def _group(leader: int) -> list[int]:
    """Living processes of a process group."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(group) == leader and state != "Z":
            members.append(int(stat.parent.name))
    return members
