from __future__ import annotations

from pipeline.breaker import Breaker, BreakerLimits, BreakerState

LIMITS = BreakerLimits(failures=3, first_rest_s=0.2, most_rest_s=5.0)


def broken(breaker: Breaker, *, times: int, now_s: float) -> None:
    for _ in range(times):
        breaker.failed(now_s)


def test_a_few_failures_in_a_row_open_it_for_a_while() -> None:
    breaker = Breaker(LIMITS)
    broken(breaker, times=2, now_s=10.0)
    assert not breaker.is_open(10.0)
    breaker.failed(10.0)
    assert breaker.is_open(10.0)
    assert not breaker.is_open(10.2)


def test_after_the_rest_it_is_half_open_until_the_next_word() -> None:
    breaker = Breaker(LIMITS)
    states = [breaker.state(10.0)]
    broken(breaker, times=3, now_s=10.0)
    states += [breaker.state(10.1), breaker.state(10.2), breaker.state(1_000.0)]
    assert states == [
        BreakerState.CLOSED,
        BreakerState.OPEN,
        BreakerState.HALF_OPEN,
        BreakerState.HALF_OPEN,
    ]
    breaker.failed(1_000.0)
    assert breaker.state(1_000.3) is BreakerState.OPEN
    breaker.succeeded()
    assert breaker.state(1_000.3) is BreakerState.CLOSED


def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = Breaker(LIMITS)
    for _ in range(10):
        broken(breaker, times=2, now_s=1.0)
        breaker.succeeded()
    assert not breaker.is_open(1.0)


def test_one_more_failure_after_the_rest_opens_it_for_twice_as_long() -> None:
    breaker = Breaker(LIMITS)
    broken(breaker, times=3, now_s=0.0)
    breaker.failed(0.3)
    assert breaker.is_open(0.3 + 0.39)
    assert not breaker.is_open(0.3 + 0.4)


def test_the_rest_is_bounded() -> None:
    breaker = Breaker(LIMITS)
    now_s = 0.0
    for _ in range(30):
        broken(breaker, times=3, now_s=now_s)
        now_s += 100.0
    breaker.failed(now_s)
    assert breaker.is_open(now_s + 4.9)
    assert not breaker.is_open(now_s + 5.0)


def test_what_was_under_way_when_it_opened_does_not_count() -> None:
    breaker = Breaker(LIMITS)
    broken(breaker, times=50, now_s=0.0)
    assert not breaker.is_open(0.2)


def test_a_success_begins_anew() -> None:
    breaker = Breaker(LIMITS)
    broken(breaker, times=3, now_s=0.0)
    breaker.failed(0.3)
    breaker.succeeded()
    assert not breaker.is_open(0.3)
    broken(breaker, times=3, now_s=1.0)
    assert not breaker.is_open(1.2)
