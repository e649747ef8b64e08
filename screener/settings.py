"""What the screening service is told, from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from pipeline.settings import Port, ServiceSettings


class ScreenerSettings(ServiceSettings):
    """Settings of `screener`; those of `ServiceSettings` beside."""

    screener_grpc_port: Port = Field(default=50052, description="gRPC port of screener")
    screener_http_port: Port = Field(default=8002, description="HTTP port: /health, /ready, /metrics")

    triton_grpc_url: str = Field(default="127.0.0.1:8101", description="Triton's gRPC address, host:port")
    tokenizer_path: Path = Field(
        default=Path("model_repository/e5_risk/tokenizer.json"), description="The tokenizer of the model"
    )
    model_timeout_ms: int = Field(
        default=30_000, ge=10, le=600_000, description="Most time that Triton gets for one batch"
    )
    model_down: Literal["hold", "degrade"] = Field(
        default="hold", description="Without a model, events wait, or rules alone decide"
    )

    screening_threshold: float = Field(
        default=0.7, ge=0.0, le=1.0, description="Risk above which a verdict goes to `events:reasoning_queue`"
    )
    heuristic_weight: float = Field(
        default=0.6, ge=0.0, le=1.0, description="Weight of the rules in the risk"
    )
    model_weight: float = Field(default=0.4, ge=0.0, le=1.0, description="Weight of the model in the risk")
    custom_rules_path: Path | None = Field(
        default=None, description="The deployment's own phrases and exceptions; read again when it changes"
    )

    batch_size: int = Field(
        default=100, ge=1, le=100, description="Most events of one read and one inference"
    )
    batches_in_flight: int = Field(
        default=2, ge=1, le=16, description="Batches that one process works on at once"
    )
    claim_idle_ms: int = Field(
        default=30_000, ge=100, le=86_400_000, description="Age from which another's entry is taken over"
    )
    max_deliveries: int = Field(
        default=3, ge=1, le=100, description="Tries of one entry by itself before it is dead-lettered"
    )
    screener_max_waiting: int = Field(
        default=2_000, ge=1, le=1_000_000, description="Direct calls that wait for screening at once"
    )
    screener_stream_in_flight: int = Field(
        default=256, ge=1, le=100_000, description="Events of one ScreenStream under way at once"
    )

    embedding_cache_ttl_seconds: int = Field(
        default=604_800, ge=1, le=31_536_000, description="How long the model's answer for a text is kept"
    )
    similarity_max_events: int = Field(
        default=100_000, ge=1_000, le=10_000_000, description="Events that the similarity index remembers"
    )
    similarity_segment_events: int = Field(
        default=16_384,
        ge=256,
        le=1_000_000,
        description="Vectors searched exactly before a segment is sealed",
    )
    flood_window_seconds: int = Field(
        default=600, ge=1, le=86_400, description="How recent a near-duplicate must be to count as flood"
    )

    low_risk_max_entries: int = Field(
        default=200_000, ge=1, le=100_000_000, description="Newest entries kept in `events:low_risk`, about"
    )
    reasoning_archive_max_entries: int = Field(
        default=200_000,
        ge=1,
        le=100_000_000,
        description="Newest entries kept in `events:reasoning_queue` while it has no group, about",
    )
    keep_low_risk_content: bool = Field(
        default=False, description="Whether `events:low_risk` carries the event beside the verdict"
    )
