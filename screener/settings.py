"""What the screening service is told, from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from pipeline.settings import Port, ServiceSettings, split_keys
from pipeline.tls import CertificateFiles
from screener.fusion import Policy
from screener.policy_settings import parse_category_thresholds, parse_weights


class ScreenerSettings(ServiceSettings):
    """Settings of `screener`; those of `ServiceSettings` beside."""

    screener_grpc_port: Port = Field(default=50052, description="gRPC port of screener")
    screener_http_port: Port = Field(default=8002, description="HTTP port: /health, /ready, /metrics")

    screener_workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Processes that share the ports and one similarity index; bounds hold for each by itself",
    )

    triton_grpc_url: str = Field(default="127.0.0.1:8101", description="Triton's gRPC address, host:port")
    triton_ca_path: Path | None = Field(
        default=None,
        description="Authority of Triton's certificate, PEM; without it Triton is called in plain text",
    )
    triton_cert_path: Path | None = Field(
        default=None, description="Our certificate at Triton, PEM; where Triton asks for one"
    )
    triton_key_path: Path | None = Field(default=None, description="Its key, PEM")
    tokenizer_path: Path = Field(
        default=Path("model_repository/e5_risk/tokenizer.json"), description="The tokenizer of the model"
    )
    model_timeout_ms: int = Field(
        default=30_000, ge=10, le=600_000, description="Most time that Triton gets for one batch"
    )
    model_request_tokens: int = Field(
        default=512,
        ge=64,
        le=32_768,
        description="Tokens of one request to Triton, at most, padding included; more for a GPU",
    )
    model_requests_in_flight: int = Field(
        default=3,
        ge=1,
        le=64,
        description="Requests of the queue to Triton at once, and half as many directly; more for a GPU",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="Where Triton must serve the model; `auto`: wherever it does"
    )
    model_down: Literal["hold", "degrade"] = Field(
        default="hold", description="Without a model, events wait, or rules alone decide"
    )

    screening_threshold: float = Field(
        default=0.7, ge=0.0, le=1.0, description="Risk above which a verdict goes to `events:reasoning_queue`"
    )
    screening_weights: str = Field(
        default="0.6,0.4", description="Weights of the rules and of the model in the risk, two from 0 to 1"
    )
    category_thresholds: str = Field(
        default="",
        description="Thresholds that replace the model's own: `<category>=<label>/<escalation>`, by commas",
    )
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
    dead_letter_max_share: float = Field(
        default=0.1,
        ge=0.0,
        le=1.0,
        description="Share of the last entries that may be dead letters; past it the screener stops",
    )
    dead_letter_share_of: int = Field(
        default=1_000, ge=10, le=1_000_000, description="How many last entries that share is of"
    )
    dead_letter_min_count: int = Field(
        default=20, ge=1, le=1_000_000, description="Dead letters among them from which on the share counts"
    )
    dead_letter_max_per_minute: int = Field(
        default=100, ge=1, le=1_000_000, description="Dead letters of one screener in a minute, at most"
    )
    dead_letter_probe_seconds: int = Field(
        default=60, ge=1, le=86_400, description="How often a screener that stopped tries some entries"
    )
    screener_max_waiting: int = Field(
        default=2_000, ge=1, le=1_000_000, description="Direct calls that wait for screening at once"
    )
    screener_stream_in_flight: int = Field(
        default=256,
        ge=1,
        le=100_000,
        description="Events, or messages of events handed over, of one ScreenStream under way at once",
    )

    handoff_api_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Keys of ingest, comma-separated: they may hand events over, and all that `API_KEYS` may",
    )
    handoff_max_waiting: int = Field(
        default=1_000,
        ge=1,
        le=1_000_000,
        description="Events handed over that wait for screening at once; what is more goes to the queue",
    )

    watch_max_watchers: int = Field(
        default=32,
        ge=0,
        le=1_000,
        description="Calls of WatchVerdicts at once; each has a connection to Redis",
    )
    watch_keep_seconds: int = Field(
        default=30,
        ge=0,
        le=3_600,
        description="How long `events:reasoning_queue` keeps for watchers what all groups have acknowledged",
    )
    watch_stall_ms: int = Field(
        default=5_000,
        ge=10,
        le=600_000,
        description="How long a watcher may leave a message unread before it is cut off",
    )

    embedding_cache_ttl_seconds: int = Field(
        default=604_800, ge=1, le=31_536_000, description="How long the model's answer for a text is kept"
    )
    similarity_max_events: int = Field(
        default=100_000, ge=1_000, le=10_000_000, description="Events that the similarity index remembers"
    )
    similarity_segment_events: int = Field(
        default=50_000,
        ge=256,
        le=1_000_000,
        description="Vectors of one segment of the index: the oldest are dropped by the segment",
    )
    similarity_device: Literal["cpu", "cuda"] = Field(
        default="cpu", description="Where vectors are compared: `cuda`, all of them, on this host's first GPU"
    )
    snapshot_dir: Path | None = Field(
        default=None,
        description="Folder for the last two snapshots of the similarity index; without it, none",
    )
    snapshot_interval_seconds: int = Field(
        default=300, ge=1, le=86_400, description="How often one is taken, where there is news"
    )
    flood_window_seconds: int = Field(
        default=600,
        ge=1,
        le=86_400,
        description="How soon a near-duplicate must follow to count as flood or campaign",
    )
    campaign_min_events: int = Field(
        default=5,
        ge=2,
        le=50,
        description="Events that say nearly the same from which on they are a campaign",
    )
    campaign_min_authors: int = Field(
        default=3, ge=2, le=50, description="Different authors that a campaign has at least"
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
    low_risk_keep_seconds: int = Field(
        default=604_800,
        ge=0,
        le=315_360_000,
        description="Most age of an entry of `events:low_risk`, while it has no group; 0: no bound",
    )
    reasoning_archive_keep_seconds: int = Field(
        default=2_592_000,
        ge=0,
        le=315_360_000,
        description="Most age of an entry of `events:reasoning_queue` while it has no group; 0: no bound",
    )
    similarity_keep_seconds: int = Field(
        default=2_592_000,
        ge=0,
        le=315_360_000,
        description="Most age of a vector in `events:embeddings` and in the index; 0: no bound",
    )
    dead_letter_keep_seconds: int = Field(
        default=0,
        ge=0,
        le=315_360_000,
        description="Age from which a dead letter is dropped, counted and recorded; 0: never",
    )
    keep_low_risk_content: bool = Field(
        default=False, description="Whether `events:low_risk` carries the event beside the verdict"
    )

    @property
    def triton_certificates(self) -> CertificateFiles:
        """Of the connections to Triton."""
        return CertificateFiles("TRITON", self.triton_cert_path, self.triton_key_path, self.triton_ca_path)

    @property
    def hand_off_keys(self) -> tuple[str, ...]:
        """The keys that may hand off, split; none where nobody may."""
        return split_keys(self.handoff_api_keys)

    @field_validator("snapshot_dir", mode="before")
    @classmethod
    def _is_none_where_empty(cls, path: object) -> object:
        return path or None  # else Path("") would be the folder that the process runs in

    @field_validator("screening_weights")
    @classmethod
    def _are_weights(cls, text: str) -> str:
        parse_weights(text)
        return text

    @field_validator("category_thresholds")
    @classmethod
    def _are_thresholds(cls, text: str) -> str:
        parse_category_thresholds(text)
        return text

    @property
    def policy(self) -> Policy:
        """What the settings say of the judgement."""
        heuristic_weight, model_weight = parse_weights(self.screening_weights)
        return Policy(
            heuristic_weight=heuristic_weight,
            model_weight=model_weight,
            threshold=self.screening_threshold,
            overrides=parse_category_thresholds(self.category_thresholds),
        )
