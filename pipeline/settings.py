"""Settings from the environment, typed and checked at start; and those that both services have."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import annotated_types
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict
from redis.asyncio.connection import parse_url

from pipeline.errors import StartupFailed
from pipeline.fingerprint import Digests
from pipeline.tls import CertificateFiles

Port = Annotated[int, Field(ge=0, le=65535)]


class ServiceSettings(BaseSettings):
    """What both services are told."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    redis_url: SecretStr = Field(
        default=SecretStr("redis://127.0.0.1:6379/0"), description="Redis 6.2 or later; may hold a password"
    )
    redis_timeout_ms: int = Field(
        default=2_000, ge=10, le=60_000, description="Most time of one Redis command"
    )
    redis_ca_path: Path | None = Field(
        default=None, description="Authority of Redis's certificate, PEM; for a `rediss://` address"
    )
    redis_cert_path: Path | None = Field(
        default=None, description="Our certificate at Redis, PEM; where Redis asks for one"
    )
    redis_key_path: Path | None = Field(default=None, description="Its key, PEM")
    tls_cert_path: Path | None = Field(
        default=None,
        description="Certificate of the gRPC and the HTTP port, PEM; without it they speak plain text",
    )
    tls_key_path: Path | None = Field(default=None, description="Its key, PEM, without a passphrase")
    tls_client_ca_path: Path | None = Field(
        default=None,
        description="Authority of the certificates that clients must show, PEM; none asks for none",
    )
    api_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Keys that callers send, comma-separated, each of 16 characters or more",
    )
    api_keys_file: Path | None = Field(
        default=None,
        description="Keys with names, scopes and quotas, as `seawall keys` writes it; read again on change",
    )
    dedup_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Keys all digests of contents and authors: 32 characters or more, the same everywhere",
    )
    bind_host: str = Field(default="0.0.0.0", description="Address that the ports listen on")  # noqa: S104
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least level logged"
    )
    drain_grace_ms: int = Field(
        default=10_000, ge=0, le=600_000, description="Most time that calls under way get after SIGTERM"
    )
    max_concurrent_rpcs: int = Field(default=4_096, ge=1, le=1_000_000, description="Calls under way at once")
    event_id_ttl_seconds: int = Field(
        default=3_600, ge=1, le=2_592_000, description="How long an id is remembered after its verdict"
    )

    direct_lease_ms: int = Field(
        default=15_000,
        ge=100,
        le=86_400_000,
        description="Age from which an entry of `events:direct` goes to `events:raw`, whoever has it",
    )

    @field_validator("redis_url")
    @classmethod
    def _is_address(cls, url: SecretStr) -> SecretStr:
        try:
            parse_url(url.get_secret_value())
        except ValueError:
            raise ValueError("redis://, rediss:// or unix://, as in redis://:password@host:6379/0") from None
        return url

    @property
    def digests(self) -> Digests:
        """The digests under the deployment's secret.

        Raises:
            StartupFailed: there is no secret.
        """
        return Digests(self.dedup_secret.get_secret_value())

    @property
    def server_certificates(self) -> CertificateFiles:
        """Of our own ports.

        Raises:
            StartupFailed: clients must show a certificate, and we have none.
        """
        if self.tls_client_ca_path is not None and self.tls_cert_path is None:
            raise StartupFailed("TLS_CERT_PATH is missing, and TLS_CLIENT_CA_PATH is set")
        return CertificateFiles("TLS", self.tls_cert_path, self.tls_key_path, self.tls_client_ca_path)

    @property
    def redis_certificates(self) -> CertificateFiles:
        """Of the connections to Redis.

        Raises:
            StartupFailed: there are some, and `REDIS_URL` would not use them.
        """
        files = CertificateFiles("REDIS", self.redis_cert_path, self.redis_key_path, self.redis_ca_path)
        if files.any and not self.redis_url.get_secret_value().startswith("rediss://"):
            raise StartupFailed("REDIS_URL is no rediss:// address, and certificates for Redis are set")
        return files

    @property
    def keys(self) -> tuple[str, ...]:
        """The API keys, split."""
        return split_keys(self.api_keys)


def split_keys(keys: SecretStr) -> tuple[str, ...]:
    """Comma-separated keys, without what is empty."""
    return tuple(key for key in (k.strip() for k in keys.get_secret_value().split(",")) if key)


Settings = TypeVar("Settings", bound=BaseSettings)


def load(settings: type[Settings]) -> Settings:
    """Reads the settings from the environment.

    Raises:
        StartupFailed: names each variable, its value and the allowed range; never a secret's value.
    """
    try:
        return settings()
    except ValidationError as error:
        lines = [_line(settings.model_fields, e) for e in error.errors()]
        raise StartupFailed("; ".join(lines)) from None


def allowed(info: FieldInfo) -> str:
    """What a setting accepts, in words."""
    bounds = {}
    for constraint in info.metadata:
        if isinstance(constraint, annotated_types.Ge):
            bounds["from"] = f"{constraint.ge}"
        if isinstance(constraint, annotated_types.Gt):
            bounds["above"] = f"{constraint.gt}"
        if isinstance(constraint, annotated_types.Le):
            bounds["to"] = f"{constraint.le}"
    if bounds:
        return " ".join(f"{word} {bound}" for word, bound in bounds.items())
    choices = getattr(info.annotation, "__args__", None)
    if choices and all(isinstance(choice, str) for choice in choices):
        return ", ".join(choices)
    names: dict[object, str] = {bool: "true or false", int: "a whole number", float: "a number"}
    return names.get(info.annotation, "text")


def _line(fields: Mapping[str, FieldInfo], error: Mapping[str, Any]) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    info = fields.get(name.lower())
    if info is None:
        return str(error["msg"])
    if error["type"] == "value_error":  # of a validator of ours, which says what is allowed
        return f"{name.upper()} is not valid; allowed: {error['ctx']['error']}"
    if info.annotation is SecretStr:
        return f"{name.upper()} is not valid; allowed: {allowed(info)}"
    return f"{name.upper()}={error['input']}: allowed: {allowed(info)}"
