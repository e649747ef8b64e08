"""gRPC channels to our own services, in plain text or over TLS."""

from __future__ import annotations

from collections.abc import Sequence

import grpc

from pipeline.server import channel_options


def open_channel(
    target: str, credentials: grpc.ChannelCredentials | None, *, options: Sequence[tuple[str, object]] = ()
) -> grpc.aio.Channel:
    """A channel with the project's options and `options`; in plain text where there are no credentials."""
    everything = [*channel_options(), *options]
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=everything)
    return grpc.aio.secure_channel(target, credentials, options=everything)
