"""Screeners in this process, each behind a port of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import redis.asyncio as aioredis

from tests.fixtures.live_screener import LiveScreener
from tests.fixtures.screening import Bench


@pytest.fixture
async def screener(store: aioredis.Redis) -> AsyncIterator[LiveScreener]:
    async with LiveScreener(Bench(store)) as screener:
        yield screener


@pytest.fixture
async def other(store: aioredis.Redis) -> AsyncIterator[LiveScreener]:
    """A second one."""
    async with LiveScreener(Bench(store)) as screener:
        yield screener
