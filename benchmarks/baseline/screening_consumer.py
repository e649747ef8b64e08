"""Screening as it would be written first: one event at a time, from the stream to its verdict.

`python -m benchmarks.baseline.screening_consumer`, with REDIS_URL, MODEL and TOKENIZER. Fair where the design
leaves room: the served weights in ONNX Runtime's FP32, which is faster than torch, on all processors, without
spinning threads; the tokenizers library; exact search in FAISS, by one thread; hiredis; verdict and
acknowledgement in one pipeline. It leaves out what the screener adds: rules, floods and campaigns, a cache, a
second try, metrics, and one step for verdict and acknowledgement, so that a crash between them judges an
event twice.
"""

from __future__ import annotations

import os
from typing import Any

import faiss
import numpy as np
import onnxruntime
import orjson
import redis
from tokenizers import Tokenizer

from screener.model import EMBEDDING_WIDTH

STREAM = "baseline:to-screen"
GROUP = "baseline"
VERDICTS = "baseline:verdicts"
_LABELS = ("spam", "toxic", "targeted_harassment", "hate_speech", "violence", "sexual", "any")
_THRESHOLD = 0.5
_SIMILAR = 5
_MOST_TOKENS = 512
_BLOCK_MS = 500


class Screener:
    """Scores a text, finds earlier ones near it, and remembers it."""

    def __init__(self, model: str, tokenizer: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(tokenizer)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_MOST_TOKENS)
        faiss.omp_set_num_threads(1)  # for one vector at a time more of them only wait for each other
        self._index = faiss.IndexFlatIP(EMBEDDING_WIDTH)
        self._ids: list[str] = []

    def screen(self, event: dict[str, str]) -> dict[str, object]:
        """The verdict."""
        ids = np.array([self._tokenizer.encode(f"query: {event['content']}").ids], np.int64)
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        embedding, [probabilities] = self._session.run(["embedding", "category_probs"], feeds)
        cosines, rows = self._index.search(embedding, min(_SIMILAR, max(1, len(self._ids))))
        near = [
            {"event_id": self._ids[row], "cosine": float(cosine)}
            for cosine, row in zip(cosines[0], rows[0], strict=True)
            if row >= 0
        ]
        self._index.add(embedding)
        self._ids.append(event["event_id"])
        scores = dict(zip(_LABELS, map(float, probabilities), strict=True))
        return {
            "event_id": event["event_id"],
            "scores": scores,
            "labels": [label for label, score in scores.items() if score > _THRESHOLD],
            "similar": near,
        }


def run(store: redis.Redis, screener: Screener) -> None:
    """Reads, screens and publishes, one by one, for ever."""
    while True:
        # Lists of entries by stream; redis-py's types tell more than there is.
        reply: Any = store.xreadgroup(GROUP, "consumer", {STREAM: ">"}, count=1, block=_BLOCK_MS)
        for _, entries in reply or ():
            for entry_id, fields in entries:
                verdict = screener.screen(orjson.loads(fields[b"event"]))
                with store.pipeline(transaction=False) as pipe:
                    pipe.xadd(VERDICTS, {"verdict": orjson.dumps(verdict)})
                    pipe.xack(STREAM, GROUP, entry_id)
                    pipe.execute()


if __name__ == "__main__":
    screening = Screener(os.environ["MODEL"], os.environ["TOKENIZER"])
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
    run(client, screening)
