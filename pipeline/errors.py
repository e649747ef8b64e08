"""What can go wrong, named by what the caller must do.

SeawallError
├── Retry                 try again later; nothing was changed
│   ├── Overloaded        a bound is reached (queue, concurrency)
│   ├── QuotaExceeded     a key has sent what its quota allows; names the key and the limit
│   ├── StoreUnavailable  Redis is away, read-only or out of memory
│   ├── ModelUnavailable  Triton is away, loading, or too slow
│   │   └── IndexUnavailable  so is the process that has the host's similarity index
│   └── WatchEnded        a watch of verdicts goes on from its position
│       ├── WatcherTooSlow    at the same screener, by who reads faster
│       └── WatchInterrupted  at another screener, or here in a while
├── Reject                the request is wrong; trying again changes nothing
│   ├── InvalidRequest    fields break the contract; names each of them
│   ├── Unparsable        the bytes are not the message that the method takes
│   ├── Unauthenticated   no key, or a wrong one
│   ├── Forbidden         a key in force, but not for this
│   └── PositionLost      the streams do not hold what follows a position; names one that they do
├── EntryUndecodable      a stream entry does not hold what it should: dead-letter it
├── ModelOutputInvalid    the model answered with a wrong shape, NaN or infinity
├── TaskFailed            a service's own work ended on an error: end the process, to be started again
└── StartupFailed         the service cannot start: say why in one line, and stop
"""

from __future__ import annotations

from dataclasses import dataclass


class SeawallError(Exception):
    """Root of everything that Seawall raises on purpose."""


class Retry(SeawallError):
    """Try again after `retry_after_s` seconds; nothing was changed."""

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Overloaded(Retry):
    """A bound is reached; the delay is estimated from the rate at which work drains."""


class QuotaExceeded(Retry):
    """The key of this name has sent what its quota allows; `limit` is the quota, in words."""

    def __init__(self, *, key: str, limit: str, retry_after_s: float) -> None:
        super().__init__(f"the key {key} is past its quota of {limit}", retry_after_s=retry_after_s)
        self.key = key
        self.limit = limit


class StoreUnavailable(Retry):
    """Redis cannot take or give anything now."""


class ModelUnavailable(Retry):
    """Triton is away, still loading, or did not answer in time."""


class IndexUnavailable(ModelUnavailable):
    """The process that has the host's similarity index is away, still reading, or did not answer in time.

    Whoever waits for a model waits for it too: without either there is no verdict.
    """


class WatchEnded(Retry):
    """A watch of verdicts has ended; from `position` on it misses nothing."""

    def __init__(self, message: str, position: str) -> None:
        super().__init__(message)
        self.position = position


class WatcherTooSlow(WatchEnded):
    """The watcher does not read what it asks for."""


class WatchInterrupted(WatchEnded):
    """The screener stops, or has been without Redis for too long."""


class Reject(SeawallError):
    """The request is wrong; sending it again changes nothing."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One bad field: its path, what is wrong with the value (never the content), and what is allowed."""

    field: str
    problem: str
    allowed: str


class InvalidRequest(Reject):
    """Fields of the request break the contract."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__("; ".join(f"{v.field}: {v.problem} (allowed: {v.allowed})" for v in violations))
        self.violations = violations


class Unparsable(Reject):
    """The bytes are not the message that the method takes."""


class Unauthenticated(Reject):
    """No key, or a wrong one; `reason` says which in one word, for metrics and logs."""

    def __init__(self, message: str, *, reason: str = "no_key") -> None:
        super().__init__(message)
        self.reason = reason


class Forbidden(Reject):
    """The key is in force, but not for what is asked; `scope` is what it would need."""

    def __init__(self, message: str, *, key: str = "", scope: str = "") -> None:
        super().__init__(message)
        self.key = key
        self.scope = scope


class PositionLost(Reject):
    """What follows a position is not there, or not any more; from `position` on everything is."""

    def __init__(self, message: str, position: str) -> None:
        super().__init__(message)
        self.position = position


class EntryUndecodable(SeawallError):
    """A stream entry does not hold what it should."""


class ModelOutputInvalid(SeawallError):
    """The model answered with a wrong shape, NaN or infinity."""


class TaskFailed(SeawallError):
    """A service's own work ended on an error."""


class StartupFailed(SeawallError):
    """The service cannot start; the message is one line that says what to do."""
