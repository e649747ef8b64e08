"""The parent of a service's processes: starts them, starts again what ends, and stops them together.

They share one gRPC port: the kernel deals connections out among those that listen on it (SO_REUSEPORT). The
parent holds the port too, without listening, so that nobody else takes it while a process is being started
again. It answers HTTP for all (`answers.py`).
"""

from __future__ import annotations

import asyncio
import signal
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry

from pipeline.errors import StartupFailed, TaskFailed
from pipeline.processes.answers import Answers
from pipeline.processes.place import Place
from pipeline.server import Endpoints, ensure_free
from pipeline.tasks import end
from pipeline.tls import CertificatesInForce, server_context
from pipeline.tls_watch import CertificateMetrics, watch_certificates

_AGAIN_S = 1.0
"""Between the end of a process and its next start."""

_log = structlog.get_logger(__name__)


async def run_processes(
    parts: Sequence[str],
    *,
    endpoints: Endpoints,
    certificates: CertificatesInForce | None,
    stop_within_s: float,
    last: Sequence[str] = (),
) -> None:
    """Runs the service until SIGTERM or SIGINT, then has its processes drain.

    Args:
        parts: names of the processes; each is this program, told its `Place`.
        endpoints: of the service.
        certificates: of its ports; None for plain text.
        stop_within_s: most time that they get to drain; who is not done then is killed.
        last: those that others need, which are stopped after them.

    Raises:
        StartupFailed: a port is in use, or a process could not start, which has said why by itself.
        TaskFailed: the certificates are looked after no more.
    """
    await ensure_free(endpoints.host, endpoints.grpc_port)
    with (
        tempfile.TemporaryDirectory(prefix="seawall-") as name,
        _held(endpoints.host, endpoints.grpc_port),
    ):
        places = [Place(part, Path(name)) for part in parts]
        answers = Answers(places)
        web = await answers.start(
            host=endpoints.host,
            port=endpoints.http_port,
            ssl_context=server_context(certificates) if certificates else None,
        )
        children = [_Child(place) for place in places]
        watching = asyncio.create_task(
            watch_certificates((certificates,), CertificateMetrics(CollectorRegistry())), name="certificates"
        )
        tasks = [*(asyncio.create_task(child.run(), name=child.part) for child in children), watching]
        signalled = _signalled()
        try:
            ended, _ = await asyncio.wait((signalled, *tasks), return_when=asyncio.FIRST_COMPLETED)
            answers.draining = True
            _log.info("draining", processes=len(children))
        finally:
            await end((signalled, *tasks))
            await _stop([child for child in children if child.part not in last], stop_within_s)
            await _stop([child for child in children if child.part in last], stop_within_s)
            await web.cleanup()
        for task in ended - {signalled}:
            error = None if task.cancelled() else task.exception()
            if isinstance(error, StartupFailed):
                raise error
            raise TaskFailed(f"{task.get_name()} failed") from error


class _Child:
    """One process, started again when it ends."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._process: asyncio.subprocess.Process | None = None

    @property
    def part(self) -> str:
        """Its name."""
        return self._place.part

    async def run(self) -> None:
        """Until cancelled, which leaves the process as it is.

        Raises:
            StartupFailed: it ended at its first start, before it answered.
        """
        started = False
        while True:
            self._place.http_socket.unlink(missing_ok=True)
            # Its standard input ends when this process does, however that happens: then it drains.
            self._process = await asyncio.create_subprocess_exec(
                *self._place.command, stdin=asyncio.subprocess.PIPE
            )
            status = await self._process.wait()
            started = started or self._place.http_socket.exists()
            if not started:
                raise StartupFailed(f"{self.part} could not start, and has said why")
            _log.error("process_ended", process=self.part, status=status)
            await asyncio.sleep(_AGAIN_S)

    async def stop(self, within_s: float) -> None:
        """SIGTERM, and SIGKILL where that was not enough."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), within_s)
        except TimeoutError:
            _log.error("process_killed", process=self.part, after_s=within_s)
            process.kill()
            await process.wait()


async def _stop(children: Sequence[_Child], within_s: float) -> None:
    await asyncio.gather(*(child.stop(within_s) for child in children))


def _signalled() -> asyncio.Task[bool]:
    signalled = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, signalled.set)
    return asyncio.create_task(signalled.wait())


@contextmanager
def _held(host: str, port: int) -> Iterator[None]:
    """The port, bound and not listened on: the kernel gives it to no one but who shares it as we do."""
    [family, kind, protocol, _, address] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(address)
        yield
