"""`Load`: events at a steady rate, of few texts and some new ones, some of them sent twice."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from itertools import count

from pipeline.event import Event, EventType, Platform
from pipeline.hand_off import HandOff
from pipeline.tasks import end
from scripts.chaos.client import MAX_BATCH, RetryingClient
from scripts.chaos.ledger import Ledger

NEW_TEXTS = 0.03
"""The share of texts that no cache knows: the model is the slowest part."""
_SENT_AGAIN = 0.02
_REMEMBERED = 1_000
_TICK_S = 0.1
_MOST_LAG_S = 1.0
_MOST_UNANSWERED = 5_000
_PLATFORMS = tuple(platform for platform in Platform if platform)


class Load:
    """Every event has an author of its own, so that none is the duplicate of another."""

    def __init__(
        self,
        client: RetryingClient,
        ledger: Ledger,
        texts: Sequence[str],
        *,
        events_per_second: float,
        dice: random.Random,
        clock: Callable[[], float],
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Takes the texts that most events have, and the clock that tells when one was said."""
        self.hand_off = HandOff.STREAM
        self._client = client
        self._ledger = ledger
        self._texts = texts
        self._per_tick = events_per_second * _TICK_S
        self._dice = dice
        self._clock = clock
        self._clock_ms = clock_ms
        self._numbers = count(1)
        self._recent: deque[Event] = deque(maxlen=_REMEMBERED)
        self._under_way: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None

    async def run(self) -> None:
        """Sends until cancelled; a time of many unanswered events is not made up for."""
        due, owed = self._clock(), 0.0
        while True:
            if self._failure is not None:
                raise self._failure
            owed += self._per_tick
            if len(self._ledger.unanswered) < _MOST_UNANSWERED:
                self.burst(int(owed))
                self._send_some_again(int(owed))
            owed -= int(owed)
            due = max(due + _TICK_S, self._clock() - _MOST_LAG_S)
            await asyncio.sleep(max(0.0, due - self._clock()))

    def send(self, events: Sequence[Event]) -> None:
        """Sends events at once, in as many calls as it takes."""
        for event in events:
            self._ledger.sent(event.event_id, self._clock())
        for start in range(0, len(events), MAX_BATCH):
            self._begin(self._client.send(events[start : start + MAX_BATCH], self.hand_off))
        self._recent.extend(events)

    def burst(self, events: int) -> None:
        """Sends so many events at once."""
        self.send([self._event() for _ in range(events)])

    def fill_caches(self) -> None:
        """Sends each of the texts once."""
        self.send([self._event(text) for text in self._texts])

    def probe(self) -> str:
        """Sends an event with a text that is new; answers with its id."""
        event = self._event(self._new_text())
        self.send([event])
        return event.event_id

    async def stop(self) -> None:
        """Sends nothing more, and ends what is under way."""
        await end(tuple(self._under_way))

    def _send_some_again(self, events: int) -> None:
        """As a client does that lost its answers; only what is in, for that is to be told DUPLICATE."""
        chosen = [self._dice.choice(self._recent) for _ in range(events) if self._dice.random() < _SENT_AGAIN]
        if again := [event for event in chosen if self._ledger.is_in(event.event_id)]:
            self._begin(self._client.send(again, self.hand_off))

    def _begin(self, sending: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(sending)
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._failure = task.exception()

    def _event(self, text: str | None = None) -> Event:
        number = next(self._numbers)
        if text is None:
            text = self._new_text() if self._dice.random() < NEW_TEXTS else self._dice.choice(self._texts)
        return Event(
            event_id=f"chaos-{number}",
            event_type=EventType.MESSAGE_CREATED,
            platform=self._dice.choice(_PLATFORMS),
            author_id=f"author-{number}",
            content=text,
            channel_id="chaos",
            created_at_ms=self._clock_ms(),
        )

    def _new_text(self) -> str:
        return f"{self._dice.choice(self._texts)} ({self._dice.getrandbits(48)})"
