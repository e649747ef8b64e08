"""TLS from files: certificates are checked at start, and taken up anew when the files change.

Each set of files has one `CertificatesInForce`. Whoever opens or accepts a connection asks it for the
certificates of now; connections that stand live on with those that they began with.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import structlog
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pipeline.errors import StartupFailed
from pipeline.watched_files import WatchedFiles

Clock = Callable[[], float]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where one side's certificate, its key, and the authority of the other side lie; all in PEM.

    `name` is how the settings begin: TLS for our own ports, else that of the server, such as REDIS.
    """

    name: str
    certificate: Path | None
    key: Path | None
    authority: Path | None

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return any((self.certificate, self.key, self.authority))

    @property
    def authority_setting(self) -> str:
        """The setting of the authority."""
        return "TLS_CLIENT_CA_PATH" if self.name == "TLS" else f"{self.name}_CA_PATH"


@dataclass(frozen=True, slots=True)
class Certificates:
    """What the files hold, checked: PEM bytes, and when the certificate ends, in seconds since 1970."""

    chain: bytes | None
    key: bytes | None
    authority: bytes | None
    ends_at: float | None
    context: ssl.SSLContext

    @classmethod
    def read(cls, files: CertificateFiles, *, now: float) -> Certificates:
        """Reads and checks the files; blocks for some milliseconds.

        Raises:
            StartupFailed: a file cannot be read or used, the key is another's, or the certificate is not
                valid at `now`; one line that names the setting.
        """
        authority = _read(files.authority_setting, files.authority)
        if authority is not None:
            _first_certificate(files.authority_setting, files.authority, authority)
        chain = _read(f"{files.name}_CERT_PATH", files.certificate)
        key = _read(f"{files.name}_KEY_PATH", files.key)
        if (chain is None) != (key is None):
            there, missing = ("CERT", "KEY") if key is None else ("KEY", "CERT")
            raise StartupFailed(
                f"{files.name}_{missing}_PATH is missing, and {files.name}_{there}_PATH is set"
            )
        ends_at = None
        if chain is not None and key is not None:
            ends_at = _end_of_pair(files, chain, key, now=now)
        try:
            context = _context(files)
        except (OSError, ssl.SSLError) as error:  # such as a file that was replaced meanwhile
            raise StartupFailed(
                f"{files.name}_CERT_PATH={files.certificate} cannot be used ({error})"
            ) from None
        return cls(chain, key, authority, ends_at, context)

    def to_servers(self) -> grpc.ChannelCredentials:
        """Credentials of a gRPC client."""
        return grpc.ssl_channel_credentials(self.authority, self.key, self.chain)

    def to_clients(self) -> grpc.ServerCertificateConfiguration:
        """The certificates of a gRPC server, and the authority that its clients' must be of."""
        pair = [(self.key, self.chain)] if self.key is not None and self.chain is not None else []
        return grpc.ssl_server_certificate_configuration(pair, self.authority)


class CertificatesInForce:
    """The certificates of now; a change that cannot be used leaves the old ones in force, and says so."""

    def __init__(self, files: CertificateFiles, *, clock: Clock = time.time) -> None:
        """Reads them.

        Raises:
            StartupFailed: as `Certificates.read`.
        """
        self.files = files
        self.failures = 0
        self._clock = clock
        self._watched = WatchedFiles(files.certificate, files.key, files.authority)
        self._current = Certificates.read(files, now=clock())

    @classmethod
    def of(cls, files: CertificateFiles) -> CertificatesInForce | None:
        """Those of the files; None where there are no files, and so no TLS.

        Raises:
            StartupFailed: as `Certificates.read`.
        """
        return cls(files) if files.any else None

    @property
    def current(self) -> Certificates:
        """Those in force."""
        return self._current

    @property
    def seconds_left(self) -> float | None:
        """Until the certificate in force ends; below 0 when it has, None where there is none of our own."""
        ends_at = self._current.ends_at
        return None if ends_at is None else ends_at - self._clock()

    def reload(self) -> None:
        """Reads the files again where they have changed; blocks for some milliseconds."""
        if not self._watched.changed():
            return
        try:
            self._current = Certificates.read(self.files, now=self._clock())
        except StartupFailed as error:
            self.failures += 1
            _log.error("certificates_not_reloaded", certificates=self.files.name, reason=str(error))
        else:
            _log.info("certificates_reloaded", certificates=self.files.name)


def server_credentials(in_force: CertificatesInForce) -> grpc.ServerCredentials:
    """Of a gRPC server: each new connection gets the certificates of now.

    Clients must show a certificate where the files name an authority for them.
    """
    served = in_force.current

    # Called by gRPC's own threads. None stands for no change, which grpc's types leave out.
    def changed() -> Any:
        nonlocal served
        if in_force.current is served:
            return None
        served = in_force.current
        return served.to_clients()

    return grpc.dynamic_ssl_server_credentials(
        served.to_clients(), changed, require_client_authentication=served.authority is not None
    )


def server_context(in_force: CertificatesInForce) -> ssl.SSLContext:
    """Of an HTTP server: each new connection gets the certificates of now, and clients as with gRPC."""

    def changed(
        connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext
    ) -> None:
        connection.context = in_force.current.context

    context = _context(in_force.files)
    context.sni_callback = changed  # called for each handshake, whether the client names a server or not
    return context


def _context(files: CertificateFiles) -> ssl.SSLContext:
    if files.name != "TLS":
        context = ssl.create_default_context(cafile=files.authority)
        if files.certificate is not None:
            context.load_cert_chain(files.certificate, files.key)
        return context
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A resumed session is not checked again: it would outlive a change of the authority.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    if files.certificate is not None:
        context.load_cert_chain(files.certificate, files.key)
    if files.authority is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(files.authority)
    return context


def _read(setting: str, path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise StartupFailed(f"{setting}={path} cannot be read ({error.strerror})") from None


def _first_certificate(setting: str, path: Path | None, pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(pem)[0]
    except ValueError:
        raise StartupFailed(f"{setting}={path} holds no certificate in PEM") from None


def _end_of_pair(files: CertificateFiles, chain: bytes, key: bytes, *, now: float) -> float:
    told = f"{files.name}_CERT_PATH={files.certificate}"
    certificate = _first_certificate(f"{files.name}_CERT_PATH", files.certificate, chain)
    try:
        private = load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise StartupFailed(
            f"{files.name}_KEY_PATH={files.key} holds no private key in PEM without a passphrase"
        ) from None
    if private.public_key() != certificate.public_key():
        raise StartupFailed(f"{files.name}_KEY_PATH={files.key} is not the key of {told}")
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now >= ends.timestamp():
        raise StartupFailed(f"{told} has expired, at {ends.isoformat()}")
    if now < begins.timestamp():
        at = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
        raise StartupFailed(f"{told} is not valid before {begins.isoformat()}; it is {at}")
    return ends.timestamp()
