"""The index of another process, asked over a socket: the same answers as this process's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.errors import IndexUnavailable
from pipeline.tasks import end
from pipeline.verdict import Category
from screener.model import EMBEDDING_WIDTH
from screener.similarity.campaign import CampaignPolicy
from screener.similarity.comparison import LocalComparison
from screener.similarity.index import SimilarityIndex
from screener.similarity.neighbourhood import Neighbourhood, Utterance
from screener.similarity.seen import Said, Seen
from screener.similarity.shared import SharedComparison, options, serve_comparison, socket_of
from screener.similarity.versions import VersionedIndexes

POLICY = CampaignPolicy(least_events=3)
VERSION = 7


@dataclass
class Host:
    """An index in this process, and the socket that others ask it by."""

    socket: str
    indexes: VersionedIndexes = field(
        default_factory=lambda: VersionedIndexes(
            lambda: SimilarityIndex(
                max_events=1_000, segment_events=256, window_ms=POLICY.window_ms, seal_later=lambda _: None
            )
        )
    )
    caught_up: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def own(self) -> LocalComparison:
        return LocalComparison(self.indexes, POLICY)

    async def start(self) -> None:
        self._server = grpc.aio.server(options=options())
        serve_comparison(self._server, self.own, self.caught_up)
        self._server.add_insecure_port(self.socket)
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop(None)


@pytest.fixture
async def host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Host]:
    host = Host(socket_of(tmp_path_factory.mktemp("s")))
    host.caught_up.set()
    await host.start()
    yield host
    await host.stop()


@pytest.fixture
async def asked(host: Host) -> AsyncIterator[SharedComparison]:
    comparison = SharedComparison(host.socket, timeout_s=5)
    looking = asyncio.create_task(comparison.run())
    yield comparison
    await end([looking])


def vectors(*angles: float) -> NDArray[np.float32]:
    """Unit vectors in a plane: their cosines are those of the angles between them."""
    found = np.zeros((len(angles), EMBEDDING_WIDTH), np.float32)
    found[:, 0], found[:, 1] = np.cos(angles), np.sin(angles)
    return found


def seen(number: int, vector: NDArray[np.float32]) -> Seen:
    return Seen(
        event_id=f"é-{number}",
        category=Category.SPAM,
        model_version=VERSION,
        author=bytes([number]) * 16,
        text=bytes([200 + number]) * 32,
        seen_at_ms=1_000 + number,
        vector=vector,
        said=Said(informative=12, solicits=True),
    )


def utterance(author: int) -> Utterance:
    return Utterance(bytes([author]) * 16, bytes([author]) * 32, informative=12, solicits=True, at_ms=2_000)


async def test_the_host_answers_as_an_index_of_ones_own(host: Host, asked: SharedComparison) -> None:
    await host.indexes.add([seen(number, v) for number, v in enumerate(vectors(0.0, 0.05, 0.1, 1.2))])
    queries = vectors(0.02, 1.3, 3.0)
    rows, utterances = [0, 1, 0, 2], [utterance(author) for author in (9, 10, 11, 12)]
    answers = await asked.compare(queries, rows, utterances, version=VERSION)
    assert answers == await host.own.compare(queries, rows, utterances, version=VERSION)
    # Of everything that there can be in one, there is some.
    assert answers[0].similar
    assert answers[0].campaign is not None
    assert answers[0].near_duplicates
    assert answers[0].said.families
    assert answers[3] == Neighbourhood(said=Said(informative=12, solicits=True))


async def test_what_is_nearest(host: Host, asked: SharedComparison) -> None:
    await host.indexes.add([seen(number, v) for number, v in enumerate(vectors(0.0, 0.4))])
    queries = vectors(0.1, 2.0)
    answers = await asked.nearest(queries, version=VERSION, k=2, min_cosine=0.5)
    assert [[near.event_id for near in found] for found in answers] == [["é-0", "é-1"], []]
    assert answers == await host.own.nearest(queries, version=VERSION, k=2, min_cosine=0.5)


async def test_an_index_that_still_reads_is_not_there_yet(host: Host, asked: SharedComparison) -> None:
    """Answers from half an index would miss campaigns."""
    host.caught_up.clear()
    with pytest.raises(IndexUnavailable):
        await asked.compare(vectors(0.0), [0], [utterance(1)], version=VERSION)


async def test_a_host_that_comes_back_is_found_again(host: Host, asked: SharedComparison) -> None:
    async with asyncio.timeout(10):
        await asked.caught_up.wait()
        await host.stop()
        while asked.caught_up.is_set():
            await asyncio.sleep(0.02)
    with pytest.raises(IndexUnavailable):
        await asked.nearest(vectors(0.0), version=VERSION, k=1, min_cosine=0.5)
    await host.start()
    async with asyncio.timeout(10):
        await asked.caught_up.wait()
    assert await asked.nearest(vectors(0.0), version=VERSION, k=1, min_cosine=0.5) == [[]]


def test_the_socket_lies_in_the_services_own_folder() -> None:
    assert socket_of(Path("/run/seawall-x")) == "unix:/run/seawall-x/index.grpc"
