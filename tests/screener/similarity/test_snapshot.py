"""What an index is after a snapshot is what it was before."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.verdict import Category
from screener.similarity.family import Standing
from screener.similarity.index import SimilarityIndex
from screener.similarity.seen import Said, Seen
from screener.similarity.snapshot import Snapshot, SnapshotUnreadable, decode, encode
from tests.screener.similarity.test_index import seal_now, seen, unit_vectors

VECTORS = unit_vectors(12).astype("<f2").astype(np.float32)  # as the stream has them


def an_index(*, max_events: int = 8, segment_events: int = 3) -> SimilarityIndex:
    return SimilarityIndex(
        max_events=max_events, segment_events=segment_events, window_ms=60_000, seal_later=seal_now
    )


def snapshot_bytes(index: SimilarityIndex) -> bytes:
    return b"".join(encode(Snapshot(b"5-0", [(1, index.capture())])))


def restarted(index: SimilarityIndex, fresh: SimilarityIndex) -> SimilarityIndex:
    """An index that reads the snapshot of another."""
    snapshot = decode(memoryview(snapshot_bytes(index)))
    [(version, state)] = snapshot.indexes
    assert (snapshot.position, version) == (b"5-0", 1)
    fresh.restore(state)
    fresh.seal()
    return fresh


def answers(index: SimilarityIndex) -> object:
    """All that anybody can ask of an index."""
    return [
        [
            (n.event_id, n.cosine, n.category, n.text, n.informative, n.family.state())
            for n in index.search(vector[None], k=20, min_cosine=-1.0)[0]
        ]
        for vector in VECTORS
    ]


def standing_near(index: SimilarityIndex, text: int) -> tuple[Standing, ...]:
    [near] = index.search(VECTORS[text][None], k=1, min_cosine=0.999)
    return tuple(neighbour.family.standing() for neighbour in near)


@st.composite
def said_at(draw: st.DrawFn) -> tuple[int, int, int, Category, bool]:
    return (
        draw(st.integers(0, len(VECTORS) - 1)),  # text
        draw(st.integers(0, len(VECTORS) - 1)),  # found near this one
        draw(st.integers(0, 3)),  # author
        draw(st.sampled_from([Category.LOW_RISK, Category.SPAM])),
        draw(st.booleans()),  # its verdict says campaign
    )


FORGET = st.integers(0, 3)
STEPS = st.lists(st.one_of(said_at(), said_at(), said_at(), FORGET), max_size=50)


def carried_out(
    step: tuple[int, int, int, Category, bool] | int, number: int, judge: SimilarityIndex
) -> Seen | bytes:
    """What the stream carries: an event, judged by an index, or the author to forget."""
    if isinstance(step, int):
        return step.to_bytes(8, "big")
    text, near, author, category, campaign = step
    event = seen(number, VECTORS[text], text=text.to_bytes(16, "big"), author=author)
    said = Said(informative=text, campaign=campaign, families=standing_near(judge, near))
    return event._replace(category=category, said=said)


def take_in(index: SimilarityIndex, entry: Seen | bytes) -> None:
    if isinstance(entry, bytes):
        index.forget(entry)
    else:
        index.add([entry])


@given(STEPS, st.integers(0, 50))
def test_a_restart_answers_as_if_there_had_been_none_with_a_snapshot_and_without(
    steps: list[tuple[int, int, int, Category, bool] | int], cut: int
) -> None:
    index, stream = an_index(), list[Seen | bytes]()
    first = seen(99, VECTORS[0], text=(0).to_bytes(16, "big"))
    index.add([first])
    stream.append(first)
    other = restarted(index, an_index())
    for number, step in enumerate(steps):
        if number == cut:
            other = restarted(index, an_index())
        entry = carried_out(step, number, index)
        stream.append(entry)
        take_in(index, entry)
        take_in(other, entry)
    assert answers(other) == answers(index)
    assert snapshot_bytes(other) == snapshot_bytes(index)
    replayed = an_index()
    for entry in stream:
        take_in(replayed, entry)
    assert answers(replayed) == answers(index)


def large_index() -> tuple[SimilarityIndex, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """One segment with lists and one without, and the vectors."""
    vectors = unit_vectors(1_300).astype("<f2").astype(np.float32)
    index = an_index(max_events=10_000, segment_events=1_100)
    index.add([seen(i, vector, author=i % 5) for i, vector in enumerate(vectors)])
    return index, vectors


def test_lists_are_not_made_again() -> None:
    index, vectors = large_index()
    assert len(index.capture().segments[0].lists) == 1_100

    def never(segment: object) -> None:
        raise AssertionError(segment)

    fresh = SimilarityIndex(max_events=10_000, segment_events=1_100, window_ms=60_000, seal_later=never)
    other = restarted(index, fresh)
    before, after = (held.search(vectors[::50], k=10, min_cosine=-1.0) for held in (index, other))
    assert [[(n.event_id, n.cosine) for n in near] for near in before] == [
        [(n.event_id, n.cosine) for n in near] for near in after
    ]


def test_a_segment_whose_lists_were_not_ready_is_sealed_after_the_restart() -> None:
    vectors = unit_vectors(1_300)
    index = SimilarityIndex(
        max_events=10_000, segment_events=1_100, window_ms=60_000, seal_later=lambda _: None
    )
    index.add([seen(i, vector) for i, vector in enumerate(vectors)])
    assert len(index.capture().segments[0].lists) == 0
    other = restarted(index, an_index(max_events=10_000, segment_events=1_100))
    assert len(other.capture().segments[0].lists) == 1_100


@pytest.mark.parametrize("segment_events", [500, 1_500])
def test_other_sizes_of_segments_go_on_with_the_old_ones(segment_events: int) -> None:
    index, vectors = large_index()
    other = restarted(index, an_index(max_events=10_000, segment_events=segment_events))
    [late] = unit_vectors(1)
    other.add([seen(5_000, late)])
    for number, vector in ((0, vectors[0]), (1_299, vectors[1_299]), (5_000, late)):
        [[near]] = other.search(vector[None], k=1, min_cosine=0.99)
        assert near.event_id == f"e{number}"


def test_forgotten_vectors_are_overwritten_in_lists_and_in_snapshots() -> None:
    index, vectors = large_index()
    author = (3).to_bytes(8, "big")
    assert index.forget(author) == 260
    for held in (index, restarted(index, an_index(max_events=10_000, segment_events=1_100))):
        assert held.search(vectors[3:4], k=1, min_cosine=0.99) == [[]]
        assert held.search(vectors[1_203:1_204], k=1, min_cosine=0.99) == [[]]
        [[near]] = held.search(vectors[4:5], k=1, min_cosine=0.99)
        assert near.event_id == "e4"
        for state, number in ((held.capture().segments[0], 3), (held.capture().segments[1], 103)):
            assert state.rows[number] is None
            assert not state.vectors()[number].any()
    written = snapshot_bytes(index)
    assert vectors[3].astype("<f2").tobytes() not in written
    assert vectors[4].astype("<f2").tobytes() in written
    assert f'"{author.hex()}"'.encode() not in written


def small() -> bytes:
    index = an_index()
    index.add([seen(i, vector) for i, vector in enumerate(VECTORS[:4])])
    return snapshot_bytes(index)


def reason_of(data: bytes) -> str:
    with pytest.raises(SnapshotUnreadable) as raised:
        decode(memoryview(data))
    return raised.value.reason


def changed(before: bytes, after: bytes) -> bytes:
    """A snapshot with something else in it, and the digest of that."""
    body = small()[:-32].replace(before, after)
    return body + hashlib.sha256(body).digest()


@given(st.data())
def test_one_that_was_cut_short_is_damaged(data: st.DataObject) -> None:
    whole = small()
    assert reason_of(whole[: data.draw(st.integers(0, len(whole) - 1))]) == "damaged"


@given(st.data())
def test_one_with_a_flipped_bit_is_damaged(data: st.DataObject) -> None:
    flipped = bytearray(small())
    at = data.draw(st.integers(12, len(flipped) - 1))
    flipped[at] ^= 1 << data.draw(st.integers(0, 7))
    assert reason_of(bytes(flipped)) == "damaged"


def test_one_of_another_format_or_model_is_not_read() -> None:
    assert reason_of(changed(b"SEAWALL1\x02", b"SEAWALL1\x01")) == "other_format"
    assert reason_of(changed(b"e5-small-v2", b"e5-small-v9")) == "other_model"
    assert reason_of(changed(b'"width":384', b'"width":768')) == "other_model"


@pytest.mark.parametrize("before", [b'"segments":2', b'"families":4', b'"position"', b'"e0"'])
def test_one_that_does_not_hold_what_it_says_is_damaged(before: bytes) -> None:
    assert before in small()
    assert reason_of(
        changed(before, before.replace(b"2", b"9").replace(b"4", b"9").replace(b'"', b" ", 1))
    ) == ("damaged")
