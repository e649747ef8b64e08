"""`Service`: one of our own services, ingest or screener, as a process of this machine."""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.system.ports import HOST
from scripts.system.process import ChildProcess

ROOT = Path(__file__).resolve().parents[2]
"""The repository."""

READY_TIMEOUT_S = 120.0  # covers the screener's first batches on a busy machine

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class ServicePorts:
    """The two ports of a service, on 127.0.0.1."""

    grpc: int
    http: int


class Service:
    """Runs `python -m <name>` with the settings it is given, and none of the caller's own environment."""

    def __init__(
        self,
        name: str,
        *,
        ports: ServicePorts,
        settings: Mapping[str, str],
        folder: Path,
        replica: int = 1,
    ) -> None:
        """Takes the service's name, its settings as environment variables, and a folder for its log.

        `replica` only tells the logs of several processes of one service apart.
        """
        self.ports = ports
        self.address = f"{HOST}:{ports.grpc}"
        self.http_url = f"http://{HOST}:{ports.http}"
        own = {
            "BIND_HOST": HOST,
            f"{name.upper()}_GRPC_PORT": str(ports.grpc),
            f"{name.upper()}_HTTP_PORT": str(ports.http),
        }
        inherited = {key: os.environ[key] for key in _INHERITED if key in os.environ}
        self.process = ChildProcess(
            name if replica == 1 else f"{name} {replica}",
            [sys.executable, "-m", name],
            env={**inherited, "PYTHONUNBUFFERED": "1", **settings, **own},
            log=folder / f"{name}-{replica}.log",
            cwd=ROOT,
        )

    def start(self) -> None:
        """Starts it and returns at once."""
        self.process.start()

    def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Blocks until its `/ready` answers 200.

        Raises:
            ProcessDied: it ended instead; the message says why.
            NotReady: it did not become ready in time.
        """
        self.process.wait_ready(self.is_ready, timeout_s=timeout_s)

    def is_ready(self) -> bool:
        """Whether `/ready` answers 200 now; blocks for two seconds at most."""
        connection = http.client.HTTPConnection(HOST, self.ports.http, timeout=2)
        try:
            connection.request("GET", "/ready")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        """Lets it drain, then stops it."""
        self.process.stop()
