"""`seawall certs`: certificates for one machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scripts.system.certificates import PARTS, development_set

app = typer.Typer(help="Make certificates for development.", no_args_is_help=True)


@app.callback()
def certs() -> None:
    """Keeps `dev` a command of its own, as there will be others."""


@app.command()
def dev(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where they lie; made where it is missing.")],
    *,
    host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A further name or address that the servers have."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=825, help="How long they are valid.")] = 90,
) -> None:
    """Make a local authority, a certificate for each part, and one for a client.

    Once more in the same folder, it makes new ones of the same authority, which services take up.
    """
    authority = development_set(folder, hosts=host or [], days=days)
    print(f"authority   {authority.certificate}")
    for name in (*PARTS, "client"):
        pair = authority.pair_of(name)
        print(f"{name:<12}{pair.certificate}  {pair.key}")
