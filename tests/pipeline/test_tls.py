from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.errors import StartupFailed
from pipeline.tls import CertificateFiles, Certificates, CertificatesInForce
from scripts.system.certificates import Authority, Pair
from tests.fixtures.authority import issue_server, serial_of, server_files

Spoil = Callable[[Authority, Pair], CertificateFiles]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ours")


def without_certificate(authority: Authority, pair: Pair) -> CertificateFiles:
    return CertificateFiles("TLS", None, pair.key, None)


def without_key(authority: Authority, pair: Pair) -> CertificateFiles:
    return CertificateFiles("REDIS", pair.certificate, None, None)


def not_there(authority: Authority, pair: Pair) -> CertificateFiles:
    return CertificateFiles("TLS", Path("/nowhere/server.pem"), pair.key, None)


def a_folder(authority: Authority, pair: Pair) -> CertificateFiles:
    return CertificateFiles("TLS", pair.certificate, authority.folder, None)


def no_certificate(authority: Authority, pair: Pair) -> CertificateFiles:
    pair.certificate.write_text("this is no certificate")
    return server_files(pair)


def no_key(authority: Authority, pair: Pair) -> CertificateFiles:
    pair.key.write_text("this is no key")
    return server_files(pair)


def key_of_another(authority: Authority, pair: Pair) -> CertificateFiles:
    shutil.copy(authority.issue("other").key, pair.key)
    return server_files(pair)


def no_authority(authority: Authority, pair: Pair) -> CertificateFiles:
    return server_files(pair, authority=pair.key)


def no_authority_of_a_client(authority: Authority, pair: Pair) -> CertificateFiles:
    return CertificateFiles("TRITON", None, None, pair.key)


def expired(authority: Authority, pair: Pair) -> CertificateFiles:
    return server_files(authority.issue("server", ended=timedelta(minutes=1)))


UNFIT: list[tuple[Spoil, str]] = [
    (without_certificate, r"^TLS_CERT_PATH is missing, and TLS_KEY_PATH is set$"),
    (without_key, r"^REDIS_KEY_PATH is missing, and REDIS_CERT_PATH is set$"),
    (not_there, r"^TLS_CERT_PATH=/nowhere/server.pem cannot be read \(No such file or directory\)$"),
    (a_folder, r"^TLS_KEY_PATH=\S+ cannot be read \(Is a directory\)$"),
    (no_certificate, r"^TLS_CERT_PATH=\S+ holds no certificate in PEM$"),
    (no_key, r"^TLS_KEY_PATH=\S+ holds no private key in PEM without a passphrase$"),
    (key_of_another, r"^TLS_KEY_PATH=\S+ is not the key of TLS_CERT_PATH=\S+$"),
    (no_authority, r"^TLS_CLIENT_CA_PATH=\S+ holds no certificate in PEM$"),
    (no_authority_of_a_client, r"^TRITON_CA_PATH=\S+ holds no certificate in PEM$"),
    (expired, r"^TLS_CERT_PATH=\S+ has expired, at 20\d\d-"),
]


@pytest.mark.parametrize(("spoil", "told"), UNFIT, ids=lambda value: getattr(value, "__name__", ""))
def test_what_cannot_be_used_is_one_line_that_names_the_setting(
    authority: Authority, spoil: Spoil, told: str
) -> None:
    files = spoil(authority, issue_server(authority))
    with pytest.raises(StartupFailed, match=told) as failed:
        CertificatesInForce(files)
    assert "\n" not in str(failed.value)


def test_a_certificate_of_tomorrow_is_not_valid_yet(authority: Authority) -> None:
    files = server_files(issue_server(authority))
    with pytest.raises(StartupFailed, match=r"^TLS_CERT_PATH=\S+ is not valid before 20\S+; it is 20"):
        Certificates.read(files, now=time.time() - 86_400)


def test_no_file_is_no_tls() -> None:
    assert CertificatesInForce.of(CertificateFiles("TLS", None, None, None)) is None


def test_time_that_is_left_is_told(authority: Authority) -> None:
    pair = authority.issue("server", lasts=timedelta(hours=1))
    now = time.time()
    left = CertificatesInForce(server_files(pair), clock=lambda: now).seconds_left
    assert left is not None
    assert 3_590 < left <= 3_600
    later = CertificatesInForce(server_files(pair), clock=lambda: now)
    now += 7_200
    assert later.seconds_left is not None
    assert later.seconds_left < 0
    client = CertificatesInForce(CertificateFiles("REDIS", None, None, authority.certificate))
    assert client.seconds_left is None


def test_a_change_is_taken_up(authority: Authority) -> None:
    in_force = CertificatesInForce(server_files(issue_server(authority)))
    before = in_force.current
    in_force.reload()
    assert in_force.current is before
    pair = issue_server(authority)
    in_force.reload()
    assert in_force.current.chain == pair.certificate.read_bytes()
    assert in_force.failures == 0


@pytest.mark.parametrize("spoil", [no_certificate, no_key, key_of_another, expired], ids=lambda s: s.__name__)
def test_a_change_that_cannot_be_used_leaves_the_old_ones_until_it_is_mended(
    authority: Authority, spoil: Spoil
) -> None:
    pair = issue_server(authority)
    in_force = CertificatesInForce(server_files(pair))
    before = in_force.current
    spoil(authority, pair)
    in_force.reload()
    in_force.reload()
    assert (in_force.current, in_force.failures) == (before, 1)
    issue_server(authority)
    in_force.reload()
    assert in_force.current.chain == pair.certificate.read_bytes() != before.chain
    assert in_force.failures == 1


def test_files_that_go_away_leave_the_old_ones(authority: Authority) -> None:
    pair = issue_server(authority)
    in_force = CertificatesInForce(server_files(pair))
    before = in_force.current
    pair.certificate.unlink()
    in_force.reload()
    assert (in_force.current, in_force.failures) == (before, 1)


def test_a_folder_that_is_swapped_as_a_whole_is_a_change(authority: Authority, tmp_path: Path) -> None:
    # As Kubernetes does it: files are links through one link to a folder.
    first, second = (Authority(tmp_path / name).issue("server") for name in ("first", "second"))
    now = tmp_path / "now"
    now.symlink_to(first.certificate.parent)
    in_force = CertificatesInForce(server_files(Pair(now / "server.pem", now / "server-key.pem")))
    staged = tmp_path / "staged"
    staged.symlink_to(second.certificate.parent)
    staged.rename(now)
    in_force.reload()
    assert in_force.current.chain == second.certificate.read_bytes()
    assert serial_of(now / "server.pem") == serial_of(second.certificate)
