"""`Summary`: a run in numbers."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.verdict import Category, Route
from scripts.drive.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Summary:
    """Fields as `seawall run --json` writes them.

    Latencies run from the client's sending to the verdict in its stream, by the client's clock.

    Attributes:
        lost: accepted events with neither verdict nor dead letter.
        doubled: verdicts and dead letters beyond the one that each accepted event is to have.
        p50_ms, p99_ms: None without a verdict.
    """

    accepted: int
    duplicates: int
    rejected: int
    verdicts: int
    dead_letters: int
    lost: int
    doubled: int
    seconds: float
    events_per_second: float
    p50_ms: float | None
    p99_ms: float | None
    routes: dict[str, int]
    categories: dict[str, int]

    @property
    def sound(self) -> bool:
        """Whether each accepted event has exactly one verdict."""
        return not (self.lost or self.doubled or self.dead_letters)

    def to_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return asdict(self)


def summarise(ledger: Ledger) -> Summary:
    """The numbers of a run that has ended."""
    counts, verdicts, span = ledger.counts, ledger.verdicts, ledger.span_s
    latencies_ms = [1000 * latency for latency in ledger.latencies_s]
    return Summary(
        accepted=counts.accepted,
        duplicates=counts.duplicates,
        rejected=counts.rejected,
        verdicts=verdicts,
        dead_letters=ledger.dead_letters,
        lost=ledger.lost,
        doubled=ledger.doubled,
        seconds=round(span, 3),
        events_per_second=round(verdicts / span, 1) if span else 0.0,
        p50_ms=percentile(latencies_ms, 50),
        p99_ms=percentile(latencies_ms, 99),
        routes={
            route.name.lower(): counts.routes[route] for route in (Route.LOW_RISK, Route.REASONING_QUEUE)
        },
        categories={category.name: counts.categories[category] for category in Category if category},
    )


def percentile(values: Collection[float], percent: float) -> float | None:
    """The least value that `percent` of all are not above (nearest rank), to 0.1; None for no values."""
    if not values:
        return None
    rank = max(1, math.ceil(len(values) * percent / 100))
    return round(sorted(values)[rank - 1], 1)
