"""Every kind of hostile call, with its share of the inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from seawall.ingest.v1 import ingest_pb2
from seawall.screening.v1 import screening_pb2

from pipeline.server_bounds import MAX_MESSAGE_BYTES
from scripts.fuzz import events, mangle, texts
from scripts.fuzz.call import INGEST, PACKED, SCREENING, Call, End, Target
from scripts.fuzz.requests import strange_request

_BATCH, _STREAM = 500, 20
_LEFT_S = 1.0
"""Deadline of a call whose client ends it in another way than it should."""

METHODS = {
    Target.INGEST: [
        f"{INGEST}{name}" for name in ("Ingest", "IngestBatch", "IngestStream", "GetEventStatus")
    ],
    Target.SCREENER: [
        f"{SCREENING}{name}"
        for name in ("Screen", "ScreenBatch", "ScreenStream", "FindSimilar", "WatchVerdicts")
    ],
}
_STRANGE_METADATA: tuple[tuple[tuple[str, str | bytes], ...], ...] = (
    (("api-key", "x" * 10_000),),
    (("api-key", ""),),
    (("x-api-key", "' OR 1=1 --"),),
    (("traceparent", "00-zz-zz-01"), ("x-request-id", "%n%n")),
    (("junk-bin", bytes(range(256)) * 16),),
    (("junk", "x" * 17_000),),
    tuple((f"key-{number}", "v" * 40) for number in range(300)),
)


def call_of(kind: str, dice: Random, *, room: int) -> Call:
    """A call of that kind with at most `room` inputs, of which there is one at least."""
    if kind in events.KINDS:
        return _with_events(kind, dice, room)
    return _OTHERS[kind](dice)


def _with_events(kind: str, dice: Random, room: int) -> Call:
    """Hostile events in one of the ways that events come in."""
    size = min(room, dice.choices((1, _STREAM, _BATCH), weights=(1, 3, 20))[0])
    made = [events.hostile(kind, dice) for _ in range(size)]
    ingest = dice.random() < 0.7
    messages: tuple[bytes, ...]
    if size > _STREAM:
        request = (
            ingest_pb2.IngestBatchRequest(events=made, hand_off=dice.randrange(3))  # type: ignore[arg-type]  # an int is the enum's value on the wire
            if ingest
            else screening_pb2.ScreenBatchRequest(events=made)
        )
        messages, name = (request.SerializeToString(),), "Batch"
    elif size > 1 or dice.random() < 0.5:
        stream = ingest_pb2.IngestStreamRequest if ingest else screening_pb2.ScreenStreamRequest
        messages = tuple(
            stream(event=event, correlation_id=number).SerializeToString()
            for number, event in enumerate(made)
        )
        name = "Stream"
    else:
        one = ingest_pb2.IngestRequest if ingest else screening_pb2.ScreenRequest
        messages, name = (one(event=made[0]).SerializeToString(),), ""
    target, method = (
        (Target.INGEST, f"{INGEST}Ingest{name}") if ingest else (Target.SCREENER, f"{SCREENING}Screen{name}")
    )
    return Call(kind, target, method, messages, inputs=size)


def _raw(kind: str, make: Callable[[Random], bytes]) -> Callable[[Random], Call]:
    """Bytes in place of a message, at any method."""

    def call(dice: Random) -> Call:
        target, method = _any_method(dice)
        return Call(kind, target, method, (make(dice),), deadline_s=_deadline(method))

    return call


def _mutated(dice: Random) -> bytes:
    event = events.a_valid_event(dice)
    event.author_id = ""  # where it still parses it is refused: verdicts are not what is tried here
    request = dice.choice(
        (
            ingest_pb2.IngestBatchRequest(events=[event] * 3),
            ingest_pb2.IngestStreamRequest(event=event, correlation_id=7),
            screening_pb2.WatchVerdictsRequest(min_risk_score=2, position="1-1_1-1"),
        )
    )
    return mangle.mutated(dice, request.SerializeToString())


def _surrogates(dice: Random) -> bytes:
    """An event with half of a pair in one of its strings."""
    spoiled = mangle.field(dice.choice((1, 4, 5, 6, 7)), texts.lone_surrogate(dice))
    return mangle.field(dice.choice((1, 2)), events.a_valid_event(dice).SerializeToString() + spoiled)


def _metadata(dice: Random) -> Call:
    target, method = _any_method(dice)
    return Call(
        "metadata",
        target,
        method,
        (b"",),
        metadata=dice.choice(_STRANGE_METADATA),
        deadline_s=_deadline(method),
    )


def _wrong_method(dice: Random) -> Call:
    target, method = _any_method(dice)
    name = dice.choice(
        (
            f"{method}X",
            method.lower(),
            f"{INGEST}{texts.LOG[3]}",
            f"/no.such.Service/{'a' * 2_000}",
            "/",
            "nothing",
            "//",
            "/grpc.health.v1.Health/Nothing",
            METHODS[Target.INGEST if target is Target.SCREENER else Target.SCREENER][0],
        )
    )
    return Call("wrong methods", target, name, (mangle.random_bytes(dice),))


def _stream_left(dice: Random) -> Call:
    """Streams, and calls of one message, that end too early, too late, or with bytes that are no message."""
    target, method = _any_method(dice)
    event = events.hostile("attributes", dice)
    message = ingest_pb2.IngestStreamRequest(
        event=event
    ).SerializeToString()  # as ScreenStreamRequest's bytes
    messages = [message] * dice.randrange(4)
    if dice.random() < 0.3:
        messages.append(mangle.random_bytes(dice))
    end = dice.choice(list(End))
    deadline_s = _deadline(method) if end is End.CLOSES and messages else _LEFT_S
    return Call("streams left", target, method, tuple(messages), end=end, deadline_s=deadline_s)


def _oversized(dice: Random) -> Call:
    target, method = _any_method(dice)
    return Call("oversized", target, method, (bytes(MAX_MESSAGE_BYTES + 1),))


def _packed(dice: Random) -> Call:
    """A little that would be a lot, once it is unpacked."""
    target, method = dice.choice(
        ((Target.INGEST, f"{INGEST}Ingest"), (Target.SCREENER, f"{SCREENING}Screen"))
    )
    return Call(PACKED, target, method, (bytes(MAX_MESSAGE_BYTES // 2),))


def _any_method(dice: Random) -> tuple[Target, str]:
    target = dice.choice(list(Target))
    return target, dice.choice(METHODS[target])


def _deadline(method: str) -> float:
    """WatchVerdicts goes on for ever where what it is sent is a message, be it by chance."""
    return _LEFT_S if "Watch" in method else 60.0


_OTHERS: Mapping[str, Callable[[Random], Call]] = {
    "random bytes": _raw("random bytes", mangle.random_bytes),
    "mutated messages": _raw("mutated messages", _mutated),
    "lone surrogates": _raw("lone surrogates", _surrogates),
    "nested messages": _raw("nested messages", mangle.nested),
    "requests": strange_request,
    "metadata": _metadata,
    "wrong methods": _wrong_method,
    "streams left": _stream_left,
    "oversized": _oversized,
    PACKED: _packed,
}
SHARES: Mapping[str, float] = {
    **dict.fromkeys(events.KINDS, 0.88 / len(events.KINDS)),
    "random bytes": 0.04,
    "mutated messages": 0.04,
    "lone surrogates": 0.02,
    "nested messages": 0.005,
    "requests": 0.01,
    "metadata": 0.002,
    "wrong methods": 0.002,
    "streams left": 0.001,
    "oversized": 0.0,  # three of them: each is 64 MiB
    PACKED: 0.0,  # likewise
}
"""How much of a run each kind is; whatever the run's size, of each kind there are `FEWEST`."""

FEWEST = 3
