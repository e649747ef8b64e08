"""Nothing private gets out: events with a mark in every field, on every way, and no mark in any output.

What may be told where is in SECURITY.md: contents, users, channels and attributes nowhere but in Redis's own
entries; ids of events, which senders choose, in answers and dead-letter listings as well, never in logs,
metrics, errors or audit records.
"""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import grpc
import orjson
import pytest
from seawall.ingest.v1 import ingest_pb2
from seawall.screening.v1 import screening_pb2

from pipeline.event import Event, EventMetadata, Platform
from pipeline.keys import ONLY
from pipeline.server import channel_options
from scripts.cli import execute
from scripts.system.system import System
from tests.fixtures.events import MakeEvent
from tests.fixtures.redis_state import event_ids_in
from tests.fixtures.system import Clients, connected
from tests.scripts.test_forget import forget

PRIVATE = {
    "content": "qzcontentqz",
    "author": "qzauthorqz",
    "user": "qzuserqz",
    "channel": "qzchannelqz",
    "attribute": "qzattributeqz",
    "value": "qzvalueqz",
}
EVENT_ID = "qzeventidqz"
AUTHOR = f"{PRIVATE['author']}-1"
SETTINGS = {"LOG_LEVEL": "DEBUG", "CLAIM_IDLE_MS": "500"}


@pytest.fixture(scope="module")
def marked_system() -> Iterator[System]:
    with System(screeners=2, settings=SETTINGS) as running:
        yield running


@dataclass
class Outputs:
    """Everything that came out, by where."""

    texts: dict[str, str] = field(default_factory=dict)

    def add(self, where: str, text: str) -> None:
        self.texts[where] = self.texts.get(where, "") + text

    def with_any_of(self, marks: list[str]) -> list[tuple[str, str]]:
        """Where a mark stands in the open, and which."""
        return [
            (where, mark) for where, text in self.texts.items() for mark in marks if mark in text.casefold()
        ]


def marked(make_event: MakeEvent, number: int, **changes: object) -> Event:
    """A valid event with a mark in every field, and a content of its own."""
    event: Event = make_event(
        event_id=f"{EVENT_ID}-{number}",
        content=f"{PRIVATE['content']} says number {number}",
        author_id=AUTHOR,
        user_id=PRIVATE["user"],
        channel_id=PRIVATE["channel"],
        metadata=EventMetadata(attributes={PRIVATE["attribute"]: PRIVATE["value"]}),
    )
    return replace(event, **changes)  # type: ignore[arg-type]


async def refused(call: object, where: str, outputs: Outputs) -> None:
    """The call fails; all that its error says goes to the outputs."""
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await call  # type: ignore[misc]
    error = failed.value
    trailing = [value for _, value in error.trailing_metadata() or ()]
    outputs.add(where, f"{error.details()} {error.debug_error_string()} {trailing!r}")


async def bad_requests(clients: Clients, system: System, make_event: MakeEvent, outputs: Outputs) -> None:
    """Whatever ingest and screener refuse, with marks in what is refused."""
    first = marked(make_event, 1)
    mark = " ".join(PRIVATE.values())
    bad = [
        replace(first, content=mark * 1_000),
        replace(first, content=f"{mark}\0"),
        replace(first, event_id=f"{EVENT_ID} {mark}"),
        replace(first, author_id=f"{AUTHOR} with a space"),
        replace(first, user_id=PRIVATE["user"] * 30),
        replace(first, channel_id=f"{PRIVATE['channel']}\n"),
        replace(first, metadata=EventMetadata(attributes={PRIVATE["attribute"] * 10: PRIVATE["value"] * 99})),
        replace(first, platform=99, event_type=99),
        replace(first, content=f"{first.content} but other"),  # the id is known with another content
    ]
    for event in bad:
        request = ingest_pb2.IngestRequest(event=event.to_proto())
        await refused(clients.ingest.Ingest(request, metadata=clients.metadata, timeout=30), "error", outputs)
    for event in bad[:-1]:
        screen = screening_pb2.ScreenRequest(event=event.to_proto())
        await refused(
            clients.screening.Screen(screen, metadata=clients.metadata, timeout=30), "error", outputs
        )
    outcomes = await clients.send(*bad)
    violations = [repr(outcome.violations) for outcome in outcomes]
    assert all(outcome.code == ingest_pb2.OUTCOME_CODE_REJECTED for outcome in outcomes)
    outputs.add("violations", " ".join(violations))
    find = screening_pb2.FindSimilarRequest(content=f"{mark}\0")
    await refused(
        clients.screening.FindSimilar(find, metadata=clients.metadata, timeout=30), "error", outputs
    )
    status = ingest_pb2.GetEventStatusRequest(event_id=f"{EVENT_ID} {mark}")
    await refused(
        clients.ingest.GetEventStatus(status, metadata=clients.metadata, timeout=30), "error", outputs
    )
    watch = clients.screening.WatchVerdicts(
        screening_pb2.WatchVerdictsRequest(position=mark), metadata=clients.metadata, timeout=30
    )
    await refused(watch.read(), "error", outputs)
    async with grpc.aio.insecure_channel(system.ingest_address, options=channel_options()) as channel:
        raw: Any = channel.unary_unary("/seawall.ingest.v1.IngestService/Ingest")
        torn = first.to_proto().SerializeToString()[:-3] + b"\xff\xff" + mark.encode()
        await refused(raw(torn, metadata=clients.metadata, timeout=30), "error", outputs)
        key = (("api-key", f"{mark}-0123456789".replace(" ", "-")),)
        await refused(raw(b"", metadata=key, timeout=30), "error", outputs)


async def dead_letters(clients: Clients) -> None:
    """An entry that does not decode, under a marked id."""
    broken = {"event_id": f"{EVENT_ID}-dead", "event": b"\xff" + " ".join(PRIVATE.values()).encode()}
    await clients.store.xadd(ONLY.raw, broken)  # type: ignore[arg-type]
    async with asyncio.timeout(60):
        while await event_ids_in(clients.store, ONLY.dead_letter) != [f"{EVENT_ID}-dead"]:
            await asyncio.sleep(0.1)


def metrics_of(system: System, url: str) -> str:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", "/metrics", headers={"api-key": system.api_key})
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def logs_of(system: System) -> dict[str, str]:
    return {path.name: path.read_text(errors="replace") for path in system.folder.glob("*.log")}


async def test_no_mark_in_any_output(
    marked_system: System,
    make_event: MakeEvent,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    system, outputs = marked_system, Outputs()
    monkeypatch.setenv("REDIS_URL", system.redis_url)

    def seawall(*arguments: str) -> str:
        capsys.readouterr()
        assert execute(arguments) == 0
        said = capsys.readouterr()
        return said.out + said.err

    async with connected(system) as clients:
        # Accepted, on both ways, and its duplicates.
        events = [marked(make_event, number) for number in range(1, 41)]
        await clients.send(*events)
        await clients.send(*events[:5])
        for event in (marked(make_event, 41), marked(make_event, 41, event_id=f"{EVENT_ID}-again")):
            await clients.ingest.Ingest(
                ingest_pb2.IngestRequest(
                    event=event.to_proto(),
                    hand_off=ingest_pb2.HAND_OFF_DIRECT,
                    wait_for_verdict=True,
                ),
                metadata=clients.metadata,
                timeout=60,
            )
        await clients.verdict(events[0].event_id)
        await bad_requests(clients, system, make_event, outputs)
        await dead_letters(clients)

        # A screener is killed at work, and comes back.
        await clients.send(*(marked(make_event, number) for number in range(100, 160)))
        system.screener.process.kill()
        system.screener.start()
        await asyncio.to_thread(system.screener.wait_ready)
        await clients.until_drained()
        published = {verdict.event_id for verdict in await clients.published()}
        assert published >= {f"{EVENT_ID}-{number}" for number in (*range(1, 42), *range(100, 160))}

        listing = await asyncio.to_thread(seawall, "dead-letters", "list", "--json")
        shown = await asyncio.to_thread(seawall, "dead-letters", "show")
        outputs.add("dead letters", listing + shown)
        await asyncio.to_thread(seawall, "dead-letters", "drop", "--yes")

        # An admin forgets the author, by the command; who has no such key is refused.
        arguments = ("--author", AUTHOR, "--yes", "--json")
        status, out, err = await forget(system.screener_address, *arguments, key=system.api_key)
        assert (status, "PERMISSION_DENIED" in err) == (1, True)
        outputs.add("forget", out + err)
        status, out, err = await forget(system.screener_address, *arguments, key=system.admin_key)
        assert status == 0, err
        outputs.add("forget", out + err)
        removed = orjson.loads(out)["removed"]
        assert removed[ONLY.low_risk] + removed[ONLY.reasoning_queue] == len(published)
        assert not [v for v in await clients.published() if v.author_id == AUTHOR]
        for address in (screener.address for screener in system.screeners):
            await until_unknown(clients, address, events[0].content)
        outputs.add("audit", await asyncio.to_thread(seawall, "audit", "show", "--json"))

    for number, service in enumerate((system.ingest, *system.screeners)):
        outputs.add(f"metrics {number}", metrics_of(system, service.http_url))
    for name, text in logs_of(system).items():
        outputs.add(name, text)

    assert outputs.with_any_of(list(PRIVATE.values())) == []
    # Ids of events: in the listing, which an operator needs them for, and nowhere else.
    assert outputs.with_any_of([EVENT_ID]) == [("dead letters", EVENT_ID)]
    # That there was something to be searched, and that a mark would be found in it.
    assert '"dead_lettered"' in outputs.texts["screener-1.log"] + outputs.texts["screener-2.log"]
    assert "dead_letters.drop" in outputs.texts["audit"]
    assert '"forget"' in outputs.texts["audit"]
    assert "INVALID_ARGUMENT" in outputs.texts["metrics 0"]


async def until_unknown(clients: Clients, address: str, content: str) -> None:
    """Returns once a screener's index knows no text like this."""
    async with grpc.aio.insecure_channel(address, options=channel_options()) as channel:
        find = channel.unary_unary(
            "/seawall.screening.v1.ScreeningService/FindSimilar",
            request_serializer=screening_pb2.FindSimilarRequest.SerializeToString,
            response_deserializer=screening_pb2.FindSimilarResponse.FromString,
        )
        request = screening_pb2.FindSimilarRequest(content=content, min_cosine=0.99)
        async with asyncio.timeout(60):
            while (await find(request, metadata=clients.metadata, timeout=30)).similar_events:
                await asyncio.sleep(0.1)


async def test_content_is_shown_on_demand(
    marked_system: System,
    make_event: MakeEvent,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The flag, and only the flag: that the search above would find what it looks for."""
    monkeypatch.setenv("REDIS_URL", marked_system.redis_url)
    event = marked(make_event, 1, platform=Platform.SLACK)
    letter = {"event_id": event.event_id, "reason": "max_deliveries", "event": event.encode()}
    async with connected(marked_system) as clients:
        await clients.store.xadd(ONLY.dead_letter, letter)  # type: ignore[arg-type]
    for flags, there in (((), False), (("--content",), True)):
        assert await asyncio.to_thread(execute, ("dead-letters", "show", *flags)) == 0
        said = capsys.readouterr().out
        assert [mark in said for mark in PRIVATE.values()] == [there] * len(PRIVATE)
