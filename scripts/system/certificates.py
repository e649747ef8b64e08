"""A local authority and its certificates, for one machine and for tests; not for production."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pipeline.errors import StartupFailed

PARTS = ("ingest", "screener", "triton", "redis")
"""Who gets a certificate for servers, made out to its name and to this machine."""

_EARLIER = timedelta(minutes=5)  # clocks differ
_AUTHORITY_DAYS = 3_650


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key: PEM files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates, and keeps them and its own in one folder: `ca.pem`, `NAME.pem`, `NAME-key.pem`."""

    def __init__(self, folder: Path, *, name: str = "Seawall development") -> None:
        """Takes over the authority that the folder holds, or makes one.

        Raises:
            StartupFailed: what the folder holds is no authority of ours.
        """
        self.folder = folder
        self.pair = Pair(folder / "ca.pem", folder / "ca-key.pem")
        folder.mkdir(parents=True, exist_ok=True)
        if self.pair.certificate.exists():
            self._certificate, self._key = _read_authority(self.pair)
            return
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        self._certificate = (
            x509.CertificateBuilder(subject, subject, self._key.public_key(), x509.random_serial_number())
            .not_valid_before(now - _EARLIER)
            .not_valid_after(now + timedelta(days=_AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        _write(self.pair, self._certificate, self._key)

    @property
    def certificate(self) -> Path:
        """What others must trust."""
        return self.pair.certificate

    def pair_of(self, name: str) -> Pair:
        """Where the certificate of this name lies."""
        return Pair(self.folder / f"{name}.pem", self.folder / f"{name}-key.pem")

    def issue(
        self,
        name: str,
        *,
        hosts: Sequence[str] = (),
        lasts: timedelta = timedelta(days=90),
        ended: timedelta = timedelta(0),
    ) -> Pair:
        """A new certificate in place of the last one of this name, for both ends of a connection.

        Args:
            name: also its common name, and the files'.
            hosts: names and addresses that it is made out to, beside its own name.
            lasts: how long it is valid.
            ended: how long ago it ended, for tests of one that has.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        begins = now - _EARLIER - (ended + lasts if ended else timedelta(0))
        ends = now - ended if ended else now + lasts
        certificate = (
            x509.CertificateBuilder(
                self._certificate.subject,
                x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
                key.public_key(),
                x509.random_serial_number(),
            )
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(
                x509.SubjectAlternativeName([_alternative(host) for host in (name, *hosts)]), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        pair = self.pair_of(name)
        _write(pair, certificate, key)
        return pair


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _read_authority(pair: Pair) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        key = load_pem_private_key(pair.key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise StartupFailed(
            f"{pair.certificate} and {pair.key} are no authority to go on with: choose another folder"
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise StartupFailed(f"{pair.key} is not the key of {pair.certificate}: choose another folder")
    return certificate, key


def _write(pair: Pair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    """Both by rename, so that nobody reads half of a file; the key first, for its own eyes."""
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for path, data, mode in (
        (pair.key, private, 0o600),
        (pair.certificate, certificate.public_bytes(Encoding.PEM), 0o644),
    ):
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        partial.touch(mode=mode)
        partial.write_bytes(data)
        partial.replace(path)


LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
"""This machine, as certificates name it."""


def development_set(folder: Path, *, hosts: Sequence[str] = (), days: int = 90) -> Authority:
    """An authority, a certificate for each of `PARTS`, and one for a `client`; those of before are replaced.

    Raises:
        StartupFailed: what the folder holds is no authority of ours.
    """
    authority = Authority(folder)
    for name in PARTS:
        authority.issue(name, hosts=(*LOCAL_HOSTS, *hosts), lasts=timedelta(days=days))
    authority.issue("client", lasts=timedelta(days=days))
    return authority
