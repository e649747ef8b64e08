"""What comes from outside: entries that nobody can read, and more events than can be screened."""

from __future__ import annotations

import time

from pipeline.event import Platform
from pipeline.hand_off import HandOff
from pipeline.keys import ONLY
from scripts.chaos.stage import Stage

_NO_EVENT = b"\xff\xff\xff\xff"  # a tag that no protobuf message begins with
_ENTRIES = 2
BURST = 3_000
"""Events at once: more than the queue takes with the settings of chaos."""


async def poison(stage: Stage) -> None:
    """Entries that cannot be decoded stand among the others; each is to end as a dead letter."""
    await stage.ask_redis(lambda store: store.ping())  # so that what follows is sent once
    stream = ONLY.raw if stage.load.hand_off is HandOff.STREAM else ONLY.direct
    for number in range(_ENTRIES):
        event_id = f"poison-{stage.dice.getrandbits(48)}-{number}"
        fields = {"event_id": event_id, "platform": Platform.DISCORD.label, "event": _NO_EVENT}
        stage.ledger.poisoned(event_id, time.monotonic())
        await stage.store.xadd(stream, fields)  # type: ignore[arg-type]  # its type wants one type of values


async def overload(stage: Stage) -> None:
    """A burst: ingest refuses what the queue does not hold, and the clients come again."""
    stage.load.burst(BURST)
