"""The direct way, put together from the settings."""

from __future__ import annotations

import grpc
import redis.asyncio as aioredis

from ingest.direct.addresses import Address, Addresses, parse_addresses
from ingest.direct.screener_stream import GiveBack, ScreenerStream, StreamLimits, TakesVerdicts
from ingest.direct.sender import Sender, SenderLimits
from ingest.metrics import IngestMetrics
from ingest.settings import IngestSettings
from pipeline.errors import StartupFailed
from pipeline.hand_off import WANTED
from pipeline.keys import Keys
from pipeline.move import Mover, StreamCaps
from pipeline.server import channel_options

_RECONNECT_MS = 200
"""How soon gRPC itself dials again: the stream has a backoff of its own."""


def open_sender(
    settings: IngestSettings,
    client: aioredis.Redis,
    keys: Keys,
    metrics: IngestMetrics,
    *,
    verdicts: TakesVerdicts,
) -> Sender:
    """A sender that calls nobody yet.

    Raises:
        StartupFailed: the authority's file cannot be read.
    """
    credentials = _credentials(settings)
    limits = StreamLimits(
        in_flight=settings.direct_stream_in_flight,
        batch_events=settings.direct_batch_events,
        batch_wait_s=settings.direct_batch_wait_ms / 1000,
    )
    metadata = (("api-key", settings.screener_api_key.get_secret_value()), WANTED)

    def open_stream(address: Address, give_back: GiveBack) -> ScreenerStream:
        return ScreenerStream(
            _channel(address, credentials),
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


def _credentials(settings: IngestSettings) -> grpc.ChannelCredentials | None:
    if settings.screener_ca_path is None:
        return None
    try:
        return grpc.ssl_channel_credentials(settings.screener_ca_path.read_bytes())
    except OSError as error:
        raise StartupFailed(
            f"SCREENER_CA_PATH={settings.screener_ca_path} cannot be read ({error.strerror})"
        ) from None


def _channel(address: Address, credentials: grpc.ChannelCredentials | None) -> grpc.aio.Channel:
    options = [
        *channel_options(),
        ("grpc.initial_reconnect_backoff_ms", _RECONNECT_MS),
        ("grpc.min_reconnect_backoff_ms", _RECONNECT_MS),
        ("grpc.max_reconnect_backoff_ms", _RECONNECT_MS),
    ]
    if credentials is None:
        return grpc.aio.insecure_channel(address.target, options=options)
    # An address is dialled, but the certificate is made out to the name.
    named = [*options, ("grpc.ssl_target_name_override", address.host)]
    return grpc.aio.secure_channel(address.target, credentials, options=named)
