"""`Call`: one hostile call of a method, and `Answer`: what came back. Both know no network.

A call is kept in a file as lines: the service, the method, then each message in hex.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import grpc
from google.rpc import status_pb2

INGEST = "/seawall.ingest.v1.IngestService/"
SCREENING = "/seawall.screening.v1.ScreeningService/"
PACKED = "packed messages"
"""The kind whose messages are sent with gzip."""


class Target(Enum):
    """A service, by the name of its process."""

    INGEST = "ingest"
    SCREENER = "screener"


class End(Enum):
    """How the client ends its side."""

    CLOSES = "it half-closes"
    LEAVES = "it cancels the call"
    WAITS = "it does nothing, until its deadline"


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        kind: the row of the table that it counts in.
        target: which service.
        method: full name, with slashes.
        messages: what is sent, serialised or not at all what a serialiser would give.
        inputs: how many hostile inputs that is.
        metadata: beside the key.
        end: how the client ends it.
        deadline_s: the call's own.
    """

    kind: str
    target: Target
    method: str
    messages: tuple[bytes, ...]
    inputs: int = 1
    metadata: tuple[tuple[str, str | bytes], ...] = ()
    end: End = End.CLOSES
    deadline_s: float = 60.0

    @property
    def is_unary(self) -> bool:
        """Whether it is one message, sent as one."""
        return len(self.messages) == 1 and self.end is End.CLOSES and not self.method.endswith("Stream")

    def encode(self) -> str:
        """The lines of a file; metadata and the end are not kept."""
        return "\n".join([self.target.value, self.method, *(message.hex() for message in self.messages), ""])

    @classmethod
    def decode(cls, text: str, *, kind: str) -> Call:
        """Reads what `encode` wrote.

        Raises:
            ValueError: it is something else.
        """
        target, method, *messages = text.splitlines()
        return cls(
            kind,
            Target(target),
            method,
            tuple(bytes.fromhex(message) for message in messages),
            inputs=len(messages),
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        code: the status.
        message: the words of the status.
        status: the status with its details; None where it carries none.
        responses: the messages, serialised.
        seconds: from the beginning to the status.
        hung: no status came, not even some time after the deadline.
        lost: the client's library lost the status that came, for it was still writing.
    """

    code: grpc.StatusCode
    message: str = ""
    status: status_pb2.Status | None = None
    responses: tuple[bytes, ...] = ()
    seconds: float = 0.0
    hung: bool = False
    lost: bool = False
