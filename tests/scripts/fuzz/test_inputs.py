"""What the fuzzer sends is what it says, the same for the same seed, and not all of one kind."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from seawall.events.v1 import events_pb2
from seawall.ingest.v1 import ingest_pb2

from pipeline.event import Event
from pipeline.validation import violations_of
from scripts.fuzz import bombs, events, mangle, texts
from scripts.fuzz.call import Call, Target
from scripts.fuzz.kinds import FEWEST, METHODS, SHARES, call_of
from scripts.fuzz.logs import LogReader
from scripts.fuzz.run import Plan, calls

CALLS = list(calls(Plan(inputs=3_000, seed=1)))


def test_a_plan_has_each_kind_and_as_many_inputs_as_it_says() -> None:
    inputs: Counter[str] = Counter()
    for call in CALLS:
        inputs[call.kind] += call.inputs
    assert inputs == {kind: max(FEWEST, round(share * 3_000)) for kind, share in SHARES.items()}
    assert sum(SHARES.values()) == pytest.approx(1)


def test_every_method_is_called() -> None:
    called = {(call.target, call.method) for call in CALLS}
    assert called >= {(target, method) for target in Target for method in METHODS[target]}


def test_a_seed_makes_the_same_calls_again() -> None:
    plan = Plan(inputs=300, seed=7)
    assert [call.messages for call in calls(plan)] == [call.messages for call in calls(plan)]
    other = Plan(inputs=300, seed=8)
    assert [call.messages for call in calls(plan)] != [call.messages for call in calls(other)]


@pytest.mark.parametrize("kind", events.KINDS)
def test_hostile_events_are_seldom_valid_so_that_a_model_keeps_up(kind: str) -> None:
    dice = Random(3)  # noqa: S311  # no secret
    made = [events.hostile(kind, dice) for _ in range(400)]
    assert len({event.SerializeToString(deterministic=True) for event in made}) > 350
    valid = [
        event
        for event in made
        if not violations_of(Event.from_proto(event), now_ms=time.time_ns() // 1_000_000)
    ]
    assert len(valid) < 20


def is_message(data: bytes, kind: Any) -> bool:
    try:
        kind.FromString(data)
    except DecodeError:
        return False
    return True


def test_halves_of_pairs_are_no_message() -> None:
    for number in range(50):
        [message] = call_of("lone surrogates", Random(number), room=1).messages  # noqa: S311  # no secret
        kinds = (ingest_pb2.IngestBatchRequest, ingest_pb2.IngestStreamRequest)
        assert not all(is_message(message, kind) for kind in kinds)


def test_halves_of_pairs_are_what_json_makes_of_an_escape() -> None:
    for number in range(50):
        told = texts.lone_surrogate(Random(number)).decode("utf-8", "surrogatepass")  # noqa: S311  # no secret
        assert json.loads(json.dumps(told)) == told
        with pytest.raises(UnicodeEncodeError):
            told.encode()


@pytest.mark.parametrize("name", bombs.NAMES)
@pytest.mark.parametrize("length", [1, 10, 10_000])
def test_a_bomb_is_as_long_as_it_shall_be(name: str, length: int) -> None:
    assert len(bombs.text(name, length)) == length


@pytest.mark.parametrize("number", [0, 127, 128, 300, 2**32, 2**64 - 1])
def test_numbers_and_fields_are_written_as_protobuf_reads_them(number: int) -> None:
    written = mangle.field(7, b"hello") + bytes([2 << 3]) + mangle.varint(number)
    read = events_pb2.Event.FromString(written)
    assert read.content == "hello"
    assert read.event_type % 2**32 == number % 2**32


def test_a_call_outlives_a_file() -> None:
    for call in CALLS[:200]:
        kept = Call.decode(call.encode(), kind=call.kind)
        assert (kept.target, kept.messages) == (call.target, call.messages)


def test_a_log_is_complained_of_line_by_line(tmp_path: Path) -> None:
    log = tmp_path / "ingest.log"
    log.write_text("before anybody looked\n")
    reader = LogReader(log)
    with log.open("a") as file:
        file.write('{"event": "started", "level": "info"}\n')
        file.flush()
        assert reader.complaints() == []
        file.write('Traceback (most recent call last):\n["a"]\n{"event":"x","level":"error"}\n{"event": "un')
        file.flush()
        assert [told.partition(": ")[2][:12] for told in reader.complaints()] == [
            "a line that ",
            "a line that ",
            'an error: {"',
        ]
        file.write('finished"}\n')
        file.flush()
        assert reader.complaints() == []
