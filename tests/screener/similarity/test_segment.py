"""A segment that changes while its lists are made."""

from __future__ import annotations

from screener.similarity.exact import OnProcessors
from screener.similarity.segment import Row, Segment
from tests.screener.similarity.test_index import seal_now, seen, unit_vectors

VECTORS = unit_vectors(2_300)


def row(number: int) -> Row:
    event = seen(number, VECTORS[number])
    return Row(event.event_id, event.category, event.text, event.author, event.seen_at_ms, informative=1)


def add(segment: Segment, first: int, last: int) -> None:
    segment.add([row(number) for number in range(first, last)], VECTORS[first:last])


def nearest(segment: Segment, number: int) -> int:
    """The row nearest to a vector."""
    best = max(
        (float(cosines[0, 0]), int(numbers[0, 0]))
        for cosines, numbers in segment.search(VECTORS[number : number + 1], 1)
    )
    return best[1]


def test_what_comes_while_lists_are_made_is_searched_before_and_after() -> None:
    segment = Segment(OnProcessors())
    add(segment, 0, 2_100)
    assert segment.worth_sealing
    sealing = segment.sealing()
    add(segment, 2_100, 2_300)
    assert [nearest(segment, number) for number in (0, 2_099, 2_100, 2_299)] == [0, 2_099, 2_100, 2_299]
    segment.seal(sealing())
    assert not segment.worth_sealing
    assert [nearest(segment, number) for number in (0, 2_099, 2_100, 2_299)] == [0, 2_099, 2_100, 2_299]
    assert len(segment.capture().lists) == 2_100


def test_what_is_forgotten_while_lists_are_made_is_in_none_of_them() -> None:
    segment = Segment(OnProcessors())
    add(segment, 0, 2_100)
    gone = {5, 2_050, 2_200}
    sealing = segment.sealing()
    add(segment, 2_100, 2_300)
    forgotten = segment.forget(lambda row: row.event_id in {f"e{number}" for number in gone})
    assert {row.event_id for row in forgotten} == {f"e{number}" for number in gone}
    segment.seal(sealing())
    vectors = segment.capture().vectors()
    assert {number for number in range(2_300) if not vectors[number].any()} == gone
    assert [nearest(segment, number) for number in (6, 2_051, 2_201)] == [6, 2_051, 2_201]
    assert not {nearest(segment, number) for number in gone} & gone


def test_a_full_segment_takes_in_the_rest_and_the_next_has_its_centroids() -> None:
    segment = Segment(OnProcessors())
    add(segment, 0, 1_100)
    assert not segment.worth_sealing
    segment.closed = True
    assert segment.worth_sealing
    seal_now(segment)
    assert len(segment.capture().tail) == 0
    following = segment.successor()
    assert len(following) == 0
    add(following, 0, 20)
    following.seal(following.sealing()())
    assert nearest(following, 11) == 11
