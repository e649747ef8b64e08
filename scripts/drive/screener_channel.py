"""How a command reaches a screener: as ingest does, in plain text or with certificates of the environment."""

from __future__ import annotations

import os
from pathlib import Path

import grpc

from pipeline.channel import open_channel
from pipeline.tls import CertificateFiles, CertificatesInForce


def screener_channel(address: str) -> grpc.aio.Channel:
    """A channel; over TLS where `SCREENER_CA_PATH` is set, and with a certificate of our own beside.

    Raises:
        StartupFailed: a file cannot be used; one line that names its variable.
    """
    certificate, key, authority = (_path(f"SCREENER_{what}_PATH") for what in ("CERT", "KEY", "CA"))
    certificates = CertificatesInForce.of(CertificateFiles("SCREENER", certificate, key, authority))
    return open_channel(address, certificates.current.to_servers() if certificates else None)


def _path(variable: str) -> Path | None:
    value = os.environ.get(variable, "")
    return Path(value) if value else None
