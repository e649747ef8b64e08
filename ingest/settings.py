"""What the ingestion service is told, from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from ingest.direct.addresses import parse_addresses
from pipeline.errors import StartupFailed
from pipeline.hand_off import HandOff, HandOffChoice
from pipeline.settings import Port, ServiceSettings
from pipeline.tls import CertificateFiles


class IngestSettings(ServiceSettings):
    """Settings of `ingest`; those of `ServiceSettings` beside."""

    ingest_grpc_port: Port = Field(default=50051, description="gRPC port of ingest")
    ingest_http_port: Port = Field(default=8001, description="HTTP port of ingest: /health, /ready, /metrics")
    ingest_workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Processes that share the ports; bounds and quotas hold for each by itself",
    )
    max_queue_depth: int = Field(
        default=100_000,
        ge=10,
        le=100_000_000,
        description="Most events in `events:raw`; refused past 80 %",
    )
    max_reasoning_unread: int = Field(
        default=100_000,
        ge=1,
        le=100_000_000,
        description="Verdicts in `events:reasoning_queue` while it has a group; events are refused past that",
    )
    dedup_window_seconds: int = Field(
        default=3_600,
        ge=1,
        le=2_592_000,
        description="How long the same text by the same author is a duplicate",
    )
    ingest_max_waiting: int = Field(
        default=10_000,
        ge=1,
        le=1_000_000,
        description="Events that wait for Redis at once, in single calls or in batches",
    )
    ingest_stream_in_flight: int = Field(
        default=1_000,
        ge=1,
        le=100_000,
        description="Events of one stream under way before it is read no further",
    )

    ingest_max_verdict_waits: int = Field(
        default=10_000,
        ge=1,
        le=1_000_000,
        description="Events whose callers wait for the verdict at once",
    )

    handoff: Literal["stream", "direct"] = Field(
        default="stream",
        description="The way to the screeners: through `events:raw`, or straight over streams",
    )
    handoff_allowed: str = Field(
        default="stream", description="Ways that a request may ask for beside `HANDOFF`, by commas"
    )
    screener_addresses: str = Field(
        default="127.0.0.1:50052",
        description="Screeners, host:port by commas; a name stands for all its addresses",
    )
    screener_api_key: SecretStr = Field(
        default=SecretStr(""),
        description="The key of ingest at the screeners: one of their `HANDOFF_API_KEYS`",
    )
    screener_ca_path: Path | None = Field(
        default=None,
        description="Authority of the screeners' certificates, PEM; without it they are called in plain text",
    )
    screener_cert_path: Path | None = Field(
        default=None, description="Our certificate at the screeners, PEM; where they ask for one"
    )
    screener_key_path: Path | None = Field(default=None, description="Its key, PEM")
    direct_max_entries: int = Field(
        default=10_000,
        ge=1,
        le=100_000_000,
        description="Most events in `events:direct`; past it events go through `events:raw`",
    )
    direct_in_flight: int = Field(
        default=2_000, ge=1, le=100_000, description="Events on the direct way at once, of one ingest"
    )
    direct_stream_in_flight: int = Field(
        default=500, ge=1, le=100_000, description="Of these, events on the way to one screener"
    )
    direct_batch_events: int = Field(
        default=50, ge=1, le=500, description="Most events of one message to a screener"
    )
    direct_batch_wait_ms: int = Field(
        default=2,
        ge=0,
        le=1_000,
        description="How long an event waits for others while some are under way",
    )
    direct_timeout_ms: int = Field(
        default=5_000,
        ge=10,
        le=600_000,
        description="Age from which ingest moves an event to `events:raw` itself; below `DIRECT_LEASE_MS`",
    )

    @field_validator("handoff_allowed")
    @classmethod
    def _are_ways(cls, text: str) -> str:
        _ways(text)
        return text

    @field_validator("screener_addresses")
    @classmethod
    def _are_addresses(cls, text: str) -> str:
        parse_addresses(text)
        return text

    @property
    def screener_certificates(self) -> CertificateFiles:
        """Of the streams to the screeners."""
        return CertificateFiles(
            "SCREENER", self.screener_cert_path, self.screener_key_path, self.screener_ca_path
        )

    @property
    def ways(self) -> HandOffChoice:
        """What a request may choose from."""
        return HandOffChoice(HandOff[self.handoff.upper()], _ways(self.handoff_allowed))

    @property
    def may_go_directly(self) -> bool:
        """Whether any event may go the direct way.

        Raises:
            StartupFailed: it may, but the settings that this needs do not fit.
        """
        if HandOff.DIRECT not in {self.ways.default, *self.ways.allowed}:
            return False
        if not self.screener_api_key.get_secret_value():
            raise StartupFailed("SCREENER_API_KEY is empty; allowed: one of the screeners' HANDOFF_API_KEYS")
        if self.direct_timeout_ms >= self.direct_lease_ms:
            raise StartupFailed(
                f"DIRECT_TIMEOUT_MS={self.direct_timeout_ms}: allowed: below DIRECT_LEASE_MS, "
                f"which is {self.direct_lease_ms}"
            )
        return True

    @property
    def depth_limit(self) -> int:
        """The depth of `events:raw` from which events are refused: 80 % of the most."""
        return self.max_queue_depth * 8 // 10


def _ways(text: str) -> frozenset[HandOff]:
    labels = [label.strip() for label in text.split(",") if label.strip()]
    if not all(label in {way.label for way in HandOff} for label in labels):
        raise ValueError("stream, direct, both by a comma, or nothing")
    return frozenset(HandOff[label.upper()] for label in labels)
