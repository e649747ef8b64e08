"""A dozen texts and what e5-small-v2 made of them: tells an export of the same model from another model."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.embedding import Embedder
from training.errors import SourceInvalid

GOLDEN = Path(__file__).parent / "weights" / "golden.json"
SAME_MODEL_COSINE = 0.9999

TEXTS = (
    "gg wp everyone, that last fight was close",
    "could you review the pull request before lunch?",
    "you absolute muppet, log off and never come back",
    "FREE SKINS!!! first 50 people, sign up at http://skins.example/claim",
    "I will come to your house and hurt you",
    "people from that country should all be thrown out",
    "the weather in Lisbon is lovely this week",
    "send me a picture of you undressed",
    "ok",
    "Der Zug hat schon wieder eine halbe Stunde Verspätung 😡",
    "she said the meeting moved to 3 pm, " * 20,
    "price list: 12.50, 13.75, 19.99; call +1 555 0100 between 9:00 and 17:00 — ask for Kay",
)


def verify_golden(embedder: Embedder) -> float:
    """The least cosine over the golden texts; raises SourceInvalid where one is below SAME_MODEL_COSINE."""
    document = json.loads(GOLDEN.read_text())
    raw = base64.b64decode(document["float16"])
    expected = np.frombuffer(raw, dtype="<f2").reshape(len(TEXTS), -1).astype(np.float32)
    cosine = float((embedder.embed(TEXTS) * _normalised(expected)).sum(axis=1).min())
    if not cosine >= SAME_MODEL_COSINE:
        raise SourceInvalid(
            f"the fetched encoder is not e5-small-v2: cosine {cosine:.5f} to the golden embeddings, "
            f"{SAME_MODEL_COSINE} is needed; remove it from the cache and fetch it again"
        )
    return cosine


def write_golden(embedder: Embedder) -> None:
    """Make the committed file anew; only ever from the known bytes."""
    halves = embedder.embed(TEXTS).astype("<f2").tobytes()
    GOLDEN.write_text(json.dumps({"float16": base64.b64encode(halves).decode()}) + "\n")


def _normalised(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
