"""A Triton to score with: one that runs already, or one started for the purpose."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from screener.triton import MODEL
from scripts.errors import CommandFailed
from scripts.system.ports import Ports
from scripts.system.services import ROOT
from scripts.system.system import MODEL_REPOSITORY, TRITON_READY_TIMEOUT_S, Part, System
from scripts.system.triton import TritonPorts, TritonServer


@contextmanager
def serving(address: str | None, *, version: int | None, report: Callable[[str], None]) -> Iterator[str]:
    """Host and port of a Triton: that at `address`, or one started for the block.

    Args:
        address: host and port of a Triton that runs.
        version: the version of the model that the started Triton serves; None for the newest.
        report: told what is going on.

    Raises:
        CommandFailed: there is no such version, or both address and version are given.
        TritonError: Triton did not start.
    """
    if version is None:
        with _newest(address, report) as found:
            yield found
        return
    if address is not None:
        raise CommandFailed("a Triton that runs serves the versions it has loaded: leave out the version")
    with _only(version, report) as found:
        yield found


@contextmanager
def _newest(address: str | None, report: Callable[[str], None]) -> Iterator[str]:
    if address is not None:
        yield address
        return
    with System(parts=frozenset({Part.TRITON}), report=report) as system:
        yield system.triton.grpc_url


@contextmanager
def _only(version: int, report: Callable[[str], None]) -> Iterator[str]:
    """Serves a view of the repository in which this version is the only one, however old it is."""
    model = MODEL_REPOSITORY / MODEL
    if not (model / str(version)).is_dir():
        there = sorted(int(path.name) for path in model.glob("[0-9]*"))
        raise CommandFailed(f"{MODEL} has no version {version}; there are: {', '.join(map(str, there))}")
    with tempfile.TemporaryDirectory(prefix="seawall-") as folder:
        view = Path(folder, MODEL)
        view.mkdir()
        shutil.copy(model / "config.pbtxt", view)
        (view / str(version)).symlink_to(model / str(version))
        ports = Ports()
        cache = ROOT / ".cache" / "seawall"
        server = TritonServer(
            repository=Path(folder),
            cache=cache,
            log=cache / f"triton-version-{version}.log",  # outlives the view, for errors name it
            ports=TritonPorts(*(ports.take(name="Triton") for _ in range(3))),
        )
        report(f"starting Triton with version {version}")
        with server:
            server.wait_ready(TRITON_READY_TIMEOUT_S)
            yield server.grpc_url
