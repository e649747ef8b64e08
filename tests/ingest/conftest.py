"""The ingestion service on a real Redis, behind the guard, on a real port."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import redis.asyncio as aioredis

from tests.ingest.door import Ingest, serving_ingest


@pytest.fixture
async def ingest(store: aioredis.Redis) -> AsyncIterator[Ingest]:
    async with serving_ingest(store) as served:
        yield served
