"""Messages that people wrote: of the corpus where it lies beside the project, else made of the samples."""

from __future__ import annotations

import gzip
import json
import random
from functools import cache

from benchmarks.embeddings import CORPUS
from benchmarks.texts import known_texts

_SPLIT = "moderation-valid"
_LONGEST = 10_000


def messages(count: int) -> list[str]:
    """`count` different messages of all lengths in a mixed order, the same at every call."""
    found = list(_corpus() if CORPUS.is_dir() else ())[:count]
    return found + known_texts(count - len(found))


@cache
def _corpus() -> tuple[str, ...]:
    with gzip.open(CORPUS / f"{_SPLIT}.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = dict.fromkeys(json.loads(line)["text"] for line in lines)
    found = [text for text in texts if text.strip() and len(text) <= _LONGEST]
    random.Random(8).shuffle(found)  # noqa: S311  # no secret
    return tuple(found)
