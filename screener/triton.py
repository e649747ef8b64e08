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
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc.aio import InferInput, InferRequestedOutput, InferResult
from tritonclient.grpc.model_config_pb2 import ModelInstanceGroup
from tritonclient.utils import InferenceServerException

from pipeline.errors import ModelOutputInvalid, ModelUnavailable
from pipeline.tasks import end
from pipeline.tls import CertificatesInForce
from screener.model import EMBEDDING_WIDTH, OUTPUTS, ModelOutput, ModelVersion
from screener.tokens import Bucket, Tokenizer, bucketed
from screener.triton_client import TritonClient
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
        client: TritonClient,
        tokenizer: Tokenizer,
        *,
        max_concurrent: int = 1,
        max_batch: int = MAX_BATCH,
        version_ttl_s: float = _VERSION_TTL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Takes a client and owns it.

        Args:
            client: of Triton's gRPC port; `close` closes it.
            tokenizer: the served model's.
            max_concurrent: requests on the way at once, over all calls. One keeps the runtime busy: on two
                cores 1, 2 and 4 gave 79, 73 and 51 texts/s, for where requests of different shapes wait in
                Triton 2.51, its batcher thread spins until the instance is free.
            max_batch: rows of one request, at most the model's max_batch_size.
            version_ttl_s: how long the newest version that was found is taken for the newest.
            clock: seconds, monotonic.
        """
        self._client = client
        self._tokenizer = tokenizer
        self._slots = asyncio.Semaphore(max_concurrent)
        self._max_batch = max_batch
        self._version_ttl_s = version_ttl_s
        self._clock = clock
        self._known: _Known | None = None
        self._looking_up: asyncio.Task[ModelVersion] | None = None

    @classmethod
    def connect(
        cls,
        url: str,
        tokenizer: Tokenizer,
        *,
        max_concurrent: int = 1,
        max_batch: int = MAX_BATCH,
        version_ttl_s: float = _VERSION_TTL_S,
        certificates: CertificatesInForce | None = None,
    ) -> TritonModel:
        """Make a model on `url` (host:port), over TLS where there are `certificates`; does not wait."""
        return cls(
            TritonClient(url, certificates),
            tokenizer,
            max_concurrent=max_concurrent,
            max_batch=max_batch,
            version_ttl_s=version_ttl_s,
        )

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
        except ModelOutputInvalid:
            self._known = None  # whoever tries again finds what has been put in its place
            raise
        return replace(
            output,
            embeddings=output.embeddings[: len(texts)],
            probabilities=rows.of_texts(output.probabilities, texts=len(texts)),
        )

    async def current_version(self) -> ModelVersion:
        """The newest version that is ready; asks Triton once a second at most. Raises ModelUnavailable."""
        known = self._known
        if known is not None and self._clock() - known.looked_up_s <= self._version_ttl_s:
            return known.version
        # All who ask meanwhile share one answer: a Triton that hangs keeps each waiting once, not in turns.
        if self._looking_up is None:
            self._looking_up = asyncio.create_task(self._look_up())
        return await asyncio.shield(self._looking_up)

    async def ready(self) -> bool:
        """Whether some version answers now; never raises, returns within two seconds."""
        try:
            return bool(
                await (await self._client.now()).is_model_ready(MODEL, client_timeout=_PROBE_TIMEOUT_S)
            )
        except InferenceServerException:
            return False

    async def close(self) -> None:
        """Close the connection; calls on the way fail with ModelUnavailable."""
        if self._looking_up is not None:
            await end((self._looking_up,))
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
                result = await (await self._client.now()).infer(
                    MODEL,
                    inputs,
                    model_version=str(version),
                    outputs=[InferRequestedOutput(name) for name in _SHAPES],
                    client_timeout=timeout_s,
                )
        except InferenceServerException as error:
            raise _translated(error) from error
        answer: dict[str, Any] = {name: _tensor(result, name) for name in _SHAPES}
        _check(answer, len(bucket.rows))
        served = result.get_response().model_version
        if served != str(version):
            raise ModelOutputInvalid(f"version {version} was asked, version {served} answered")
        return answer

    async def _look_up(self) -> ModelVersion:
        try:
            version = await self._look_up_version()
        finally:
            self._looking_up = None
        self._known = _Known(version, self._clock())
        return version

    async def _look_up_version(self) -> ModelVersion:
        try:
            metadata = await (await self._client.now()).get_model_metadata(
                MODEL, client_timeout=_PROBE_TIMEOUT_S
            )
            numbers = sorted((int(number) for number in metadata.versions), reverse=True)
            for number in numbers:
                if await (await self._client.now()).is_model_ready(
                    MODEL, str(number), client_timeout=_PROBE_TIMEOUT_S
                ):
                    answer = await (await self._client.now()).get_model_config(
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


def _tensor(result: InferResult, name: str) -> NDArray[np.float32] | None:
    """An output as it came, unchecked; None where it is missing or its bytes do not make its shape."""
    try:
        return cast("NDArray[np.float32] | None", result.as_numpy(name))
    except (ValueError, TypeError):
        return None


def _check(answer: dict[str, Any], rows: int) -> None:
    for name, shape in _SHAPES.items():
        array = answer[name]
        if array is None or array.shape != (rows, *shape) or array.dtype != np.float32:
            found = "nothing" if array is None else f"{array.dtype} {list(array.shape)}"
            raise ModelOutputInvalid(f"{name} must be float32 {[rows, *shape]}, not {found}")
        if not np.isfinite(array).all():
            raise ModelOutputInvalid(f"{name} holds NaN or infinity")
    chances, thresholds = answer["category_probs"], answer["thresholds"]
    if rows and not (chances.min() >= 0 and chances.max() <= 1):
        raise ModelOutputInvalid("category_probs lie outside 0..1")
    if rows and not (thresholds.min() > 0 and thresholds.max() <= 1):
        raise ModelOutputInvalid("thresholds lie outside 0..1")


def _precision(config: Any) -> str:
    """Device and file, such as `cpu:model.onnx` or `gpu:model.fp16.onnx`."""
    if any(group.kind == ModelInstanceGroup.KIND_GPU for group in config.instance_group):
        files = sorted(set(config.cc_model_filenames.values())) or [config.default_model_filename]
        return "gpu:" + "+".join(files)
    return f"cpu:{config.default_model_filename}"
