"""What the services of a chaos run are told, and why it differs from what is told in earnest."""

from __future__ import annotations

from collections.abc import Mapping

_NEVER_TRIMMED = "100000000"


def settings(*, redis_url: str, minutes: float) -> Mapping[str, str]:
    """Environment variables for both services.

    Args:
        redis_url: the way to Redis that the run can break.
        minutes: how long the run is; until its end nothing is forgotten, for the audit reads it all.
    """
    return {
        "REDIS_URL": redis_url,
        "LOW_RISK_MAX_ENTRIES": _NEVER_TRIMMED,
        "REASONING_ARCHIVE_MAX_ENTRIES": _NEVER_TRIMMED,
        "EVENT_ID_TTL_SECONDS": str(3_600 + int(120 * minutes)),
        # Shorter than in earnest, so that an outage of seconds is long enough for somebody to take over.
        "CLAIM_IDLE_MS": "3000",
        "DIRECT_TIMEOUT_MS": "1500",
        "DIRECT_LEASE_MS": "3000",
        # Few enough that a burst fills them.
        "MAX_QUEUE_DEPTH": "2500",
        "DIRECT_MAX_ENTRIES": "1000",
    }
