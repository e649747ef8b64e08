"""Pieces of messages that both services send."""

from __future__ import annotations

from collections.abc import Sequence

from seawall.events.v1 import events_pb2

from pipeline.errors import Violation


def violations_to_proto(violations: Sequence[Violation]) -> list[events_pb2.FieldViolation]:
    """Violations as messages."""
    return [
        events_pb2.FieldViolation(field=v.field, problem=v.problem, allowed=v.allowed) for v in violations
    ]


def batch_violation(size: int, most: int) -> Violation | None:
    """What is wrong with the number of events of a batch, or None."""
    if 1 <= size <= most:
        return None
    return Violation("events", f"has {size} events", f"1 to {most} events")
