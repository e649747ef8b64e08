"""Triton's gRPC client, which follows changed certificates."""

from __future__ import annotations

from tritonclient.grpc.aio import InferenceServerClient

from pipeline.tls import Certificates, CertificatesInForce

_CHANNEL = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # gRPC's own back-off grows to two minutes: a restarted Triton must be found at once.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
]


class TritonClient:
    """The client of now: another one once the certificates have changed, for a channel keeps its first.

    The one before is closed at the change after that, or at the end: its calls have ended by then.
    """

    def __init__(self, url: str, certificates: CertificatesInForce | None) -> None:
        """Takes host:port, and the certificates, None for plain text; does not wait."""
        self._url = url
        self._certificates = certificates
        self._opened_with = certificates.current if certificates else None
        self._client = self._open(self._opened_with)
        self._before: InferenceServerClient | None = None

    async def now(self) -> InferenceServerClient:
        """The client to call."""
        if self._certificates is not None and self._certificates.current is not self._opened_with:
            self._opened_with = self._certificates.current
            retired, self._before = self._before, self._client
            self._client = self._open(self._opened_with)
            if retired is not None:
                await retired.close()
        return self._client

    async def close(self) -> None:
        """Closes the connections; calls on the way fail."""
        for client in (self._before, self._client):
            if client is not None:
                await client.close()

    def _open(self, certificates: Certificates | None) -> InferenceServerClient:
        creds = certificates.to_servers() if certificates else None
        return InferenceServerClient(self._url, creds=creds, channel_args=_CHANNEL)
