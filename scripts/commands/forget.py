"""`seawall forget`: removes what is held of one author."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from typing import Annotated

import grpc
import orjson
import typer
from rich.console import Console
from seawall.admin.v1 import admin_pb2, admin_pb2_grpc

from pipeline.event import Platform
from scripts.commands.api_key import read_api_key
from scripts.drive.screener_channel import screener_channel
from scripts.errors import CommandFailed

_TIMEOUT_S = 300.0
_AGAIN_S = 1.0


def forget(  # noqa: PLR0917  # typer makes options of them
    author: Annotated[str, typer.Option(metavar="ID", help="The author, as events name him.")],
    platform: Annotated[
        str, typer.Option(metavar="NAME", help="Only on this one, such as discord; without it, on all.")
    ] = "",
    address: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="gRPC address of a screener.")
    ] = "127.0.0.1:50052",
    wait: Annotated[
        int, typer.Option(min=0, metavar="SECONDS", help="Most time to wait for events without a verdict.")
    ] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object.")] = False,  # noqa: FBT002
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002
) -> None:
    """Remove what is held of one author from streams, index, cache and dead letters, and say what was found.

    It cannot be taken back. Events that wait for their verdict are waited for and then removed; exit status 1
    where some still wait. The key, of the scope admin, is taken from API_KEY or asked for.
    """
    labels = {known.label: known for known in Platform if known}
    if platform and platform not in labels:
        raise CommandFailed(f"--platform {platform}: allowed: {', '.join(labels)}")
    api_key = read_api_key()
    if not yes:
        if not sys.stdin.isatty():
            raise CommandFailed("nobody is there to ask: say --yes")
        typer.confirm(f"Forget the author on {platform or 'all platforms'}?", abort=True, err=True)
    request = admin_pb2.ForgetRequest(author_id=author, platform=labels.get(platform, Platform.UNSPECIFIED))  # type: ignore[arg-type]  # an enum's value
    removed, waiting = asyncio.run(_forget(address, request, api_key=api_key, wait_s=wait))
    if as_json:
        sys.stdout.buffer.write(
            orjson.dumps({"removed": removed, "waiting": waiting}, option=orjson.OPT_APPEND_NEWLINE)
        )
    else:
        for place, number in removed.items():
            print(f"{place:<24}{number:>8}")
    if waiting:
        raise CommandFailed(f"{waiting} events wait for their verdict and were left: say it again later")


async def _forget(
    address: str, request: admin_pb2.ForgetRequest, *, api_key: str, wait_s: float
) -> tuple[dict[str, int], int]:
    """What was removed, by place, in as many calls as it takes; and how many events still wait."""
    notes = Console(stderr=True, highlight=False)
    removed: Counter[str] = Counter()
    until_s = time.monotonic() + wait_s
    async with screener_channel(address) as channel:
        stub = admin_pb2_grpc.AdminServiceStub(channel)
        while True:
            try:
                found = await stub.Forget(request, metadata=(("api-key", api_key),), timeout=_TIMEOUT_S)
            except grpc.aio.AioRpcError as error:
                raise CommandFailed(f"{address}: {error.code().name}: {error.details()}") from error
            for place in found.places:
                removed[place.name] += place.removed
            if not found.waiting or time.monotonic() >= until_s:
                return dict(removed), found.waiting
            notes.print(f"{found.waiting} events wait for their verdict", style="dim")
            await asyncio.sleep(_AGAIN_S)
