from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from pipeline.tls import CertificateFiles, CertificatesInForce
from scripts.cli import execute
from tests.fixtures.authority import serial_of

NAMES = ("ingest", "screener", "triton", "redis", "client")


def test_a_set_for_one_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["certs", "dev", str(tmp_path / "new"), "--host", "edge.example", "--days", "2"]) == 0
    told = capsys.readouterr().out
    folder, authority = tmp_path / "new", tmp_path / "new" / "ca.pem"
    root = x509.load_pem_x509_certificate(authority.read_bytes())
    for name in NAMES:
        certificate, key = folder / f"{name}.pem", folder / f"{name}-key.pem"
        assert f"{certificate}  {key}" in told
        assert key.stat().st_mode & 0o777 == 0o600
        in_force = CertificatesInForce(CertificateFiles("TLS", certificate, key, authority))
        assert in_force.seconds_left is not None
        assert 0 < in_force.seconds_left <= 2 * 86_400
        x509.load_pem_x509_certificate(certificate.read_bytes()).verify_directly_issued_by(root)
    assert (folder / "ca-key.pem").stat().st_mode & 0o777 == 0o600
    assert hosts_of(folder / "redis.pem") == {"redis", "localhost", "127.0.0.1", "::1", "edge.example"}
    assert hosts_of(folder / "client.pem") == {"client"}


def test_again_it_makes_new_ones_of_the_same_authority(tmp_path: Path) -> None:
    serials = []
    for _ in range(2):
        assert execute(["certs", "dev", str(tmp_path)]) == 0
        serials.append({name: serial_of(tmp_path / f"{name}.pem") for name in (*NAMES, "ca")})
    before, after = serials
    assert before["ca"] == after["ca"]
    assert all(before[name] != after[name] for name in NAMES)


def test_a_folder_with_something_else_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ca.pem").write_text("of somebody else")
    assert execute(["certs", "dev", str(tmp_path)]) == 1
    assert "are no authority to go on with: choose another folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["ca.pem"]


def hosts_of(certificate: Path) -> set[str]:
    read = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = map(str, names.get_values_for_type(x509.IPAddress))
    return {*names.get_values_for_type(x509.DNSName), *addresses}
