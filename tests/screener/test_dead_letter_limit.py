from __future__ import annotations

from screener.dead_letter_limit import DeadLetterBounds, DeadLetterLimit


def limit(
    *, max_share: float = 0.1, share_of: int = 100, min_count: int = 5, max_per_minute: int = 1_000
) -> DeadLetterLimit:
    return DeadLetterLimit(DeadLetterBounds(max_share, share_of, min_count, max_per_minute))


def allowed(dead_letters: DeadLetterLimit, n: int, *, now_s: float = 0.0) -> int:
    """How many of n may be given up."""
    return sum(dead_letters.allows(now_s=now_s) for _ in range(n))


def test_a_handful_among_few_is_no_bad_release() -> None:
    few = limit()
    assert allowed(few, 4) == 4
    assert few.reached == ""


def test_all_of_them_are_a_bad_release() -> None:
    bad = limit()
    assert allowed(bad, 50) == 4
    assert bad.reached == "5 of the last 5 entries would be dead letters, more than 10%"


def test_the_share_decides_where_there_are_many() -> None:
    for passed, more in ((45, 1), (44, 0)):
        mixed = limit()
        mixed.passed(passed)
        assert allowed(mixed, 4) == 4
        assert allowed(mixed, 1) == more


def test_only_the_last_entries_count() -> None:
    recent = limit(share_of=100)
    recent.passed(90)
    assert allowed(recent, 10) == 10
    recent.passed(95)  # of those ten, five are among the last hundred, and leave as others come
    assert allowed(recent, 5) == 5
    assert allowed(recent, 20) == 5
    assert recent.reached


def test_so_many_in_a_minute_are_too_many_whatever_their_share() -> None:
    fast = limit(share_of=1_000_000, max_per_minute=3)
    fast.passed(1_000_000)
    assert [fast.allows(now_s=second) for second in (0, 30, 59)] == [True, True, True]
    assert fast.allows(now_s=60)
    assert not fast.allows(now_s=89.9)
    assert fast.reached == "more than 3 dead letters in a minute"


def test_stays_reached_until_told_to_go_on() -> None:
    stopped = limit()
    allowed(stopped, 5)
    stopped.passed(1_000)
    assert not stopped.allows(now_s=1_000_000)
    stopped.go_on()
    assert stopped.reached == ""
    assert allowed(stopped, 10, now_s=1_000_000) == 4  # counted anew


def test_a_probe_is_measured_by_the_share() -> None:
    assert limit().tolerates(2, of=20)
    assert not limit().tolerates(3, of=20)
    assert not limit().tolerates(1, of=1)


def test_a_share_of_one_never_stops_and_of_none_stops_at_the_least_number() -> None:
    assert allowed(limit(max_share=1.0), 500) == 500
    strict = limit(max_share=0.0)
    strict.passed(99)
    assert allowed(strict, 10) == 4
