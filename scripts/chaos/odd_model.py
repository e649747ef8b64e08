"""A model for Triton's Python backend that answers as its parameter `answers` says; for faults and tests.

`well`, `nan`, `wrong_shape`, or `never`: while the file exists that the parameter `while_exists` names.
Stands alone: it runs in Triton's stub process, where only numpy is to be expected.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

_LOOK_S = 0.05


class TritonPythonModel:
    """One loaded version."""

    def initialize(self, args: dict[str, str]) -> None:
        """Reads the parameters."""
        parameters = json.loads(args["model_config"])["parameters"]
        self._answers = parameters["answers"]["string_value"]
        self._flag = Path(parameters["while_exists"]["string_value"])

    def execute(self, requests: list[Any]) -> list[Any]:
        """One response a request, in order."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        if self._answers == "never":
            while self._flag.exists():
                time.sleep(_LOOK_S)
            error = pb_utils.TritonError("it is too late for an answer")
            return pb_utils.InferenceResponse(output_tensors=[], error=error)
        rows = pb_utils.get_input_tensor_by_name(request, "input_ids").as_numpy().shape[0]
        width = 383 if self._answers == "wrong_shape" else 384
        embedding = np.full((rows, width), 1 / np.sqrt(width), np.float32)
        chances = np.full((rows, 7), 0.1, np.float32)
        if self._answers == "nan":
            chances[:, 0] = np.nan
        thresholds = np.full((rows, 2, 7), 0.5, np.float32)
        outputs = {"embedding": embedding, "category_probs": chances, "thresholds": thresholds}
        return pb_utils.InferenceResponse(
            output_tensors=[pb_utils.Tensor(name, values) for name, values in outputs.items()]
        )
