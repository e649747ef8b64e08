"""One Triton for all suites of a session, over the built model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rich.console import Console

from scripts.commands.build_if_missing import build_model_if_missing
from scripts.system.system import TOKENIZER, Part, System
from tests.suites.running import RealPath, Scorer


@pytest.fixture(scope="session")
def scored() -> Iterator[Scorer]:
    build_model_if_missing(Console(stderr=True))
    with System(parts=frozenset({Part.TRITON})) as system:
        yield RealPath(triton=system.triton.grpc_url, tokenizer=TOKENIZER)
