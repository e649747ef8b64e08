from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from pipeline.auth import Caller, Quota, Scope, set_caller
from pipeline.errors import QuotaExceeded
from pipeline.key_metrics import KeyMetrics
from pipeline.quota import Quotas, TokenBucket

FIVE = Quota(events_per_second=5, burst=10)
BOT, OTHER = (Caller(name, frozenset({Scope.INGEST}), FIVE) for name in ("bot", "other"))


def test_a_bucket_is_full_at_first_and_fills_by_its_rate() -> None:
    bucket = TokenBucket(FIVE, now_s=100.0)
    assert bucket.take(12, FIVE, now_s=100.0) == 10
    assert bucket.take(1, FIVE, now_s=100.1) == 0
    assert bucket.take(3, FIVE, now_s=100.4) == 2
    assert bucket.take(99, FIVE, now_s=1_000.0) == 10


def test_the_delay_is_when_there_is_room_for_the_event() -> None:
    bucket = TokenBucket(FIVE, now_s=0.0)
    bucket.take(10, FIVE, now_s=0.0)
    assert [bucket.delay_s(number, FIVE) for number in (1, 2, 10)] == pytest.approx([0.2, 0.4, 2.0])
    assert bucket.take(1, FIVE, now_s=0.2) == 1


def test_a_quota_that_changes_counts_from_the_next_event_on() -> None:
    bucket = TokenBucket(FIVE, now_s=0.0)
    assert bucket.take(10, Quota(5, burst=3), now_s=0.0) == 3
    assert bucket.take(999, Quota(1_000, burst=1_000), now_s=0.5) == 500


@given(
    quota=st.builds(Quota, st.floats(0.01, 10_000), st.integers(1, 10_000)),
    calls=st.lists(st.tuples(st.floats(0, 100), st.integers(1, 500)), max_size=50),
)
def test_never_more_than_the_burst_and_the_rate_allow(quota: Quota, calls: list[tuple[float, int]]) -> None:
    bucket, now_s, given_ = TokenBucket(quota, 0.0), 0.0, 0
    for pause_s, wanted in calls:
        now_s += pause_s
        taken = bucket.take(wanted, quota, now_s)
        assert 0 <= taken <= wanted
        given_ += taken
        assert given_ <= math.floor(quota.burst + now_s * quota.events_per_second + 1e-6)


def test_each_name_has_a_bucket_and_is_counted_by_it() -> None:
    registry = CollectorRegistry()
    quotas = Quotas(KeyMetrics(registry), clock=lambda: 50.0)
    set_caller(BOT)
    refusals = quotas.spend_on(13)
    assert [refusal.retry_after_s for refusal in refusals] == pytest.approx([0.2, 0.4, 0.6])
    with pytest.raises(
        QuotaExceeded, match="the key bot is past its quota of 5 events per second, 10 at once"
    ):
        quotas.spend()
    set_caller(OTHER)
    quotas.spend()
    set_caller(Caller("free", frozenset()))
    assert quotas.spend_on(100_000) == []

    def events(key: str, quota: str) -> float | None:
        return registry.get_sample_value("api_key_events_total", {"key": key, "quota": quota})

    assert (events("bot", "within"), events("bot", "over")) == (10, 4)
    assert (events("other", "within"), events("other", "over")) == (1, 0)
    assert (events("free", "within"), events("free", "over")) == (100_000, 0)
