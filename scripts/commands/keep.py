"""What a person needs to use a system that stays up."""

from __future__ import annotations

import time

import orjson
from rich.console import Console
from rich.text import Text

from scripts.system.system import System


def how_to_use(system: System) -> list[tuple[str, str]]:
    """Addresses, key and commands to try, each with its name; they work in the repository's folder."""
    ingest, screener = system.ingest, system.screener
    own = system.tls.authority.pair_of("client") if system.tls else None
    ca = system.tls.authority.certificate if system.tls else None

    def call(address: str, method: str, content: str) -> str:
        event = {"eventType": 1, "platform": 1, "authorId": "me", "content": content}
        data = orjson.dumps({"event": event}).decode()
        head = f"buf curl --schema protos --protocol grpc -H 'api-key: {system.api_key}' -d '{data}'"
        if own is None:
            return f"{head} --http2-prior-knowledge http://{address}/seawall.{method}"
        over_tls = f"--cacert {ca} --cert {own.certificate} --key {own.key}"
        return f"{head} {over_tls} https://{address}/seawall.{method}"

    [admin] = [f"{name}: {value}" for name, value in system.triton.admin_http_headers.items()]
    for_curl = f" --cacert {ca} --cert {own.certificate} --key {own.key}" if own else ""
    redis_cli = f"redis-cli -u {system.redis_url}"
    if own is not None and system.redis_url.startswith("rediss:"):
        redis_cli += f" --cacert {ca} --cert {own.certificate} --key {own.key}"
    return [
        ("ingest (gRPC)", ingest.address),
        ("screener (gRPC)", screener.address),
        ("Redis", system.redis_url),
        ("Triton (gRPC)", system.triton.grpc_url),
        ("api-key", system.api_key),
        ("health", f"{ingest.http_url}/ready  {screener.http_url}/ready"),
        ("admin's api-key", system.admin_key),
        ("metrics", f"{ingest.http_url}/metrics  {screener.http_url}/metrics  {system.triton.metrics_url}"),
        ("read them", f"curl{for_curl} -H 'api-key: {system.api_key}' {ingest.http_url}/metrics"),
        ("logs", str(system.folder)),
        ("first", "source .venv/bin/activate"),
        ("send an event", call(ingest.address, "ingest.v1.IngestService/Ingest", "you 1d1ot")),
        ("only ask", call(screener.address, "screening.v1.ScreeningService/Screen", "nice kill!")),
        (
            "load a new model",
            f"curl -X POST -H '{admin}' {system.triton.http_url}/v2/repository/models/e5_risk/load",
        ),
        ("read verdicts", f"{redis_cli} xrevrange events:reasoning_queue + - count 1"),
    ]


def stay_up(system: System, notes: Console) -> None:
    """Tells how to use the system, then blocks until somebody interrupts.

    Raises:
        ProcessDied: a part ended by itself.
    """
    notes.print()
    for name, value in how_to_use(system):
        notes.print(Text.assemble((f"{name:<18}", "bold"), value), soft_wrap=True)
    notes.print("\nCtrl-C stops everything.", style="dim")
    while True:
        system.check()
        time.sleep(1)
