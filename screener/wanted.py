"""`Wanted`: which verdicts a watcher is told. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from seawall.screening.v1 import screening_pb2, verdict_pb2

from pipeline.errors import InvalidRequest, Violation
from pipeline.event import Platform
from pipeline.position import Position
from pipeline.verdict import Category, Route


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter; what is empty lets everything through.

    It takes verdicts as messages, undecoded, for every watcher looks at every verdict, in the process that
    screens: 5 µs each, where `Verdict.decode` and `to_proto` would take 90 on a busy machine.

    Attributes:
        categories: those of `category`, by their numbers; `labels` have no say.
        platforms: by their numbers.
        route: by its number; 0 for both.
        min_risk_score: least risk, 0..1.
    """

    categories: frozenset[int] = frozenset()
    platforms: frozenset[int] = frozenset()
    route: int = 0
    min_risk_score: float = 0.0

    def lets_through(self, verdict: verdict_pb2.Verdict) -> bool:
        """Whether the watcher is told of `verdict`."""
        return (
            verdict.risk_score >= self.min_risk_score
            and (not self.categories or verdict.category in self.categories)
            and (not self.platforms or verdict.platform in self.platforms)
            and (not self.route or verdict.route == self.route)
        )


def read_request(request: screening_pb2.WatchVerdictsRequest) -> tuple[Wanted, Position | None]:
    """What is asked for, and from where on; None: from now on.

    Raises:
        InvalidRequest: names every bad field.
    """
    violations = list(_violations(request))
    position = None
    try:
        position = Position.decode(request.position) if request.position else None
    except InvalidRequest as error:
        violations += error.violations
    if violations:
        raise InvalidRequest(tuple(violations))
    wanted = Wanted(
        frozenset(request.categories), frozenset(request.platforms), request.route, request.min_risk_score
    )
    return wanted, position


def _violations(request: screening_pb2.WatchVerdictsRequest) -> Iterator[Violation]:
    for field, numbers, known in (
        ("categories", request.categories, {int(c): c.name for c in Category}),
        ("platforms", request.platforms, {int(p): p.name for p in Platform}),
        ("route", (request.route,) if request.route else (), {int(r): r.name for r in Route}),
    ):
        del known[0]  # UNSPECIFIED is no value to ask for
        if unknown := sorted(set(numbers) - set(known)):
            yield Violation(field, f"has the number {unknown[0]}", ", ".join(known.values()))
    if not (math.isfinite(request.min_risk_score) and 0 <= request.min_risk_score <= 1):
        yield Violation("min_risk_score", f"is {request.min_risk_score:g}", "0 to 1")
