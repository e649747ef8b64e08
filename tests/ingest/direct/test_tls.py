"""Streams to screeners behind TLS."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis.asyncio as aioredis

from ingest.intake import Accepted
from pipeline.errors import StartupFailed
from pipeline.hand_off import HandOff
from tests.fixtures.events import MakeEvent
from tests.fixtures.live_screener import Certificate, LiveScreener
from tests.fixtures.screening import Bench
from tests.ingest.direct.direct_way import direct_way


async def test_a_screener_is_known_by_its_name_though_its_address_is_dialled(
    store: aioredis.Redis, tmp_path: Path, make_event: MakeEvent
) -> None:
    certificate = Certificate.made_out_to("localhost", tmp_path)
    screener = LiveScreener(Bench(store), certificate=certificate)
    await screener.start()
    async with direct_way(store, f"localhost:{screener.port}", ca_path=certificate.certificate) as way:
        await way.connected()
        assert await way.take(make_event()) == [Accepted("event-1", HandOff.DIRECT)]
        await way.quiet()
        assert [verdict.event_id for verdict in way.told] == ["event-1"]
    await screener.kill()


async def test_a_screener_of_another_name_gets_nothing(
    store: aioredis.Redis, tmp_path: Path, make_event: MakeEvent
) -> None:
    certificate = Certificate.made_out_to("somebody-else", tmp_path)
    screener = LiveScreener(Bench(store), certificate=certificate)
    await screener.start()
    async with direct_way(store, f"localhost:{screener.port}", ca_path=certificate.certificate) as way:
        assert await way.take(make_event()) == [Accepted("event-1", HandOff.STREAM)]
        assert way.metric("hand_off_streams") == 0
    await screener.kill()


async def test_an_authority_that_cannot_be_read_is_told_at_the_start(store: aioredis.Redis) -> None:
    with pytest.raises(StartupFailed, match="SCREENER_CA_PATH=/nowhere cannot be read"):
        async with direct_way(store, "localhost:1", ca_path=Path("/nowhere")):
            pass
