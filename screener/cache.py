"""The embedding cache: what the model answered for a text, kept in Redis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import redis.asyncio as aioredis
from numpy.typing import NDArray

from pipeline.fingerprint import Digests
from pipeline.keys import Keys
from pipeline.store import store_errors
from screener.model import EMBEDDING_WIDTH, OUTPUTS, ModelVersion
from screener.twelve_bits import packed, unpacked
from screener.windows import READING

_VALUE = np.dtype(
    [("numbers", "u1", EMBEDDING_WIDTH * 3 // 2), ("scale", "<f4"), ("probabilities", "<f4", OUTPUTS)]
)
_VALUE_BYTES = _VALUE.itemsize


@dataclass(frozen=True, slots=True)
class CachedOutput:
    """float32 [384] (kept in twelve bits) and float32 [7] (kept whole, lest a label flip)."""

    embedding: NDArray[np.float32]
    probabilities: NDArray[np.float32]

    def encode(self) -> bytes:
        """The value as Redis holds it."""
        numbers, scale = packed(self.embedding)
        kept_whole = np.concatenate(([scale], self.probabilities)).astype("<f4")
        return numbers + kept_whole.tobytes()


def decoded(values: Sequence[bytes | None]) -> list[CachedOutput | None]:
    """Reads values, in order; None where there is none, or one of another layout: a miss and no error."""
    whole = [value for value in values if value is not None and len(value) == _VALUE_BYTES]
    rows = np.frombuffer(b"".join(whole), _VALUE)
    found = map(CachedOutput, unpacked(rows["numbers"], rows["scale"]), rows["probabilities"])
    return [None if value is None or len(value) != _VALUE_BYTES else next(found) for value in values]


class EmbeddingCache:
    """Model outputs by model version, precision and text; one entry a text, however many rows it is."""

    def __init__(self, client: aioredis.Redis, keys: Keys, digests: Digests, *, ttl_seconds: int) -> None:
        self._client = client
        self._keys = keys
        self._digests = digests
        self._ttl_ms = ttl_seconds * 1000

    async def get(self, version: ModelVersion, texts: Sequence[str]) -> list[CachedOutput | None]:
        """What is known of each text, in order.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with store_errors():
            values = await self._client.mget([self._key(version, text) for text in texts])
        return decoded(values)  # type: ignore[arg-type]  # bytes, as `connect` asks

    async def put(self, version: ModelVersion, outputs: Sequence[tuple[str, CachedOutput]]) -> None:
        """Remembers outputs, by their texts.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with store_errors():
            async with self._client.pipeline(transaction=False) as pipe:
                for text, output in outputs:
                    pipe.set(self._key(version, text), output.encode(), px=self._ttl_ms)
                await pipe.execute()

    async def forget(self, version: ModelVersion, texts: Sequence[str]) -> int:
        """Removes what is known of texts; of how many something was.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with store_errors():
            return int(await self._client.delete(*(self._key(version, text) for text in texts)))

    def _key(self, version: ModelVersion, text: str) -> bytes:
        digest = self._digests.model_input(READING + text.encode())
        return self._keys.embedding(version.number, version.precision, digest)
