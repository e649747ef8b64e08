"""A real Triton over TLS: who may call it, and that nobody changes what it serves."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from pipeline.errors import ModelUnavailable
from pipeline.tls import CertificateFiles, CertificatesInForce
from screener.tokens import Tokenizer
from screener.triton import MODEL, TritonModel
from screener.triton_client import TritonClient
from scripts.commands.model import CACHE
from scripts.system.certificates import LOCAL_HOSTS, Authority, Pair
from scripts.system.ports import Ports
from scripts.system.triton import TritonPorts, TritonServer, TritonTls
from tests.fixtures.triton import READY_TIMEOUT_S

REFUSED = "restricted"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(
    authority: Authority, model_repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TritonServer]:
    ports = Ports()
    triton = TritonServer(
        repository=model_repository,
        cache=CACHE,
        log=tmp_path_factory.mktemp("triton") / "triton.log",
        ports=TritonPorts(*(ports.take(name="Triton") for _ in range(3))),
        tls=TritonTls(authority.issue("triton", hosts=LOCAL_HOSTS), authority.certificate),
    )
    with triton:
        triton.wait_ready(READY_TIMEOUT_S)
        yield triton


def in_force(authority: Authority, pair: Pair) -> CertificatesInForce:
    files = CertificateFiles("TRITON", pair.certificate, pair.key, authority.certificate)
    return CertificatesInForce(files)


def caller(server: TritonServer, trusted: Authority, pair: Pair | None) -> InferenceServerClient:
    return InferenceServerClient(
        server.grpc_url,
        ssl=True,
        root_certificates=str(trusted.certificate),
        private_key=str(pair.key) if pair else None,
        certificate_chain=str(pair.certificate) if pair else None,
    )


@pytest.fixture
def visitor(server: TritonServer, authority: Authority) -> Iterator[InferenceServerClient]:
    """Somebody with a certificate, and without the secret."""
    with caller(server, authority, authority.issue("visitor")) as client:
        yield client


async def test_a_screener_with_a_certificate_infers(
    server: TritonServer, authority: Authority, tokenizer: Tokenizer
) -> None:
    certificates = in_force(authority, authority.issue("screener"))
    model = TritonModel.connect(server.grpc_url, tokenizer, certificates=certificates)
    assert (await model.infer(["hello"], timeout_s=60)).version == 1
    await model.close()


async def test_a_changed_certificate_is_taken_up_by_the_next_call(
    server: TritonServer, authority: Authority
) -> None:
    certificates = in_force(authority, authority.issue("screener"))
    client = TritonClient(server.grpc_url, certificates)
    first = await client.now()
    assert await first.is_model_ready(MODEL)
    assert await client.now() is first
    for _ in range(2):
        authority.issue("screener")
        certificates.reload()
        before, now = first, await client.now()
        assert now is not before
        assert await now.is_model_ready(MODEL)
        first = now
    await client.close()


def test_strangers_are_refused(server: TritonServer, authority: Authority, tmp_path: Path) -> None:
    theirs = Authority(tmp_path)
    strangers = {
        "nobody": (authority, None),
        "of another authority": (authority, theirs.issue("screener")),
        "expired": (authority, authority.issue("late", ended=timedelta(minutes=1))),
        "who does not trust Triton": (theirs, authority.issue("screener")),
    }
    for who, (trusted, pair) in strangers.items():
        with caller(server, trusted, pair) as client, pytest.raises(InferenceServerException) as refused:
            client.get_model_metadata(MODEL, client_timeout=10)
        assert refused.value.status() == "StatusCode.UNAVAILABLE", who


async def test_plain_text_is_refused(server: TritonServer, tokenizer: Tokenizer) -> None:
    model = TritonModel.connect(server.grpc_url, tokenizer)
    with pytest.raises(ModelUnavailable):
        await model.infer(["hello"], timeout_s=10)
    await model.close()


def test_nobody_changes_what_is_served_without_the_secret(
    server: TritonServer, visitor: InferenceServerClient
) -> None:
    attempts: list[Callable[..., Any]] = [
        lambda headers: visitor.load_model(MODEL, headers=headers),
        lambda headers: visitor.unload_model(MODEL, headers=headers),
        lambda headers: visitor.get_model_repository_index(headers=headers),
        lambda headers: visitor.register_system_shared_memory("a", "/a", 1, headers=headers),
        lambda headers: visitor.unregister_system_shared_memory(headers=headers),
        lambda headers: visitor.update_trace_settings(headers=headers),
        lambda headers: visitor.update_log_settings({"log_verbose_level": 9}, headers=headers),
    ]
    wrong = dict.fromkeys(server.admin_headers, "a-wrong-secret")
    for attempt in attempts:
        for headers in ({}, wrong):
            with pytest.raises(InferenceServerException, match=REFUSED):
                attempt(headers=headers)
    assert visitor.is_model_ready(MODEL)
    # With the secret it is the operator, who may load again what is loaded.
    visitor.load_model(MODEL, headers=server.admin_headers)
    assert [m.name for m in visitor.get_model_repository_index(headers=server.admin_headers).models] == [
        MODEL
    ]


def test_nor_over_http(server: TritonServer) -> None:
    for path in ("index", f"models/{MODEL}/unload", f"models/{MODEL}/load"):
        assert post(server, f"/v2/repository/{path}") == 403
    assert post(server, "/v2/systemsharedmemory/unregister") == 403
    assert post(server, "/v2/logging") == 403
    assert post(server, "/v2/repository/index", server.admin_http_headers) == 200
    assert server.is_ready()  # which asks over HTTP


def post(server: TritonServer, path: str, headers: Mapping[str, str] | None = None) -> int:
    request = urllib.request.Request(  # noqa: S310  # our own http
        f"{server.http_url}{path}", data=b"{}", headers=dict(headers or {}), method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # our own http
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_its_ports_are_on_loopback_alone(server: TritonServer) -> None:
    listening = {
        (int(port, 16), address)
        for family in ("tcp", "tcp6")
        for line in Path(f"/proc/{server.pid}/net/{family}").read_text().splitlines()[1:]
        if line.split()[3] == "0A"
        for address, port in [line.split()[1].split(":")]
    }
    ports = {server.ports.http, server.ports.grpc, server.ports.metrics}
    assert {port for port, _ in listening} >= ports
    # 127.0.0.1 as the kernel writes it, by itself and as an address of IPv6.
    assert {address for port, address in listening if port in ports} <= {
        "0100007F",
        "0000000000000000FFFF00000100007F",
    }
