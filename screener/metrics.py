"""Every metric of the screening service: meaning, unit and labels (all bounded)."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from pipeline.hand_off import HandOff
from pipeline.key_metrics import KeyMetrics
from pipeline.tls_watch import CertificateMetrics
from pipeline.verdict import Verdict

_LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_BATCH = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_TENTHS = tuple(i / 10 for i in range(1, 11))


class ScreenerMetrics:
    """The metrics, on a registry of their own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.screened = Counter(
            "events_screened_total",
            "Verdicts published",
            ["category", "route", "hand_off"],
            registry=registry,
        )
        self.degraded = Counter("events_degraded_total", "Verdicts without the model", registry=registry)
        self.superseded = Counter(
            "verdicts_superseded_total", "Verdicts not published, for another holder had", registry=registry
        )
        self.dead_lettered = Counter(
            "events_dead_lettered_total", "Entries given up", ["reason"], registry=registry
        )
        self.dead_lettering_stopped = Gauge(
            "dead_lettering_stopped",
            "1 while too many entries would be given up, and none is taken",
            registry=registry,
        )
        self.expired = Counter(
            "entries_expired_total",
            "Entries that were older than they may be, and went",
            ["stream"],
            registry=registry,
        )
        self.spilled = Counter(
            "events_spilled_total",
            "Events moved from events:direct to events:raw",
            ["reason"],
            registry=registry,
        )
        self.claimed = Counter("entries_claimed_total", "Entries taken over from another", registry=registry)
        self.held = Counter(
            "batches_held_total", "Waits of a batch for a part that was away", ["part"], registry=registry
        )
        self.model_breaker = Gauge(
            "model_breaker_state",
            "0 closed, 1 half-open (a probe is due or under way), 2 open: the model is not asked",
            registry=registry,
        )
        self.queue_depth = Gauge("events_queue_depth", "Entries of events:raw", registry=registry)
        self.direct_depth = Gauge("events_direct_depth", "Entries of events:direct", registry=registry)
        self.reasoning_groups = Gauge(
            "reasoning_queue_groups",
            "Groups of events:reasoning_queue; with 0 nobody reads it",
            registry=registry,
        )
        self.certificates = CertificateMetrics(registry)
        self.keys = KeyMetrics(registry)
        self.latency = Histogram(
            "screening_latency_seconds",
            "From having an event in hand to its published verdict",
            ["hand_off"],
            buckets=_LATENCY_S,
            registry=registry,
        )
        self.embedding_latency = Histogram(
            "embedding_latency_seconds",
            "One call of the model for a batch",
            buckets=_LATENCY_S,
            registry=registry,
        )
        self.risk = Histogram(
            "screening_risk_score", "Risk of events, 0..1", buckets=_TENTHS, registry=registry
        )
        self.cache_hits = Counter("embedding_cache_hits_total", "Texts found in the cache", registry=registry)
        self.cache_misses = Counter(
            "embedding_cache_misses_total", "Texts not found there", registry=registry
        )
        self.batch_size = Histogram(
            "screening_batch_size", "Events of one screened batch", buckets=_BATCH, registry=registry
        )
        self.snapshots_written = Counter(
            "snapshots_written_total",
            "Snapshots of the similarity index taken, by what became of them",
            ["outcome"],
            registry=registry,
        )
        self.snapshots_read = Counter(
            "snapshots_read_total", "Snapshots looked at, at a start", ["outcome"], registry=registry
        )
        self.indexed = Gauge("similarity_index_events", "Events in the similarity index", registry=registry)
        self.watchers = Gauge("watchers", "Calls of WatchVerdicts under way", registry=registry)
        self.rpcs = Counter(
            "rpcs_total", "Calls ended, by method and status", ["method", "code"], registry=registry
        )
        self.rpc_latency = Histogram(
            "rpc_latency_seconds", "Calls that ended well", ["method"], buckets=_LATENCY_S, registry=registry
        )

    def observe_verdicts(self, verdicts: Sequence[Verdict], hand_off: HandOff, seconds: float) -> None:
        """Counts published verdicts of one batch; `seconds` since it was in hand."""
        way = hand_off.label
        for (category, route), count in Counts((v.category, v.route) for v in verdicts).items():
            self.screened.labels(category.name, route.name, way).inc(count)
        latency = self.latency.labels(way)
        for verdict in verdicts:
            self.risk.observe(verdict.risk_score)
            latency.observe(seconds)

    def observe_rpc(self, method: str, code: str, seconds: float) -> None:
        """Counts one call; `method` is the full name, of a method that exists or `other`."""
        name = method.rsplit("/", 1)[-1] if method.startswith("/seawall.") else "other"
        self.rpcs.labels(name, code).inc()
        if code == "OK":
            self.rpc_latency.labels(name).observe(seconds)
