"""Bad releases of the model in a real Triton: events wait for a good one, and nothing else befalls them."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import redis.asyncio as aioredis
from google.protobuf.json_format import Parse
from google.protobuf.text_format import MessageToString
from prometheus_client import CollectorRegistry
from tritonclient.grpc.model_config_pb2 import ModelConfig

from pipeline.breaker import BreakerState
from pipeline.errors import ModelUnavailable
from pipeline.keys import GROUP, ONLY
from screener.breaker import GuardedModel, ModelBreaker
from screener.metrics import ScreenerMetrics
from screener.tokens import Tokenizer
from screener.triton import MODEL, TritonModel
from scripts.chaos.bad_release import SOURCE, Answers, config_of, released
from scripts.system.triton import TritonServer
from tests.fixtures.events import MakeEvent
from tests.fixtures.screening import Bench, a_core

GOOD = 1
WITHIN_S = 60


@pytest.fixture(scope="module")
def triton(
    start_triton: Callable[[Path], TritonServer], tmp_path_factory: pytest.TempPathFactory
) -> TritonServer:
    """Its repository holds a model that answers at once, and well."""
    repository = tmp_path_factory.mktemp("repository")
    version = repository / MODEL / str(GOOD)
    version.mkdir(parents=True)
    shutil.copy(SOURCE, version)
    config = Parse(json.dumps(config_of(Answers.WELL, repository / "nothing")), ModelConfig())
    (repository / MODEL / "config.pbtxt").write_text(MessageToString(config))
    return start_triton(repository)


class Guarded:
    """The model behind its breaker, as `python -m screener` builds it."""

    def __init__(self, url: str, tokenizer: Tokenizer) -> None:
        self._models = [
            TritonModel.connect(url, tokenizer),
            TritonModel.connect(url, tokenizer, version_ttl_s=0.0),
        ]
        self.breaker = ModelBreaker(self._models[1], ScreenerMetrics(CollectorRegistry()), timeout_s=1)
        self.model = GuardedModel(self._models[0], self.breaker)

    async def until(self, state: BreakerState) -> None:
        async with asyncio.timeout(WITHIN_S):
            while self.breaker.state is not state:
                await self.breaker.ready()  # readiness asks twice a second
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        await self.breaker.close()
        for model in self._models:
            await model.close()


@pytest.fixture
async def guarded(triton: TritonServer, tokenizer: Tokenizer) -> AsyncIterator[Guarded]:
    found = Guarded(triton.grpc_url, tokenizer)
    yield found
    await found.close()


@pytest.mark.parametrize("answers", [Answers.NAN, Answers.WRONG_SHAPE])
async def test_events_wait_for_a_release_that_answers_well(
    triton: TritonServer, guarded: Guarded, store: aioredis.Redis, make_event: MakeEvent, answers: Answers
) -> None:
    bench = Bench(store)
    worker = bench.worker(core=a_core(guarded.model), model_ready=guarded.breaker.ready)

    async def admit(tag: str) -> set[str]:
        events = [make_event(event_id=f"{tag}-{i}", content=f"{tag}, message {i}") for i in range(20)]
        await bench.admit(*events)
        return {event.event_id for event in events}

    async with bench.running(worker):
        accepted = await admit("before")
        await bench.verdicts(20)
        async with released(triton, answers):
            accepted |= await admit("during")
            await guarded.until(BreakerState.OPEN)
            with pytest.raises(ModelUnavailable):
                await guarded.model.infer(["a direct call"], timeout_s=5)
            assert not await guarded.breaker.ready()
            assert await store.xlen(ONLY.raw) == 20
        accepted |= await admit("after")
        verdicts = await bench.verdicts(60)
        async with asyncio.timeout(WITHIN_S):
            while (await store.xpending(ONLY.raw, GROUP))["pending"]:
                await asyncio.sleep(0.02)
    assert {verdict.event_id for verdict in verdicts} == accepted
    assert len(verdicts) == len(accepted)
    assert {verdict.model_version for verdict in verdicts} == {GOOD}
    assert not any(verdict.degraded for verdict in verdicts)
    assert await store.xlen(ONLY.dead_letter) == 0
    assert await store.hlen(ONLY.attempts) == 0  # waiting is no try


async def test_a_model_that_never_answers_is_left_alone_until_it_does(
    triton: TritonServer, guarded: Guarded
) -> None:
    async with released(triton, Answers.NEVER):
        with pytest.raises(ModelUnavailable, match=r"within 0\.5 s"):
            await guarded.model.infer(["hello"], timeout_s=0.5)
        await guarded.until(BreakerState.OPEN)
        with pytest.raises(ModelUnavailable, match="asked again"):  # at once, whatever time there is
            await guarded.model.infer(["hello"], timeout_s=600)
    await guarded.until(BreakerState.CLOSED)
    assert (await guarded.model.infer(["hello"], timeout_s=5)).version == GOOD
