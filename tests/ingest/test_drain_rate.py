from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.drain_rate import DrainRate

LIMIT = 1_000


def drained(per_s: int, *, seconds: int = 40) -> DrainRate:
    """A full queue that loses `per_s` entries a second, and gains none."""
    rate = DrainRate()
    for second in range(seconds):
        rate.observe(depth=100_000 - per_s * second, accepted=0, now_s=float(second))
    return rate


def test_says_a_second_while_nothing_is_known() -> None:
    assert DrainRate().delay_s(depth=LIMIT, limit=LIMIT) == 1.0


def test_says_a_second_while_nothing_drains() -> None:
    assert drained(0).delay_s(depth=LIMIT, limit=LIMIT) == 1.0


@pytest.mark.parametrize(
    ("per_s", "delay_s"), [(10, 10.0), (100, 1.0), (1_000, 0.1), (50_000, 0.1), (1, 30.0)]
)
def test_is_the_time_until_a_tenth_is_free(per_s: int, delay_s: float) -> None:
    assert drained(per_s).delay_s(depth=LIMIT, limit=LIMIT) == pytest.approx(delay_s)


def test_what_was_accepted_meanwhile_has_drained_too() -> None:
    rate = DrainRate()
    for second in range(40):
        rate.observe(depth=500, accepted=0 if second == 0 else 100, now_s=float(second))
    assert rate.delay_s(depth=LIMIT, limit=LIMIT) == pytest.approx(1.0)


def test_samples_closer_than_the_period_are_added_up() -> None:
    rate = DrainRate(period_s=1.0)
    rate.observe(depth=0, accepted=0, now_s=0.0)
    for tenth in range(1, 11):
        rate.observe(depth=0, accepted=10, now_s=tenth / 10)
    assert rate.delay_s(depth=LIMIT, limit=LIMIT) == pytest.approx(1.0)


def test_follows_a_change_smoothly() -> None:
    rate = drained(100)
    rate.observe(depth=100_000 - 100 * 39 - 1_000, accepted=0, now_s=40.0)
    assert 0.1 < rate.delay_s(depth=LIMIT, limit=LIMIT) < 1.0


@given(
    samples=st.lists(st.tuples(st.integers(0, 10**8), st.integers(0, 500), st.floats(0, 10**6)), max_size=20),
    depth=st.integers(0, 10**8),
    limit=st.integers(1, 10**8),
)
def test_is_always_from_a_tenth_of_a_second_to_thirty(
    samples: list[tuple[int, int, float]], depth: int, limit: int
) -> None:
    rate = DrainRate()
    for queue, accepted, now_s in samples:
        rate.observe(depth=queue, accepted=accepted, now_s=now_s)
    assert 0.1 <= rate.delay_s(depth=depth, limit=limit) <= 30.0
