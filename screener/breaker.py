"""`ModelBreaker`: whether the model is asked at all. `GuardedModel`: a model behind it.

closed ──── a call failed, and so did the probe ────▶ open ──── its rest is over ────▶ half-open: one probe
closed ◀─── the probe passed ─── half-open ─── the probe failed ───▶ open, for longer, a second at most
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from pipeline.breaker import Breaker, BreakerLimits, BreakerState
from pipeline.errors import ModelOutputInvalid, ModelUnavailable, SeawallError
from pipeline.tasks import end
from screener.metrics import ScreenerMetrics
from screener.model import ModelOutput, ModelVersion, RiskModel

PROBE = "Is anybody there?"
MOST_PROBE_S = 10.0
"""A probe waits behind whatever Triton has in hand, which is no reason to call it broken."""

_LIMITS = BreakerLimits(failures=1, first_rest_s=0.1, most_rest_s=1.0)
_log = structlog.get_logger(__name__)


class ProbedModel(RiskModel, Protocol):
    """The model as the breaker sees it: it looks anew at each call which version is the newest."""

    async def ready(self) -> bool:
        """Whether some version says that it is ready; never raises."""
        ...


class ModelBreaker:
    """A failed call opens nothing by itself: a probe that is not answered does, with a harmless text.

    So a text that the model has no valid answer to is told from a model that has none to anything. While it
    is not closed every call fails at once, and after each rest one probe goes out, whoever asks: calls or
    readiness.
    """

    def __init__(
        self,
        model: ProbedModel,
        metrics: ScreenerMetrics,
        *,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Takes a model for the probes alone, for in another's queue they would wait behind what hangs.

        Args:
            model: what is probed.
            metrics: shows the state.
            timeout_s: most time of a probe.
            clock: seconds, monotonic.
        """
        self._model = model
        self._timeout_s = timeout_s
        self._clock = clock
        self._breaker = Breaker(_LIMITS)
        self._why = ""
        self._probing: asyncio.Task[bool] | None = None
        metrics.model_breaker.set_function(lambda: self.state)

    @property
    def state(self) -> BreakerState:
        """What holds now."""
        return self._breaker.state(self._clock())

    def require_closed(self) -> None:
        """Returns where calls may go out; where the rest is over, a probe begins.

        Raises:
            ModelUnavailable: they may not.
        """
        state = self.state
        if state is BreakerState.CLOSED:
            return
        if state is BreakerState.HALF_OPEN:
            self.suspect()
        raise ModelUnavailable("the model gives no valid answer now; it is asked again within a second")

    def suspect(self) -> None:
        """A call has failed: a probe is to tell whether the model has; returns at once."""
        if self._probing is None and self.state is not BreakerState.OPEN:
            self._probing = asyncio.create_task(self._probe())

    async def answers(self) -> bool:
        """Whether the model has a valid answer to a harmless text now."""
        self.suspect()
        return self._probing is not None and await asyncio.shield(self._probing)

    async def ready(self) -> bool:
        """Whether calls may go out and some version says that it is ready; never raises."""
        if self.state is BreakerState.HALF_OPEN:
            self.suspect()
        return self.state is BreakerState.CLOSED and await self._model.ready()

    async def check(self) -> bool:
        """For readiness: as `ready`.

        Raises:
            ModelUnavailable: calls may not go out; the message says what the last probe met.
        """
        ready = await self.ready()
        if self.state is not BreakerState.CLOSED:
            raise ModelUnavailable(f"the breaker is open: {self._why}")
        return ready

    async def close(self) -> None:
        """Ends the probe that is under way; the model is its owner's to close."""
        if self._probing is not None:
            await end((self._probing,))

    async def _probe(self) -> bool:
        try:
            await self._model.infer([PROBE], timeout_s=self._timeout_s)
        except Exception as error:  # noqa: BLE001  # whatever it is, the model has not answered
            self._failed(str(error) if isinstance(error, SeawallError) else type(error).__name__)
            return False
        else:
            self._passed()
            return True
        finally:
            self._probing = None

    def _failed(self, why: str) -> None:
        was_closed = self.state is BreakerState.CLOSED
        self._why = why
        self._breaker.failed(self._clock())
        if was_closed:
            _log.warning("model_breaker_opened", reason=why)

    def _passed(self) -> None:
        was_closed = self.state is BreakerState.CLOSED
        self._breaker.succeeded()
        if not was_closed:
            _log.info("model_breaker_closed")


class GuardedModel:
    """A RiskModel; raises ModelOutputInvalid only where the model is sound: then it is the texts."""

    def __init__(self, model: RiskModel, breaker: ModelBreaker) -> None:
        self._model = model
        self._breaker = breaker

    async def infer(self, texts: Sequence[str], *, timeout_s: float) -> ModelOutput:
        """Scores the texts by one version.

        Raises:
            ModelUnavailable: the model is away, or has no valid answer to any text.
            ModelOutputInvalid: it has none to one of these.
        """
        self._breaker.require_closed()
        try:
            return await self._model.infer(texts, timeout_s=timeout_s)
        except ModelUnavailable:
            self._breaker.suspect()
            raise
        except ModelOutputInvalid as error:
            if await self._breaker.answers():
                raise
            raise ModelUnavailable("the model gives no valid answer now") from error

    async def current_version(self) -> ModelVersion:
        """The version that `infer` would use now; raises ModelUnavailable."""
        self._breaker.require_closed()
        try:
            return await self._model.current_version()
        except ModelUnavailable:
            self._breaker.suspect()
            raise
