"""Every metric of the ingestion service: meaning, unit and labels (all bounded)."""

from __future__ import annotations

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from pipeline.key_metrics import KeyMetrics
from pipeline.tls_watch import CertificateMetrics

_LATENCY_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_BATCH = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class IngestMetrics:
    """The metrics, on a registry of their own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.received = Counter(
            "events_received_total", "Events that came in, valid or not", ["platform"], registry=registry
        )
        self.accepted = Counter(
            "events_accepted_total",
            "Events admitted, by the way that they went",
            ["hand_off"],
            registry=registry,
        )
        self.invalid = Counter(
            "validation_errors_total", "Violations by field of the event", ["field"], registry=registry
        )
        self.deduplicated = Counter(
            "events_deduplicated_total", "Events that were known already", registry=registry
        )
        self.refused = Counter(
            "events_refused_total",
            "Events not queued for lack of room or of Redis",
            ["reason"],
            registry=registry,
        )
        self.queue_depth = Gauge(
            "events_queue_depth",
            "Entries of events:raw, as of the last admission or second",
            registry=registry,
        )
        self.direct_depth = Gauge(
            "events_direct_depth",
            "Entries of events:direct, as of the last admission or second",
            registry=registry,
        )
        self.spilled = Counter(
            "events_spilled_total",
            "Events for the direct way that ingest put into the queue, at the door or later",
            ["reason"],
            registry=registry,
        )
        self.streams = Gauge("hand_off_streams", "Streams open to screeners", registry=registry)
        self.outstanding = Gauge(
            "hand_off_outstanding",
            "Events on the direct way, and on their way from there to the queue",
            registry=registry,
        )
        self.hand_off_latency = Histogram(
            "hand_off_latency_seconds",
            "From the admission of an event to its verdict, over the direct way",
            buckets=_LATENCY_S,
            registry=registry,
        )
        self.latency = Histogram(
            "ingestion_latency_seconds",
            "From the start of a call to its answer, by method",
            ["method"],
            buckets=_LATENCY_S,
            registry=registry,
        )
        self.batch_size = Histogram(
            "admission_batch_size", "Events of one call to Redis", buckets=_BATCH, registry=registry
        )
        self.awaited = Gauge(
            "verdicts_awaited", "Events whose callers wait for the verdict now", registry=registry
        )
        self.waits = Counter(
            "verdict_waits_total",
            "Waits for a verdict, by what they ended with: the verdict, or none in time",
            ["end"],
            registry=registry,
        )
        self.certificates = CertificateMetrics(registry)
        self.keys = KeyMetrics(registry)
        self.rpcs = Counter(
            "rpcs_total", "Calls ended, by method and status", ["method", "code"], registry=registry
        )

        # Of what is counted for each event or call: `labels` takes longer than `inc`, and labels are few.
        self.received_on = cache(self.received.labels)
        self.accepted_by = cache(self.accepted.labels)
        self._ended = cache(self.rpcs.labels)
        self._latency_of = cache(self.latency.labels)

    def observe_rpc(self, method: str, code: str, seconds: float) -> None:
        """Counts one call; `method` is the full name, of a method that exists or `other`."""
        name = method.rsplit("/", 1)[-1] if method.startswith("/seawall.") else "other"
        self._ended(name, code).inc()
        if code == "OK":
            self._latency_of(name).observe(seconds)
