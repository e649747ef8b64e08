"""The screener's connections to Triton: one for each way of an event, and one that probes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from pipeline.errors import StartupFailed
from pipeline.tls import CertificatesInForce
from screener.breaker import MOST_PROBE_S, GuardedModel, ModelBreaker
from screener.metrics import ScreenerMetrics
from screener.model import Device
from screener.settings import ScreenerSettings
from screener.tokens import Tokenizer, TokenizerUnreadable
from screener.triton import TritonModel


@dataclass(frozen=True, slots=True)
class ModelConnections:
    """All of one screener.

    Each way has a place in Triton's queue of its own, and `events:raw` sends small requests: a direct call
    waits for two of them at most, never behind the batches of a backlog.
    """

    queue: TritonModel
    direct: TritonModel
    probed: TritonModel
    breaker: ModelBreaker
    """Of both ways: what one learns of Triton's health holds for the other."""

    @classmethod
    def open(
        cls, settings: ScreenerSettings, metrics: ScreenerMetrics, certificates: CertificatesInForce | None
    ) -> Self:
        """Connects with the first request.

        Raises:
            StartupFailed: there is no tokenizer.
        """
        connect = partial(
            TritonModel.connect,
            settings.triton_grpc_url,
            tokenizer(settings.tokenizer_path),
            max_tokens=settings.model_request_tokens,
            device=Device(settings.device),
            certificates=certificates,
        )
        in_flight = settings.model_requests_in_flight
        probed = connect(version_ttl_s=0.0)
        timeout_s = min(settings.model_timeout_ms / 1000, MOST_PROBE_S)
        return cls(
            queue=connect(max_concurrent=in_flight),
            direct=connect(max_concurrent=(in_flight + 1) // 2),
            probed=probed,
            breaker=ModelBreaker(probed, metrics, timeout_s=timeout_s),
        )

    def guarded(self) -> tuple[GuardedModel, GuardedModel]:
        """The queue's and the direct way's, behind the breaker."""
        return GuardedModel(self.queue, self.breaker), GuardedModel(self.direct, self.breaker)

    async def close(self) -> None:
        """Ends the probing and closes all."""
        await self.breaker.close()
        for model in (self.queue, self.direct, self.probed):
            await model.close()


def tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of the model.

    Raises:
        StartupFailed: there is none.
    """
    try:
        return Tokenizer.from_file(path)
    except TokenizerUnreadable as error:
        raise StartupFailed(str(error)) from error
