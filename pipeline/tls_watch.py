"""Looking after certificates while a service runs: taking up changed ones, and telling when they end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge

from pipeline.tls import CertificatesInForce

_PERIOD_S = 2.0


class CertificateMetrics:
    """Of all certificates of a service; the label is how their settings begin, in small letters."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.left = Gauge(
            "tls_certificate_left_seconds",
            "Until the certificate in force ends; below 0 when it has ended",
            ["certificate"],
            registry=registry,
        )
        self.failures = Counter(
            "tls_reload_failures_total",
            "Changed certificates that could not be used",
            ["certificate"],
            registry=registry,
        )


async def watch_certificates(
    certificates: Sequence[CertificatesInForce | None],
    metrics: CertificateMetrics,
    *,
    period_s: float = _PERIOD_S,
) -> None:
    """Looks for changed files until cancelled; None stands for a side without TLS."""
    watched = [in_force for in_force in certificates if in_force is not None]
    for in_force in watched:
        metrics.failures.labels(in_force.files.name.lower())
    while True:
        for in_force in watched:
            _tell(in_force, metrics)
        await asyncio.sleep(period_s)
        for in_force in watched:
            failures = in_force.failures
            await asyncio.to_thread(in_force.reload)
            metrics.failures.labels(in_force.files.name.lower()).inc(in_force.failures - failures)


def _tell(in_force: CertificatesInForce, metrics: CertificateMetrics) -> None:
    if (left := in_force.seconds_left) is not None:
        metrics.left.labels(in_force.files.name.lower()).set(left)
