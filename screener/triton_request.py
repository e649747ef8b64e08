"""One request to Triton: a padded batch out, its answer back, checked.

Triton's messages stay in its log: what is raised here reaches the clients.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc.aio import InferenceServerClient, InferInput, InferRequestedOutput, InferResult
from tritonclient.utils import InferenceServerException

from pipeline.errors import ModelOutputInvalid, ModelUnavailable
from screener.buckets import Bucket
from screener.model import EMBEDDING_WIDTH, OUTPUTS

_SHAPES = {"embedding": (EMBEDDING_WIDTH,), "category_probs": (OUTPUTS,), "thresholds": (2, OUTPUTS)}
_VERSION_GONE = frozenset({"StatusCode.NOT_FOUND", "StatusCode.UNAVAILABLE"})
_REFUSED = frozenset({"StatusCode.INVALID_ARGUMENT", "StatusCode.OUT_OF_RANGE"})


class VersionGoneError(Exception):
    """The pinned version is not served, or Triton is away: looking again tells which."""


async def infer_bucket(
    client: InferenceServerClient, bucket: Bucket, *, model: str, version: int, timeout_s: float
) -> dict[str, NDArray[np.float32]]:
    """What that version of a model answers: `embedding`, `category_probs` and `thresholds`, float32, by row.

    Raises:
        VersionGoneError: it is not served, or Triton is away.
        ModelUnavailable: Triton failed, or did not answer within `timeout_s`.
        ModelOutputInvalid: it refused the input, or answered with NaN, infinity or another shape.
    """
    inputs = [_input("input_ids", bucket.input_ids), _input("attention_mask", bucket.attention_mask)]
    try:
        result = await client.infer(
            model,
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


def _input(name: str, values: NDArray[np.int64]) -> InferInput:
    tensor = InferInput(name, list(values.shape), "INT64")
    tensor.set_data_from_numpy(values)
    return tensor


def _translated(error: InferenceServerException) -> Exception:
    """By status alone."""
    status = error.status()
    if status in _VERSION_GONE:
        return VersionGoneError(error.message())
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
