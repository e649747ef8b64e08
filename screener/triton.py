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
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc.model_config_pb2 import ModelInstanceGroup
from tritonclient.utils import InferenceServerException

from pipeline.errors import ModelOutputInvalid, ModelUnavailable
from pipeline.tasks import end
from pipeline.tls import CertificatesInForce
from screener.buckets import Bucket, bucketed
from screener.model import EMBEDDING_WIDTH, OUTPUTS, Device, ModelOutput, ModelVersion
from screener.tokens import Tokenizer, distinct
from screener.triton_client import TritonClient
from screener.triton_request import VersionGoneError, infer_bucket
from screener.windows import Rows, rows_of

MODEL = "e5_risk"
MAX_BATCH = 64
"""As config.pbtxt has it."""
MAX_TOKENS = 2_048
"""Of one request. Larger ones gain nothing on a CPU, and whoever comes next waits for them."""

_ATTEMPTS = 3  # a version may be swapped during a call, and once more during the repetition
_VERSION_TTL_S = 1.0
_PROBE_TIMEOUT_S = 2.0
_FEW_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class _Known:
    version: ModelVersion
    looked_up_s: float


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Texts as requests. Those that the tokenizer takes for the same (`HELLO`, `hello`) share their rows."""

    of_text: NDArray[np.intp]
    distinct: int
    rows: Rows
    buckets: list[Bucket]


class TritonModel:
    """A RiskModel. Use from one event loop; any number of calls at once."""

    def __init__(
        self,
        client: TritonClient,
        tokenizer: Tokenizer,
        *,
        max_concurrent: int = 1,
        max_tokens: int = MAX_TOKENS,
        device: Device = Device.AUTO,
        version_ttl_s: float = _VERSION_TTL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Takes a client and owns it.

        Args:
            client: of Triton's gRPC port; `close` closes it.
            tokenizer: the served model's.
            max_concurrent: requests on the way at once, over all calls. With one more than the model has
                instances, one waits in Triton while the others run, and the runtime waits for nobody. With
                two more, requests of different shapes wait, for which the batcher thread of Triton 2.51 spins
                until an instance is free.
            max_tokens: of one request, padding included, unless it is one row.
            device: where the model must be served.
            version_ttl_s: how long the newest version that was found is taken for the newest.
            clock: seconds, monotonic.
        """
        self._client = client
        self._tokenizer = tokenizer
        self._slots = asyncio.Semaphore(max_concurrent)
        self._max_tokens = max_tokens
        self._device = device
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
        max_tokens: int = MAX_TOKENS,
        device: Device = Device.AUTO,
        version_ttl_s: float = _VERSION_TTL_S,
        certificates: CertificatesInForce | None = None,
    ) -> TritonModel:
        """Make a model on `url` (host:port), over TLS where there are `certificates`; does not wait."""
        return cls(
            TritonClient(url, certificates),
            tokenizer,
            max_concurrent=max_concurrent,
            max_tokens=max_tokens,
            device=device,
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
                # Long texts take milliseconds, in which the loop would answer nobody; a few short ones less
                # than the way to a thread and back.
                if sum(map(len, texts)) <= _FEW_CHARACTERS:
                    prepared = self._prepared(texts)
                else:
                    prepared = await asyncio.to_thread(self._prepared, texts)
                output = await self._infer_on_one_version(prepared.buckets, len(prepared.rows.ids), timeout_s)
        except TimeoutError as error:
            raise ModelUnavailable(f"Triton did not answer within {timeout_s:g} s") from error
        except ModelOutputInvalid:
            self._known = None  # whoever tries again finds what has been put in its place
            raise
        probabilities = prepared.rows.of_texts(output.probabilities, texts=prepared.distinct)
        return replace(
            output,
            embeddings=output.embeddings[prepared.of_text],
            probabilities=probabilities[prepared.of_text],
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

    def _prepared(self, texts: Sequence[str]) -> _Prepared:
        encoded, of_text = distinct(self._tokenizer.encode_whole(texts))
        rows = rows_of(encoded)
        buckets = bucketed(rows.ids, max_batch=MAX_BATCH, max_tokens=self._max_tokens)
        return _Prepared(of_text, len(encoded), rows, buckets)

    async def _infer_on_one_version(
        self, buckets: Sequence[Bucket], rows: int, timeout_s: float
    ) -> ModelOutput:
        for _ in range(_ATTEMPTS):
            version = (await self.current_version()).number
            try:
                return await self._infer_pinned(buckets, rows, version, timeout_s)
            except VersionGoneError as error:
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
        async with self._slots:
            client = await self._client.now()
            return await infer_bucket(client, bucket, model=MODEL, version=version, timeout_s=timeout_s)

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
                    _require(self._device, answer.config)
                    return ModelVersion(number, _precision(answer.config))
        except InferenceServerException as error:
            raise ModelUnavailable(f"Triton does not tell which version of {MODEL} it serves") from error
        raise ModelUnavailable(f"no version of {MODEL} is ready")


def _on_gpu(config: Any) -> bool:
    return any(group.kind == ModelInstanceGroup.KIND_GPU for group in config.instance_group)


def _require(device: Device, config: Any) -> None:
    if device is Device.CUDA and not _on_gpu(config):
        raise ModelUnavailable(f"DEVICE=cuda, and Triton serves {MODEL} on the CPU: it has found no GPU")
    if device is Device.CPU and _on_gpu(config):
        raise ModelUnavailable(f"DEVICE=cpu, and Triton serves {MODEL} on a GPU")


def _precision(config: Any) -> str:
    """Device and file, such as `cpu:model.onnx` or `gpu:model.fp16.onnx`."""
    if _on_gpu(config):
        files = sorted(set(config.cc_model_filenames.values())) or [config.default_model_filename]
        return "gpu:" + "+".join(files)
    return f"cpu:{config.default_model_filename}"
