"""A real tritonserver as a child process: started, awaited, stopped, and never outliving its parent."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StartupFailed
from scripts.system.certificates import Pair
from scripts.system.process import ChildProcess
from scripts.system.triton_runtime import TritonFailed, assemble

HOST = "127.0.0.1"
ADMIN_APIS = "model-repository,shared-memory,trace,logging"
"""What Triton answers to an operator alone; inference, health, metadata and statistics are open."""
ADMIN_HEADER = "seawall-admin"
NICENESS = 15
"""Of the server among the processes of its machine: a model at work takes every processor that it is left."""
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where POSIX shared memory lies, not a temporary folder


@dataclass(frozen=True, slots=True)
class TritonPorts:
    """TCP ports on 127.0.0.1; the defaults keep clear of Seawall's own 8001 and 8002."""

    http: int = 8100
    grpc: int = 8101
    metrics: int = 8102


@dataclass(frozen=True, slots=True)
class TritonTls:
    """Of Triton's gRPC port: its certificate, and the authority of those that it asks its clients for."""

    pair: Pair
    client_authority: Path


class TritonServer:
    """Serves one model repository. Model control is explicit: what was not asked for is not loaded.

    It listens on 127.0.0.1 alone. Who has not the secret of `admin_headers` may infer and look, and change
    nothing: neither load nor unload, nor shared memory, traces or logging.
    """

    def __init__(
        self,
        *,
        repository: Path,
        cache: Path,
        log: Path,
        ports: TritonPorts | None = None,
        models: Sequence[str] = ("e5_risk",),
        tls: TritonTls | None = None,
    ) -> None:
        self._repository = repository
        self._cache = cache
        self._log = log
        self._models = tuple(models)
        self._process: ChildProcess | None = None
        self._tls = tls
        self._admin_secret = secrets.token_urlsafe(24)
        self.ports = ports or TritonPorts()

    @property
    def admin_headers(self) -> dict[str, str]:
        """What a gRPC call of an operator carries, as tritonclient's `headers`."""
        return {f"triton-grpc-protocol-{ADMIN_HEADER}": self._admin_secret}

    @property
    def admin_http_headers(self) -> dict[str, str]:
        """The same of an HTTP request."""
        return {ADMIN_HEADER: self._admin_secret}

    @property
    def grpc_url(self) -> str:
        """Host and port, as tritonclient takes them."""
        return f"{HOST}:{self.ports.grpc}"

    @property
    def http_url(self) -> str:
        """With scheme."""
        return f"http://{HOST}:{self.ports.http}"

    @property
    def metrics_url(self) -> str:
        """Prometheus text."""
        return f"http://{HOST}:{self.ports.metrics}/metrics"

    @property
    def pid(self) -> int | None:
        """Of the running server."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process; returns before it is ready. Raises TritonUnfit or TritonFailed."""
        if self._process is not None:
            raise TritonFailed("this TritonServer was started already")
        self._check_files()
        self._check_ports()
        runtime = assemble(self._cache)
        self._log.unlink(missing_ok=True)
        self._process = ChildProcess(
            "Triton",
            [str(runtime.executable), *self._arguments(runtime.backends)],
            env=runtime.environment,
            log=self._log,
            niceness=NICENESS,
        )
        self._process.start()

    def wait_ready(self, timeout_s: float) -> None:
        """Block until every model answers, warmed up; raises TritonFailed with the log's last useful line."""
        if self._process is None:
            raise TritonFailed("Triton was not started")
        try:
            self._process.wait_ready(self.is_ready, timeout_s=timeout_s)
        except StartupFailed as error:
            self.stop()
            raise TritonFailed(str(error)) from None

    def is_ready(self) -> bool:
        """Whether the server and every model in it answer; blocks for a second at most."""
        with contextlib.suppress(urllib.error.URLError, OSError):
            url = f"{self.http_url}/v2/health/ready"
            with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 - our own http
                return bool(answer.status == 200)
        return False

    def stop(self, grace_s: float = 10.0) -> None:
        """End server and backend processes: SIGTERM, after the grace SIGKILL. Harmless when stopped."""
        process, self._process = self._process, None
        if process is not None:
            process.stop(grace_s=grace_s)
            self._remove_segments()

    def kill(self) -> None:
        """End server and backend processes with SIGKILL, as a crash would. Harmless when stopped.

        Nothing is lost where nobody asks the server any more, for it keeps nothing. And it is at once: by
        itself the server looks once a second whether its models have gone, and ends two seconds later.
        """
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            self._remove_segments()

    def send_signal(self, number: signal.Signals) -> None:
        """Send server and backend processes a signal, such as SIGSTOP. Harmless when stopped."""
        if self._process is not None and self._process.running:
            os.killpg(self._process.pid, number)

    def __enter__(self) -> TritonServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _remove_segments(self) -> None:
        for segment in _SHARED_MEMORY.glob(f"{_segment_prefix(os.getpid(), self.ports)}*"):
            segment.unlink(missing_ok=True)

    def _arguments(self, backends: Path) -> list[str]:
        return [
            f"--model-repository={self._repository.resolve()}",
            f"--backend-directory={backends}",
            "--model-control-mode=explicit",
            *(f"--load-model={model}" for model in self._models),
            "--strict-readiness=true",
            "--exit-on-error=true",
            "--disable-auto-complete-config",
            f"--http-address={HOST}",
            f"--http-port={self.ports.http}",
            f"--grpc-address={HOST}",
            f"--grpc-port={self.ports.grpc}",
            f"--metrics-address={HOST}",
            f"--metrics-port={self.ports.metrics}",
            f"--grpc-restricted-protocol={ADMIN_APIS}:{ADMIN_HEADER}={self._admin_secret}",
            f"--http-restricted-api={ADMIN_APIS}:{ADMIN_HEADER}={self._admin_secret}",
            *self._tls_arguments(),
            "--exit-timeout-secs=8",
            f"--backend-config=python,shm-region-prefix-name={_segment_prefix(os.getpid(), self.ports)}",
        ]

    def _tls_arguments(self) -> list[str]:
        if self._tls is None:
            return []
        return [
            "--grpc-use-ssl=true",
            "--grpc-use-ssl-mutual=true",
            f"--grpc-server-cert={self._tls.pair.certificate}",
            f"--grpc-server-key={self._tls.pair.key}",
            f"--grpc-root-cert={self._tls.client_authority}",
        ]

    def _check_files(self) -> None:
        for model in self._models:
            folder = self._repository / model
            if not (folder / "config.pbtxt").is_file():
                raise TritonFailed(f"no model {model!r} in {self._repository}: config.pbtxt is missing")
            if not any(child.name.isdigit() for child in folder.iterdir()):
                raise TritonFailed(f"{folder} has no version yet: run `seawall model build`")

    def _check_ports(self) -> None:
        for port in (self.ports.http, self.ports.grpc, self.ports.metrics):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, port))
                except OSError as error:
                    raise TritonFailed(
                        f"port {port} is taken: stop what listens there, or choose another"
                    ) from error


def _segment_prefix(pid: int, ports: TritonPorts) -> str:
    """Of the shared-memory segments, so that a killed server's can be told from others' and removed."""
    return f"seawall_triton_{pid}_{ports.grpc}_"
