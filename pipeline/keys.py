"""The one place that makes the names of Redis keys.

Every name comes from a partition, which is chosen by platform and author. There is one partition today, so
names are the plain ones; with more, this function is the only code to change, for scripts get every key
through KEYS, or find it beside one of them (`admit.lua`).
"""

from __future__ import annotations

from dataclasses import dataclass

GROUP = "screening"
"""The one consumer group of `events:raw`."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The names of one partition."""

    raw: str = "events:raw"
    direct: str = "events:direct"
    reasoning_queue: str = "events:reasoning_queue"
    low_risk: str = "events:low_risk"
    dead_letter: str = "events:dead_letter"
    embeddings: str = "events:embeddings"
    attempts: str = "screening:attempts"
    trimmed: str = "screening:trimmed"
    audit: str = "audit:log"

    def event(self, event_id: str) -> str:
        """Holds an event's record (`pipeline.record`)."""
        return f"event:{event_id}"

    def fingerprint(self, fingerprint: bytes) -> bytes:
        """Holds the id of the first event with this fingerprint."""
        return b"fingerprint:" + fingerprint

    def embedding(self, model_version: int, precision: str, digest: bytes) -> bytes:
        """Holds the cached model output for one tokenizer input."""
        return f"emb:{model_version}:{precision}:".encode() + digest


def partition(platform: int, author_id: str) -> Keys:  # noqa: ARG001  # one partition today; see above
    """The names for events of this author."""
    return ONLY


ONLY = Keys()
"""The one partition of today."""
