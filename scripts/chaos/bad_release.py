"""A bad release of the model: put into a real Triton in place of the good one, and taken out again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tritonclient.grpc import InferenceServerClient

from screener.triton import MODEL
from scripts.system.triton import TritonServer

VERSION = 99
SOURCE = Path(__file__).with_name("odd_model.py")
_INPUTS = ("input_ids", "attention_mask")
_OUTPUTS = {"embedding": [384], "category_probs": [7], "thresholds": [2, 7]}


class Answers(Enum):
    """What it answers; the values are those of `odd_model.py`."""

    WELL = "well"
    NAN = "nan"
    WRONG_SHAPE = "wrong_shape"
    NEVER = "never"


@asynccontextmanager
async def released(triton: TritonServer, answers: Answers) -> AsyncIterator[None]:
    """Serves it for the block, then again what the repository holds.

    Triton takes its files with the call, so the repository stays as it is.

    Raises:
        InferenceServerException: Triton does not load it.
    """
    with TemporaryDirectory(prefix="seawall-odd-") as folder:
        flag = Path(folder, "hanging")
        await asyncio.to_thread(flag.touch)
        config = json.dumps(config_of(answers, flag))
        files = {f"file:{VERSION}/{SOURCE.name}": SOURCE.read_bytes()}
        await asyncio.to_thread(_load, triton, config=config, files=files)
        try:
            yield
        finally:
            await asyncio.to_thread(_load, triton)


def config_of(answers: Answers, flag: Path) -> dict[str, object]:
    """Its configuration; one that never answers does so while `flag` exists."""
    parameters = {"answers": answers.value, "while_exists": str(flag)}
    return {
        "name": MODEL,
        "backend": "python",
        "default_model_filename": SOURCE.name,
        "max_batch_size": 64,
        "input": [{"name": name, "data_type": "TYPE_INT64", "dims": [-1]} for name in _INPUTS],
        "output": [{"name": name, "data_type": "TYPE_FP32", "dims": dims} for name, dims in _OUTPUTS.items()],
        "instance_group": [{"count": 1, "kind": "KIND_CPU"}],
        "parameters": {name: {"string_value": value} for name, value in parameters.items()},
    }


def _load(triton: TritonServer, **release: Any) -> None:
    with InferenceServerClient(triton.grpc_url) as client:
        client.load_model(MODEL, headers=triton.admin_headers, **release)
