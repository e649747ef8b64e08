"""`TritonModel`: the risk model, served by Triton over gRPC.

Every request names its model version. What one call returns comes from one version; where that version is
unloaded meanwhile, the whole call is repeated on the one that took over. So the windows of a long text, which
may be spread over several requests, are of one version too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc.aio import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.grpc.model_config_pb2 import ModelInstanceGroup
from tritonclient.utils import InferenceServerException

from pipeline.errors import ModelOutputInvalid, ModelUnavailable
from screener.model import EMBEDDING_WIDTH, OUTPUTS, ModelOutput, ModelVersion
from screener.tokens import Bucket, Tokenizer, bucketed
from screener.windows import Rows, rows_of

MODEL = "e5_risk"
MAX_BATCH = 64
"""As config.pbtxt has it."""

_ATTEMPTS = 3  # a version may be swapped during a call, and once more during the repetition
_VERSION_TTL_S = 1.0
_PROBE_TIMEOUT_S = 2.0
_SHAPES = {"embedding": (EMBEDDING_WIDTH,), "category_probs": (OUTPUTS,), "thresholds": (2, OUTPUTS)}
_VERSION_GONE = frozenset({"StatusCode.NOT_FOUND", "StatusCode.UNAVAILABLE"})
_REFUSED = frozenset({"StatusCode.INVALID_ARGUMENT", "StatusCode.OUT_OF_RANGE"})
_CHANNEL = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # gRPC's own back-off grows to two minutes: a restarted Triton must be found at once.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
]


class _VersionGoneError(Exception):
    """The pinned version is not served, or Triton is away: looking again tells which."""


@dataclass(frozen=True, slots=True)
class _Known:
    version: ModelVersion
    looked_up_s: float


class TritonModel:
    """A RiskModel. Use from one event loop; any number of calls at once."""

    def __init__(
        self,
        client: InferenceServerClient,
        tokenizer: Tokenizer,
        *,
        max_concurrent: int = 1,
        max_batch: int = MAX_BATCH,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Takes a connected client and owns it.

        Args:
            client: of Triton's gRPC port; `close` closes it.
            tokenizer: the served model's.
            max_concurrent: requests on the way at once, over all calls. One keeps the runtime busy: on two
                cores 1, 2 and 4 gave 79, 73 and 51 texts/s, for where requests of different shapes wait in
                Triton 2.51, its batcher thread spins until the instance is free.
            max_batch: rows of one request, at most the model's max_batch_size.
            clock: seconds, monotonic.
        """
        self._client = client
        self._tokenizer = tokenizer
        self._slots = asyncio.Semaphore(max_concurrent)
        self._max_batch = max_batch
        self._clock = clock
        self._known: _Known | None = None
        self._looking_up = asyncio.Lock()

    @classmethod
    def connect(
        cls,
        url: str,
        tokenizer: Tokenizer,
        *,
        max_concurrent: int = 1,
        max_batch: int = MAX_BATCH,
        root_certificates: Path | None = None,
    ) -> TritonModel:
        """Make a model on `url` (host:port), over TLS where `root_certificates` are given; does not wait."""
        client = InferenceServerClient(
            url,
            ssl=root_certificates is not None,
            root_certificates=str(root_certificates) if root_certificates else None,
            channel_args=_CHANNEL,
        )
        return cls(client, tokenizer, max_concurrent=max_concurrent, max_batch=max_batch)

    async def infer(self, texts: Sequence[str], *, timeout_s: float) -> ModelOutput:
        """Score the texts by one version; nothing is lost or reordered.

        Raises:
            ModelUnavailable: Triton is away, loading, or did not answer within `timeout_s`.
            ModelOutputInvalid: it refused the input, or answered with NaN, infinity or another shape.
        """
        try:
            async with asyncio.timeout(timeout_s):
                # In a thread: 64 long texts take milliseconds, in which the loop would answer nobody.
                rows, buckets = await asyncio.to_thread(self._prepared, texts)
                output = await self._infer_on_one_version(buckets, len(rows.ids), timeout_s)
        except TimeoutError as error:
            raise ModelUnavailable(f"Triton did not answer within {timeout_s:g} s") from error
        return replace(
            output,
            embeddings=output.embeddings[: len(texts)],
            probabilities=rows.of_texts(output.probabilities, texts=len(texts)),
        )

    async def current_version(self) -> ModelVersion:
        """The newest version that is ready; asks Triton once a second at most. Raises ModelUnavailable."""
        async with self._looking_up:
            known = self._known
            if known is None or self._clock() - known.looked_up_s > _VERSION_TTL_S:
                known = _Known(await self._look_up_version(), self._clock())
                self._known = known
            return known.version

    async def ready(self) -> bool:
        """Whether some version answers now; never raises, returns within two seconds."""
        try:
            return bool(await self._client.is_model_ready(MODEL, client_timeout=_PROBE_TIMEOUT_S))
        except InferenceServerException:
            return False

    async def close(self) -> None:
        """Close the connection; calls on the way fail with ModelUnavailable."""
        await self._client.close()

    def _prepared(self, texts: Sequence[str]) -> tuple[Rows, list[Bucket]]:
        rows = rows_of(self._tokenizer.encode_whole(texts))
        return rows, bucketed(rows.ids, max_batch=self._max_batch)

    async def _infer_on_one_version(
        self, buckets: Sequence[Bucket], rows: int, timeout_s: float
    ) -> ModelOutput:
        for _ in range(_ATTEMPTS):
            version = (await self.current_version()).number
            try:
                return await self._infer_pinned(buckets, rows, version, timeout_s)
            except _VersionGoneError as error:
                self._known = None
                gone = error
        raise ModelUnavailable(f"the model's version changed {_ATTEMPTS} times during one call") from gone

    async def _infer_pinned(
        self, buckets: Sequence[Bucket], rows: int, version: int, timeout_s: float
    ) -> ModelOutput:
        embeddings = np.empty((rows, EMBEDDING_WIDTH), dtype=np.float32)
        probabilities = np.empty((rows, OUTPUTS), dtype=np.float32)
        thresholds = np.empty((2, OUTPUTS), dtype=np.float32)
        tasks = [asyncio.create_task(self._infer_bucket(bucket, version, timeout_s)) for bucket in buckets]
        try:
            for bucket, answer in zip(buckets, await asyncio.gather(*tasks), strict=True):
                embeddings[bucket.rows] = answer["embedding"]
                probabilities[bucket.rows] = answer["category_probs"]
                thresholds = answer["thresholds"][0]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return ModelOutput(version, embeddings, probabilities, thresholds)

    async def _infer_bucket(
        self, bucket: Bucket, version: int, timeout_s: float
    ) -> dict[str, NDArray[np.float32]]:
        inputs = [_input("input_ids", bucket.input_ids), _input("attention_mask", bucket.attention_mask)]
        try:
            async with self._slots:
                result = await self._client.infer(
                    MODEL,
                    inputs,
                    model_version=str(version),
                    outputs=[InferRequestedOutput(name) for name in _SHAPES],
                    client_timeout=timeout_s,
                )
        except InferenceServerException as error:
            raise _translated(error) from error
        answer = {name: result.as_numpy(name) for name in _SHAPES}
        _check(answer, len(bucket.rows))
        served = result.get_response().model_version
        if served != str(version):
            raise ModelOutputInvalid(f"version {version} was asked, version {served} answered")
        return answer

    async def _look_up_version(self) -> ModelVersion:
        try:
            metadata = await self._client.get_model_metadata(MODEL, client_timeout=_PROBE_TIMEOUT_S)
            numbers = sorted((int(number) for number in metadata.versions), reverse=True)
            for number in numbers:
                if await self._client.is_model_ready(MODEL, str(number), client_timeout=_PROBE_TIMEOUT_S):
                    answer = await self._client.get_model_config(
                        MODEL, str(number), client_timeout=_PROBE_TIMEOUT_S
                    )
                    return ModelVersion(number, _precision(answer.config))
        except InferenceServerException as error:
            raise ModelUnavailable(f"Triton does not tell which version of {MODEL} it serves") from error
        raise ModelUnavailable(f"no version of {MODEL} is ready")


def _input(name: str, values: NDArray[np.int64]) -> InferInput:
    tensor = InferInput(name, list(values.shape), "INT64")
    tensor.set_data_from_numpy(values)
    return tensor


def _translated(error: InferenceServerException) -> Exception:
    """By status alone. Triton's messages stay in its log: ours reach the clients."""
    status = error.status()
    if status in _VERSION_GONE:
        return _VersionGoneError(error.message())
    if status in _REFUSED:
        return ModelOutputInvalid(f"Triton refused the input: {error.message()}")
    return ModelUnavailable(f"Triton failed with {status}")


def _check(answer: dict[str, Any], rows: int) -> None:
    for name, shape in _SHAPES.items():
        array = answer[name]
        if array is None or array.shape != (rows, *shape) or array.dtype != np.float32:
            found = "nothing" if array is None else f"{array.dtype} {list(array.shape)}"
            raise ModelOutputInvalid(f"{name} must be float32 {[rows, *shape]}, not {found}")
        if not np.isfinite(array).all():
            raise ModelOutputInvalid(f"{name} holds NaN or infinity")
    chances = answer["category_probs"]
    if rows and not (chances.min() >= 0 and chances.max() <= 1):
        raise ModelOutputInvalid("category_probs lie outside 0..1")


def _precision(config: Any) -> str:
    """Device and file, such as `cpu:model.onnx` or `gpu:model.fp16.onnx`."""
    if any(group.kind == ModelInstanceGroup.KIND_GPU for group in config.instance_group):
        files = sorted(set(config.cc_model_filenames.values())) or [config.default_model_filename]
        return "gpu:" + "+".join(files)
    return f"cpu:{config.default_model_filename}"
