"""The metrics of API keys, the same in both services: meaning and labels, which never hold a key."""

from __future__ import annotations

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge


class KeyMetrics:
    """The metrics, on the registry of a service."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.in_force = Gauge("api_keys_in_force", "Keys that callers may send", registry=registry)
        self.reloads = Counter(
            "api_keys_reloads_total",
            "Changes of API_KEYS_FILE: taken up, or failed with the old keys still in force",
            ["result"],
            registry=registry,
        )
        self.refused = Counter(
            "calls_refused_total",
            "Calls refused for their key: none, wrong, expired, or of another scope",
            ["door", "reason"],
            registry=registry,
        )
        self.events = Counter(
            "api_key_events_total",
            "Events that a key sent, within its quota and over it",
            ["key", "quota"],
            registry=registry,
        )
        # Looked up once for a key: `labels` takes longer than `inc`.
        self.events_of = cache(
            lambda key: (self.events.labels(key, "within"), self.events.labels(key, "over"))
        )
