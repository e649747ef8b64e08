"""The direct way, put together from the settings."""

from __future__ import annotations

import grpc
import redis.asyncio as aioredis

from ingest.direct.addresses import Address, Addresses, parse_addresses
from ingest.direct.screener_stream import GiveBack, ScreenerStream, StreamLimits, TakesVerdicts
from ingest.direct.sender import Sender, SenderLimits
from ingest.metrics import IngestMetrics
from ingest.settings import IngestSettings
from pipeline.channel import open_channel
from pipeline.hand_off import WANTED
from pipeline.keys import Keys
from pipeline.move import Mover, StreamCaps
from pipeline.tls import CertificatesInForce

_RECONNECT_MS = 200
"""How soon gRPC itself dials again: the stream has a backoff of its own."""


def open_sender(
    settings: IngestSettings,
    client: aioredis.Redis,
    keys: Keys,
    metrics: IngestMetrics,
    *,
    verdicts: TakesVerdicts,
    certificates: CertificatesInForce | None,
) -> Sender:
    """A sender that calls nobody yet; in plain text where there are no certificates."""
    limits = StreamLimits(
        in_flight=settings.direct_stream_in_flight,
        batch_events=settings.direct_batch_events,
        batch_wait_s=settings.direct_batch_wait_ms / 1000,
    )
    metadata = (("api-key", settings.screener_api_key.get_secret_value()), WANTED)

    def open_stream(address: Address, give_back: GiveBack) -> ScreenerStream:
        return ScreenerStream(
            lambda: _channel(address, certificates),
            target=address.target,
            metadata=metadata,
            limits=limits,
            metrics=metrics,
            verdicts=verdicts,
            give_back=give_back,
        )

    return Sender(
        Addresses(parse_addresses(settings.screener_addresses)),
        open_stream,
        mover=Mover(client, keys, source=keys.direct, group="", caps=StreamCaps()),
        keys=keys,
        limits=SenderLimits(settings.direct_in_flight, settings.direct_timeout_ms / 1000),
        metrics=metrics,
    )


def _channel(address: Address, certificates: CertificatesInForce | None) -> grpc.aio.Channel:
    options: list[tuple[str, object]] = [
        ("grpc.initial_reconnect_backoff_ms", _RECONNECT_MS),
        ("grpc.min_reconnect_backoff_ms", _RECONNECT_MS),
        ("grpc.max_reconnect_backoff_ms", _RECONNECT_MS),
    ]
    if certificates is None:
        return open_channel(address.target, None, options=options)
    # An address is dialled, but the certificate is made out to the name.
    options.append(("grpc.ssl_target_name_override", address.host))
    return open_channel(address.target, certificates.current.to_servers(), options=options)
