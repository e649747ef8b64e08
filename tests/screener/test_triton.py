from __future__ import annotations

import asyncio
import shutil
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient

from pipeline.errors import ModelOutputInvalid, ModelUnavailable
from screener.model import Device, ModelVersion, RiskModel
from screener.tokens import Tokenizer
from screener.triton import TritonModel
from scripts.system.triton import TritonServer
from tests.fixtures.triton import add_version
from training.agreement import LARGEST_MOVE
from training.check_texts import check_texts
from training.encoder import Encoder
from training.risk_weights import RiskWeights
from training.variants import MODEL

CHAT = [text for text in check_texts(64) if len(text) < 400][:40]


async def test_answers_in_the_order_of_the_texts_whatever_their_lengths(triton_model: TritonModel) -> None:
    port: RiskModel = triton_model
    together = await port.infer(CHAT, timeout_s=60)
    assert together.embeddings.shape == (40, 384)
    assert together.probabilities.shape == (40, 7)
    assert together.version == 1
    assert np.allclose(np.linalg.norm(together.embeddings, axis=1), 1, atol=1e-5)
    for row in (0, 13, 39):
        alone = await port.infer([CHAT[row]], timeout_s=60)
        assert (alone.embeddings[0] * together.embeddings[row]).sum() > 0.9999
        assert np.abs(alone.probabilities[0] - together.probabilities[row]).max() <= LARGEST_MOVE


async def test_thresholds_come_with_the_version(
    triton_model: TritonModel, committed_weights: RiskWeights
) -> None:
    output = await triton_model.infer(["hi"], timeout_s=60)
    assert np.array_equal(output.thresholds, committed_weights.head.thresholds)


async def test_tells_version_and_precision(triton_model: TritonModel) -> None:
    assert await triton_model.ready()
    assert await triton_model.current_version() == ModelVersion(1, "cpu:model.onnx")


async def test_texts_that_the_tokenizer_takes_for_the_same_share_a_row(
    triton_server: TritonServer, triton_model: TritonModel
) -> None:
    before = await _rows_inferred(triton_server)
    output = await triton_model.infer(["what a day", "go away", "WHAT A DAY", "go away"], timeout_s=60)
    assert await _rows_inferred(triton_server) - before == 2
    assert np.array_equal(output.embeddings[0], output.embeddings[2])
    assert np.array_equal(output.probabilities[1], output.probabilities[3])
    assert not np.array_equal(output.embeddings[0], output.embeddings[1])


async def test_no_gpu_where_one_is_asked_for_is_an_error(
    triton_server: TritonServer, tokenizer: Tokenizer
) -> None:
    model = TritonModel.connect(triton_server.grpc_url, tokenizer, device=Device.CUDA)
    with pytest.raises(ModelUnavailable, match="DEVICE=cuda, and Triton serves e5_risk on the CPU"):
        await model.infer(["hello"], timeout_s=60)
    await model.close()
    model = TritonModel.connect(triton_server.grpc_url, tokenizer, device=Device.CPU)
    assert (await model.infer(["hello"], timeout_s=60)).version == 1
    await model.close()


async def test_no_texts_give_no_rows(triton_model: TritonModel) -> None:
    output = await triton_model.infer([], timeout_s=60)
    assert output.embeddings.shape == (0, 384)
    assert output.probabilities.shape == (0, 7)


async def test_a_deadline_is_kept(triton_model: TritonModel) -> None:
    with pytest.raises(ModelUnavailable, match=r"within 0\.01 s"):
        await triton_model.infer(["word " * 600] * 64, timeout_s=0.01)
    assert (await triton_model.infer(["still there?"], timeout_s=60)).version == 1


async def test_triton_away_is_told_and_retryable(tokenizer: Tokenizer) -> None:
    model = TritonModel.connect("127.0.0.1:1", tokenizer)
    assert not await model.ready()
    with pytest.raises(ModelUnavailable):
        await model.current_version()
    with pytest.raises(ModelUnavailable):
        await model.infer(["hello"], timeout_s=5)
    await model.close()


async def test_nan_from_the_model_is_no_answer(
    start_triton: Callable[[Path], TritonServer],
    model_repository: Path,
    tmp_path: Path,
    tokenizer: Tokenizer,
    encoder: Encoder,
    committed_weights: RiskWeights,
) -> None:
    repository = tmp_path / "repository"
    shutil.copytree(model_repository, repository, ignore=shutil.ignore_patterns("*.onnx"))
    shutil.rmtree(repository / MODEL / "1")
    head = replace(committed_weights.head)
    poisoned = head.on_mean.copy()
    poisoned[0, 0] = np.nan
    object.__setattr__(head, "on_mean", poisoned)  # past the head's own check
    add_version(repository, 1, encoder, replace(committed_weights, head=head))
    server = start_triton(repository)
    model = TritonModel.connect(server.grpc_url, tokenizer)
    with pytest.raises(ModelOutputInvalid, match="NaN"):
        await model.infer(["hello"], timeout_s=60)
    await model.close()
    server.stop()


async def test_a_version_swap_under_load_mixes_nothing_and_rolls_back(
    start_triton: Callable[[Path], TritonServer],
    model_repository: Path,
    tmp_path: Path,
    tokenizer: Tokenizer,
    encoder: Encoder,
    committed_weights: RiskWeights,
    other_weights: RiskWeights,
) -> None:
    repository = tmp_path / "repository"
    shutil.copytree(model_repository, repository, copy_function=lambda a, b: Path(b).hardlink_to(a))
    server = start_triton(repository)
    admin = InferenceServerClient(server.grpc_url)
    model = TritonModel.connect(server.grpc_url, tokenizer)
    thresholds = {1: committed_weights.head.thresholds, 2: other_weights.head.thresholds}
    seen: list[int] = []
    stopping = asyncio.Event()

    async def load() -> None:
        while not stopping.is_set():
            output = await model.infer(CHAT[:12], timeout_s=60)
            assert np.array_equal(output.thresholds, thresholds[output.version])
            seen.append(output.version)

    async def until(version: int) -> None:
        async with asyncio.timeout(120):
            while not seen or seen[-1] != version:
                await asyncio.sleep(0.05)

    loads = [asyncio.create_task(load()) for _ in range(3)]
    try:
        await until(1)
        before = await model.infer(["you are a fool"], timeout_s=60)
        add_version(repository, 2, encoder, other_weights)
        await asyncio.to_thread(admin.load_model, MODEL, server.admin_headers)
        await until(2)
        after = await model.infer(["you are a fool"], timeout_s=60)
        assert after.version == 2
        assert (after.probabilities > before.probabilities).all()
        shutil.rmtree(repository / MODEL / "2")
        await asyncio.to_thread(admin.load_model, MODEL, server.admin_headers)
        await until(1)
    finally:
        stopping.set()
        outcomes = await asyncio.gather(*loads, return_exceptions=True)
    assert outcomes == [None] * 3
    assert set(seen) == {1, 2}
    await model.close()
    admin.close()
    server.stop()


async def test_requests_of_one_length_are_run_together(
    triton_server: TritonServer, tokenizer: Tokenizer
) -> None:
    # As many replicas would, for one model sends one request at a time.
    model = TritonModel.connect(triton_server.grpc_url, tokenizer, max_concurrent=24)
    texts = ["are you coming to the game tonight?"]
    await model.infer(texts, timeout_s=60)
    before = _runs(triton_server)
    for _ in range(5):  # on a busy machine a round of requests may trickle in one by one
        await asyncio.gather(*(model.infer(texts, timeout_s=60) for _ in range(24)))
    after = _runs(triton_server)
    await model.close()
    # Triton counts after it has answered: of the last request, before or after, the count may be late.
    requests, runs = (after[name] - before[name] for name in ("requests", "runs"))
    assert abs(requests - 5 * 24) <= 1
    assert runs < requests - 1


def _runs(server: TritonServer) -> dict[str, float]:
    with urllib.request.urlopen(server.metrics_url, timeout=5) as page:  # noqa: S310 - our own http
        lines = page.read().decode().splitlines()
    names = {"requests": "nv_inference_request_success{", "runs": "nv_inference_exec_count{"}
    return {
        key: sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))
        for key, name in names.items()
    }


async def _rows_inferred(server: TritonServer) -> int:
    with InferenceServerClient(server.grpc_url) as client:
        told = await asyncio.to_thread(client.get_inference_statistics, MODEL, "1")
    return int(told.model_stats[0].inference_count)
