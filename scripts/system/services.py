"""`Service`: one of our own services, ingest or screener, as a process of this machine."""

from __future__ import annotations

import http.client
import os
import ssl
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.system.ports import HOST
from scripts.system.process import ChildProcess

ROOT = Path(__file__).resolve().parents[2]
"""The repository."""

READY_TIMEOUT_S = 120.0  # covers the screener's first batches on a busy machine

STOP_GRACE_S = 50.0  # twice DRAIN_GRACE_MS and MODEL_TIMEOUT_MS together, as docs/operations.md has it

SCREENER_NICENESS = 5
"""Behind ingest, which somebody waits for, and before the model, which it feeds."""

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "DEVICE")


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
        run_by: Sequence[str] = ("-m",),
        context: ssl.SSLContext | None = None,
        niceness: int | None = None,
    ) -> None:
        """Takes the service's name, its settings as environment variables, and a folder for its log.

        `replica` only tells the logs of several processes of one service apart; `run_by` is what stands
        between `python` and the name. `context` is for asking it over TLS, `niceness` as in `ChildProcess`.
        """
        self.ports = ports
        self.address = f"{HOST}:{ports.grpc}"
        self.http_url = f"{'https' if context else 'http'}://{HOST}:{ports.http}"
        self._context = context
        own = {
            "BIND_HOST": HOST,
            f"{name.upper()}_GRPC_PORT": str(ports.grpc),
            f"{name.upper()}_HTTP_PORT": str(ports.http),
        }
        self._api_key = settings.get("API_KEYS", "").partition(",")[0]
        inherited = {key: os.environ[key] for key in _INHERITED if key in os.environ}
        self.process = ChildProcess(
            name if replica == 1 else f"{name} {replica}",
            [sys.executable, *run_by, name],
            env={**inherited, "PYTHONUNBUFFERED": "1", "GRPC_VERBOSITY": "NONE", **settings, **own},
            log=folder / f"{name}-{replica}.log",
            cwd=ROOT,
            niceness=niceness,
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
        connection = self._connection(timeout_s=2)
        try:
            connection.request("GET", "/ready")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def metrics(self) -> str:
        """What `/metrics` says now, asked with the first of `API_KEYS`; blocks for five seconds at most.

        Raises:
            OSError: it does not answer, or not so.
        """
        connection = self._connection(timeout_s=5)
        try:
            connection.request("GET", "/metrics", headers={"api-key": self._api_key})
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise OSError(f"{self.http_url}/metrics answers {answer.status}")
            return answer.read().decode()
        finally:
            connection.close()

    def _connection(self, *, timeout_s: float) -> http.client.HTTPConnection:
        if self._context is None:
            return http.client.HTTPConnection(HOST, self.ports.http, timeout=timeout_s)
        return http.client.HTTPSConnection(HOST, self.ports.http, timeout=timeout_s, context=self._context)

    def stop(self) -> bool:
        """Lets it drain; whether it has ended by itself, or had to be killed."""
        return self.process.stop(grace_s=STOP_GRACE_S)
