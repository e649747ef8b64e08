from __future__ import annotations

from pipeline.event import Platform
from pipeline.keys import ONLY, Keys, partition


def test_streams_have_the_names_of_the_design() -> None:
    assert (
        ONLY.raw,
        ONLY.direct,
        ONLY.reasoning_queue,
        ONLY.low_risk,
        ONLY.dead_letter,
        ONLY.embeddings,
    ) == (
        "events:raw",
        "events:direct",
        "events:reasoning_queue",
        "events:low_risk",
        "events:dead_letter",
        "events:embeddings",
    )


def test_kinds_of_keys_never_meet() -> None:
    keys = Keys()
    names = [keys.event("x").encode(), keys.fingerprint(b"x"), keys.embedding(1, "cpu", b"x")]
    assert len(set(names)) == 3
    assert not any(name.decode().startswith("events:") for name in names)


def test_every_author_is_in_the_one_partition() -> None:
    assert partition(Platform.DISCORD, "a") is partition(Platform.REDDIT, "b") is ONLY
