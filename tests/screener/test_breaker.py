"""The breaker at the model: one probe tells a broken model from a text that it has no answer to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry

from pipeline.breaker import BreakerState
from pipeline.errors import ModelOutputInvalid, ModelUnavailable
from screener.breaker import PROBE, GuardedModel, ModelBreaker
from screener.metrics import ScreenerMetrics
from screener.model import ModelOutput
from tests.fixtures.model import ModelInMemory


class Model(ModelInMemory):
    """Keeps deadlines; `begun` are the texts of all calls, answered or not."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[list[str]] = []

    async def infer(self, texts: Sequence[str], *, timeout_s: float) -> ModelOutput:
        self.begun.append(list(texts))
        try:
            async with asyncio.timeout(timeout_s):
                return await super().infer(texts, timeout_s=timeout_s)
        except TimeoutError as error:
            raise ModelUnavailable("too late") from error


class Setting:
    """A model, its breaker by a clock that stands, and the same model behind it."""

    def __init__(self) -> None:
        self.model = Model()
        self.now_s = 100.0
        self.registry = CollectorRegistry()
        self.breaker = ModelBreaker(
            self.model, ScreenerMetrics(self.registry), timeout_s=5, clock=lambda: self.now_s
        )
        self.guarded = GuardedModel(self.model, self.breaker)

    async def infer(self, *texts: str, timeout_s: float = 5) -> ModelOutput:
        return await self.guarded.infer(texts, timeout_s=timeout_s)

    async def until(self, state: BreakerState) -> None:
        async with asyncio.timeout(5):
            while self.breaker.state is not state:
                await asyncio.sleep(0)

    @property
    def probes(self) -> int:
        return self.model.asked.count([PROBE])


async def test_a_model_that_answers_is_asked_without_a_probe() -> None:
    setting = Setting()
    assert len((await setting.infer("one", "two")).probabilities) == 2
    assert (await setting.guarded.current_version()).number == 1
    assert await setting.breaker.check()
    assert setting.probes == 0


async def test_a_text_without_a_valid_answer_is_its_own_fault_where_the_probe_passes() -> None:
    setting = Setting()
    setting.model.unanswerable = "odd"
    with pytest.raises(ModelOutputInvalid):
        await setting.infer("even", "odd")
    assert setting.breaker.state is BreakerState.CLOSED
    assert len((await setting.infer("even")).probabilities) == 1


async def test_a_model_without_any_valid_answer_is_away() -> None:
    setting = Setting()
    setting.model.fails_with = ModelOutputInvalid("NaN")
    with pytest.raises(ModelUnavailable):
        await setting.infer("anything")
    assert setting.breaker.state is BreakerState.OPEN
    assert setting.registry.get_sample_value("model_breaker_state") == 2
    assert not await setting.breaker.ready()
    with pytest.raises(ModelUnavailable, match="NaN"):  # readiness says why
        await setting.breaker.check()


async def test_while_it_is_open_nothing_reaches_the_model() -> None:
    setting = Setting()
    setting.model.fails_with = ModelUnavailable("away")
    with pytest.raises(ModelUnavailable):
        await setting.guarded.current_version()
    await setting.until(BreakerState.OPEN)
    setting.model.fails_with = None
    for _ in range(10):
        with pytest.raises(ModelUnavailable):
            await setting.infer("anything")
    with pytest.raises(ModelUnavailable):
        await setting.guarded.current_version()
    assert setting.model.asked == []


async def test_after_the_rest_one_probe_goes_out_and_not_the_batch() -> None:
    setting = Setting()
    setting.model.fails_with = ModelUnavailable("away")
    with pytest.raises(ModelUnavailable):
        await setting.infer("anything")
    await setting.until(BreakerState.OPEN)
    setting.model.fails_with, setting.model.waits_s = None, 0.05
    setting.now_s += 1
    assert setting.breaker.state is BreakerState.HALF_OPEN
    for _ in range(10):
        with pytest.raises(ModelUnavailable):
            await setting.infer("a", "whole", "batch")
    await setting.until(BreakerState.CLOSED)
    assert setting.model.asked == [[PROBE]]
    assert await setting.infer("a", "whole", "batch")


async def test_readiness_alone_finds_a_model_that_is_back() -> None:
    setting = Setting()
    setting.model.fails_with = ModelUnavailable("away")
    with pytest.raises(ModelUnavailable):
        await setting.infer("anything")
    await setting.until(BreakerState.OPEN)
    setting.model.fails_with = None
    setting.now_s += 1
    assert not await setting.breaker.ready()  # the probe has only begun
    await setting.until(BreakerState.CLOSED)
    assert await setting.breaker.ready()


async def test_a_probe_that_fails_lengthens_the_rest_to_a_second_at_most() -> None:
    setting = Setting()
    setting.model.fails_with = ModelUnavailable("away")
    for _ in range(10):
        assert not await setting.breaker.answers()
        setting.now_s += 1.0
        assert setting.breaker.state is BreakerState.HALF_OPEN
    assert not await setting.breaker.answers()
    setting.now_s += 0.9
    assert setting.breaker.state is BreakerState.OPEN


async def test_a_slow_text_does_not_open_it() -> None:
    setting = Setting()
    setting.model.waits_s = 0.05
    with pytest.raises(ModelUnavailable):
        await setting.infer("long", timeout_s=0.01)
    async with asyncio.timeout(5):
        while not setting.probes:
            await asyncio.sleep(0.01)
    assert setting.breaker.state is BreakerState.CLOSED


async def test_whoever_leaves_does_not_take_the_probe_along() -> None:
    setting = Setting()
    setting.model.fails_with, setting.model.waits_s = ModelOutputInvalid("NaN"), 0.02
    leaving = asyncio.create_task(setting.infer("anything"))
    async with asyncio.timeout(5):
        while [PROBE] not in setting.model.begun:
            await asyncio.sleep(0)
    leaving.cancel()
    await setting.until(BreakerState.OPEN)
    assert leaving.cancelled()
