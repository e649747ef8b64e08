"""What the ingestion service is told, from the environment."""

from __future__ import annotations

from pydantic import Field

from pipeline.settings import Port, ServiceSettings


class IngestSettings(ServiceSettings):
    """Settings of `ingest`; those of `ServiceSettings` beside."""

    ingest_grpc_port: Port = Field(default=50051, description="gRPC port of ingest")
    ingest_http_port: Port = Field(default=8001, description="HTTP port of ingest: /health, /ready, /metrics")
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
        description="Verdicts that the groups of `events:reasoning_queue` have not read; refused past that",
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

    @property
    def depth_limit(self) -> int:
        """The depth of `events:raw` from which events are refused: 80 % of the most."""
        return self.max_queue_depth * 8 // 10
