"""`Checks`: of the messages of events, which are valid, and what of each goes to Redis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from seawall.events.v1 import events_pb2
from seawall.ingest.v1 import ingest_pb2

from ingest.plain_batch import plain_candidates, plain_singles
from ingest.reception import Reception
from pipeline.admission import Candidate
from pipeline.errors import Violation
from pipeline.fingerprint import Digests
from pipeline.hand_off import HandOff

_COLUMNS_FROM = 6
"""Events; fewer are looked at sooner one by one than as columns, of which each costs something by itself."""


class Checked(NamedTuple):
    """What was found.

    Attributes:
        candidates: of the valid events, in their order.
        wrong: the violations of each other event, by its place among all.
    """

    candidates: list[Candidate]
    wrong: dict[int, tuple[Violation, ...]]


class Checks:
    """At once where all are plain, else one by one."""

    def __init__(self, digests: Digests) -> None:
        self._digests = digests
        self._reception = Reception(digests)

    def batch(self, request: ingest_pb2.IngestBatchRequest, way: HandOff, now_ms: int) -> Checked:
        """Of the events of a request, all of which go one way."""
        plain = plain_candidates(request, way, now_ms, self._digests)
        if plain is not None:
            return Checked(plain, {})
        return self._each(request.events, (way,) * len(request.events), now_ms)

    def singles(self, messages: Sequence[events_pb2.Event], ways: Sequence[HandOff], now_ms: int) -> Checked:
        """Of events that came one by one, each with its way."""
        if len(messages) >= _COLUMNS_FROM:
            plain = plain_singles(messages, ways, now_ms, self._digests)
            if plain is not None:
                return Checked(plain, {})
        return self._each(messages, ways, now_ms)

    def _each(self, messages: Sequence[events_pb2.Event], ways: Sequence[HandOff], now_ms: int) -> Checked:
        checked = Checked([], {})
        for place, (message, way) in enumerate(zip(messages, ways, strict=True)):
            found = self._reception.candidate(message, way, now_ms)
            if isinstance(found, Candidate):
                checked.candidates.append(found)
            else:
                checked.wrong[place] = found
        return checked
