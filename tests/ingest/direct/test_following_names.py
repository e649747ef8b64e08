"""A name whose addresses change: streams are opened to the new ones, and the old ones end what they have."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
import redis.asyncio as aioredis

from ingest.direct import sender
from ingest.intake import Accepted
from pipeline.hand_off import HandOff
from tests.fixtures.events import MakeEvent
from tests.fixtures.live_screener import LiveScreener
from tests.fixtures.screening import Bench
from tests.ingest.direct.direct_way import direct_way


class Names:
    """What DNS says of the one name."""

    def __init__(self, *ips: str) -> None:
        self.ips = ips

    async def getaddrinfo(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        assert host == "screeners.test"
        if not self.ips:
            raise socket.gaierror("no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in self.ips]


async def test_streams_follow_the_addresses_of_a_name(
    store: aioredis.Redis, make_event: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = LiveScreener(Bench(store))
    second = LiveScreener(Bench(store), port=first.port, host="127.0.0.2")
    await first.start()
    await second.start()
    names = Names(first.host)
    monkeypatch.setattr(sender, "RESOLVE_PERIOD_S", 0.05)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", names.getaddrinfo)
    async with direct_way(store, f"screeners.test:{first.port}") as way:
        await way.connected(1)
        names.ips = (first.host, second.host)
        await way.connected(2)
        first.bench.model.waits_s = second.bench.model.waits_s = 0.3
        events = [make_event(event_id=f"e{i}", content=f"text {i}") for i in range(40)]
        assert {type(outcome) for outcome in await way.take(*events)} == {Accepted}
        names.ips = (second.host,)
        await way.connected(1)
        await way.quiet()
        assert len(way.told) == 40  # the first one has ended what it had
        assert way.spilled("broken") == 0
        asked = len(second.bench.model.asked)
        assert await way.take(make_event()) == [Accepted("event-1", HandOff.DIRECT)]
        await way.quiet()
        assert len(second.bench.model.asked) == asked + 1
        names.ips = ()  # a name server that knows nothing takes nobody away
        await asyncio.sleep(0.2)
        await way.connected(1)
    await first.kill()
    await second.kill()
