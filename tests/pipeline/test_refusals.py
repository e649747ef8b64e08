from __future__ import annotations

from prometheus_client import CollectorRegistry

from pipeline.errors import Forbidden, Unauthenticated
from pipeline.key_metrics import KeyMetrics
from pipeline.refusals import Refusals
from tests.fixtures.logs import Logged


def test_each_is_counted_and_one_a_second_is_logged(logged: Logged) -> None:
    now = [10.0]
    registry = CollectorRegistry()
    refusals = Refusals(KeyMetrics(registry), clock=lambda: now[0])
    for _ in range(1_000):
        refusals.note(Unauthenticated("no", reason="wrong_key"), "grpc", "/a/B")
    assert logged().count("call_refused") == 1
    now[0] = 11.0
    refusals.note(Forbidden("no", key="bot", scope="read"), "http", "/metrics")
    assert logged().count("call_refused") == 2
    assert "999" in logged()
    assert "bot" in logged()

    def refused(door: str, reason: str) -> float | None:
        return registry.get_sample_value("calls_refused_total", {"door": door, "reason": reason})

    assert refused("grpc", "wrong_key") == 1_000
    assert refused("http", "scope") == 1
