from __future__ import annotations

import pytest

from ingest.__main__ import limits
from ingest.settings import IngestSettings
from pipeline.admission import AdmissionLimits
from pipeline.errors import StartupFailed
from pipeline.hand_off import HandOff, HandOffChoice
from pipeline.settings import allowed, load


def test_ports_are_those_of_the_design() -> None:
    settings = load(IngestSettings)
    assert (settings.ingest_grpc_port, settings.ingest_http_port) == (50051, 8001)


@pytest.mark.parametrize(("most", "limit"), [(10, 8), (100_000, 80_000), (11, 8)])
def test_events_are_refused_from_80_percent_of_the_most(
    monkeypatch: pytest.MonkeyPatch, most: int, limit: int
) -> None:
    monkeypatch.setenv("MAX_QUEUE_DEPTH", str(most))
    assert load(IngestSettings).depth_limit == limit


def test_limits_of_admission_are_in_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_QUEUE_DEPTH", "1000")
    monkeypatch.setenv("MAX_REASONING_UNREAD", "7")
    monkeypatch.setenv("DEDUP_WINDOW_SECONDS", "2")
    monkeypatch.setenv("EVENT_ID_TTL_SECONDS", "3")
    monkeypatch.setenv("DIRECT_MAX_ENTRIES", "9")
    assert limits(load(IngestSettings)) == AdmissionLimits(
        800, 7, window_ms=2_000, duplicate_ms=3_000, max_direct=9
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("INGEST_GRPC_PORT", "65536", "INGEST_GRPC_PORT=65536: allowed: from 0 to 65535"),
        ("INGEST_HTTP_PORT", "http", "INGEST_HTTP_PORT=http: allowed: from 0 to 65535"),
        ("MAX_QUEUE_DEPTH", "9", "MAX_QUEUE_DEPTH=9: allowed: from 10 to 100000000"),
        ("INGEST_STREAM_IN_FLIGHT", "0", "INGEST_STREAM_IN_FLIGHT=0: allowed: from 1 to 100000"),
        ("DEDUP_WINDOW_SECONDS", "1.5", "DEDUP_WINDOW_SECONDS=1.5: allowed: from 1 to 2592000"),
    ],
)
def test_a_fault_is_one_line_with_variable_value_and_range(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StartupFailed) as failed:
        load(IngestSettings)
    assert str(failed.value) == message


@pytest.mark.parametrize("name", list(IngestSettings.model_fields))
def test_every_setting_says_what_it_is_and_what_it_accepts(name: str) -> None:
    assert IngestSettings.model_fields[name].description
    assert allowed(IngestSettings.model_fields[name])


@pytest.mark.parametrize(
    ("handoff", "allowed_too", "choice"),
    [
        ("stream", None, HandOffChoice(HandOff.STREAM, frozenset({HandOff.STREAM}))),
        ("direct", None, HandOffChoice(HandOff.DIRECT, frozenset({HandOff.STREAM}))),
        ("direct", "", HandOffChoice(HandOff.DIRECT)),
        ("stream", "stream, direct", HandOffChoice(HandOff.STREAM, frozenset(HandOff))),
    ],
)
def test_the_operator_says_which_ways_events_may_go(
    monkeypatch: pytest.MonkeyPatch, handoff: str, allowed_too: str | None, choice: HandOffChoice
) -> None:
    monkeypatch.setenv("HANDOFF", handoff)
    if allowed_too is not None:
        monkeypatch.setenv("HANDOFF_ALLOWED", allowed_too)
    assert load(IngestSettings).ways == choice


def test_nothing_goes_directly_by_default() -> None:
    assert not load(IngestSettings).may_go_directly


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"HANDOFF": "fast"}, "HANDOFF=fast: allowed: stream, direct"),
        (
            {"HANDOFF_ALLOWED": "fast"},
            "HANDOFF_ALLOWED is not valid; allowed: stream, direct, both by a comma, or nothing",
        ),
        (
            {"SCREENER_ADDRESSES": "screener"},
            "SCREENER_ADDRESSES is not valid; allowed: host:port, or several by commas, "
            "as in screener:50052 or 10.0.0.1:50052,[::1]:50052",
        ),
        (
            {"HANDOFF": "direct"},
            "SCREENER_API_KEY is empty; allowed: one of the screeners' HANDOFF_API_KEYS",
        ),
        (
            {"HANDOFF_ALLOWED": "direct", "SCREENER_API_KEY": "k" * 16, "DIRECT_LEASE_MS": "5000"},
            "DIRECT_TIMEOUT_MS=5000: allowed: below DIRECT_LEASE_MS, which is 5000",
        ),
    ],
)
def test_settings_of_the_direct_way_are_checked_at_start(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], message: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StartupFailed) as failed:
        assert load(IngestSettings).may_go_directly
    assert str(failed.value) == message
