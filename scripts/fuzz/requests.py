"""Requests whose own fields, beside the events, are not what they should be."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from google.protobuf.message import Message
from seawall.ingest.v1 import ingest_pb2
from seawall.screening.v1 import screening_pb2

from scripts.fuzz import texts
from scripts.fuzz.call import INGEST, SCREENING, Call, Target
from scripts.fuzz.events import a_valid_event, hostile

_WATCH_S = 1.0
_INTS = (0, -1, 1, 3, 99, 2**31 - 1, -(2**31))
_FLOATS = (float("nan"), float("inf"), -0.1, 1.1, 0.5, 1e308)
_IDS = (
    "",
    "0-0",
    "1-1",
    "0-",
    "-",
    "１-１",
    f"{2**64 - 1}-0",
    "9" * 19 + "-1",
    "9" * 21 + "-1",
    "*",
    "$",
    "1-1 ",
)


def strange_request(dice: Random) -> Call:
    """One of them."""
    return dice.choice(_ALL)(dice)


def _wait_for_verdict(dice: Random) -> Call:
    request = ingest_pb2.IngestRequest(
        event=hostile("huge numbers", dice),
        wait_for_verdict=True,
        hand_off=dice.choice(_INTS),  # type: ignore[arg-type]  # an int is the enum's value on the wire
    )
    request.verdict_timeout.seconds = dice.choice((0, -1, 1, 61, 2**62))
    request.verdict_timeout.nanos = dice.choice((0, -1, 1, 999_999_999, 2**31 - 1))
    return _call(Target.INGEST, f"{INGEST}Ingest", request)


def _batch_of_wrong_size(dice: Random) -> Call:
    size = dice.choice((0, 501, 5_000))
    if dice.random() < 0.5:
        return _call(
            Target.INGEST,
            f"{INGEST}IngestBatch",
            ingest_pb2.IngestBatchRequest(events=[a_valid_event(dice)] * size, hand_off=dice.choice(_INTS)),  # type: ignore[arg-type]
        )
    return _call(
        Target.SCREENER,
        f"{SCREENING}ScreenBatch",
        screening_pb2.ScreenBatchRequest(events=[a_valid_event(dice)] * size),
    )


def _status(dice: Random) -> Call:
    make = dice.choice((texts.any_plane, texts.control, texts.redis_protocol, texts.log_lines, texts.zalgo))
    request = ingest_pb2.GetEventStatusRequest(
        event_id=dice.choice(("", "never-seen", "a" * 129, make(dice)))
    )
    return _call(Target.INGEST, f"{INGEST}GetEventStatus", request)


def _find_similar(dice: Random) -> Call:
    request = screening_pb2.FindSimilarRequest(
        content=dice.choice(("", "\0", "hello", texts.any_plane(dice), texts.bomb(dice))),
        limit=dice.choice((101, 2**32 - 1)),  # never valid, for each valid one is work for the model
    )
    if dice.random() < 0.5:
        request.min_cosine = dice.choice(_FLOATS)
    return _call(Target.SCREENER, f"{SCREENING}FindSimilar", request)


def _watch(dice: Random) -> Call:
    request = screening_pb2.WatchVerdictsRequest(
        categories=[dice.choice(_INTS)],  # type: ignore[list-item]  # an int is the enum's value on the wire
        platforms=[dice.choice(_INTS)],  # type: ignore[list-item]
        route=dice.choice(_INTS),  # type: ignore[arg-type]
        min_risk_score=dice.choice(_FLOATS),
        position=dice.choice(("", f"{dice.choice(_IDS)}_{dice.choice(_IDS)}", texts.redis_protocol(dice))),
    )
    # A valid one never ends by itself.
    return _call(Target.SCREENER, f"{SCREENING}WatchVerdicts", request, deadline_s=_WATCH_S)


def _admitted(dice: Random) -> Call:
    """Events handed over that were never admitted, or are none."""
    request = screening_pb2.ScreenStreamRequest(correlation_id=dice.getrandbits(64))
    for _ in range(dice.choice((1, 3, 501))):
        event = hostile(dice.choice(("huge numbers", "control characters", "Redis protocol")), dice)
        payload = dice.choice((event.SerializeToString(), dice.randbytes(20), b""))
        admitted = request.admitted.add(entry_id=dice.choice(_IDS), event=payload)
        if dice.random() < 0.5:
            admitted.time_left.seconds = dice.choice((0, -1, 2**63 - 1, -(2**63)))
            admitted.time_left.nanos = dice.choice((0, -1, 2**31 - 1))
    return _call(Target.SCREENER, f"{SCREENING}ScreenStream", request)


def _call(target: Target, method: str, request: Message, *, deadline_s: float = 60.0) -> Call:
    return Call("requests", target, method, (request.SerializeToString(),), deadline_s=deadline_s)


_ALL: tuple[Callable[[Random], Call], ...] = (
    _wait_for_verdict,
    _batch_of_wrong_size,
    _status,
    _find_similar,
    _watch,
    _admitted,
)
