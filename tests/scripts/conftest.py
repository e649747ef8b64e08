from __future__ import annotations

import asyncio

import pytest

from pipeline.event import Event, EventMetadata
from scripts.cli import execute
from scripts.system.redis import RedisServer
from tests.fixtures.events import MakeEvent
from tests.scripts.typed import SAID, WHO, Seawall, Told


@pytest.fixture
def seawall(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Seawall:
    """Runs `seawall dead-letters ...` or another command."""
    monkeypatch.setenv("REDIS_URL", redis_server.url)

    async def run(*arguments: str, command: str = "dead-letters") -> Told:
        status = await asyncio.to_thread(execute, [command, *arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.fixture
def marked(make_event: MakeEvent) -> Event:
    """An event whose every field that tells of people can be found again."""
    return make_event(
        content=SAID,
        author_id=WHO,
        user_id=f"user-{WHO}",
        channel_id=f"channel-{WHO}",
        metadata=EventMetadata(author_reputation=0.5, attributes={SAID: WHO}),
    )
