"""TCP ports of this machine that nothing listens on."""

from __future__ import annotations

import random
import socket

from pipeline.errors import StartupFailed

HOST = "127.0.0.1"

_RANGE = range(15_000, 32_000)
"""Below 32,768, where Linux begins to take ports for outgoing connections: none of those can come between
the choice of a port and the start of its server."""
_TRIES = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections only linger in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


class Ports:
    """Hands out ports, none of them twice."""

    def __init__(self) -> None:
        self._taken: set[int] = set()

    def take(self, wanted: int | None = None, *, name: str) -> int:
        """The wanted port, or any free one where none is wanted.

        Raises:
            StartupFailed: the wanted port is in use; `name` tells whose port it was to be.
        """
        if wanted is None:
            port = self._any()
        elif wanted in self._taken or not is_free(wanted):
            raise StartupFailed(
                f"port {wanted} for {name} is in use: stop what listens there, or choose another"
            )
        else:
            port = wanted
        self._taken.add(port)
        return port

    def _any(self) -> int:
        for port in random.sample(_RANGE, _TRIES):
            if port not in self._taken and is_free(port):
                return port
        raise StartupFailed(f"no free port between {_RANGE.start} and {_RANGE.stop} on {HOST}")
