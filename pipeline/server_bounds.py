"""What a server grants one connection, and how long it lets one be silent."""

from __future__ import annotations

from dataclasses import dataclass

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""Admits the largest legal batch: 500 events of 10,000 four-byte characters, with full metadata."""

MAX_METADATA_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class ConnectionBounds:
    """The bounds that gRPC itself keeps, before any method is asked; docs/operations.md has them as a table.

    Attributes:
        connections: at once; a further one is closed as soon as it comes.
        streams: calls under way on one connection; a further one waits at the client.
        handshake_s: from the connection to the client's HTTP/2 settings.
        silence_s: after so long without a byte the server asks whether the client is still there.
        answer_s: how long it may take to say so; a half-open connection lives no longer than both.
        least_ping_s: who asks the server more often than that is cut off.
        idle_s: how long a connection without a call is kept.
    """

    connections: int = 4_096
    streams: int = 1_024
    handshake_s: float = 20.0
    silence_s: float = 30.0
    answer_s: float = 10.0
    least_ping_s: float = 10.0
    idle_s: float = 900.0

    def options(self) -> list[tuple[str, int]]:
        """As a server takes them; of two of one name gRPC takes the first, so add none of these."""
        return [
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_allowed_incoming_connections", self.connections),
            ("grpc.max_concurrent_streams", self.streams),
            ("grpc.max_metadata_size", MAX_METADATA_BYTES),
            # Without it gRPC refuses at random what lies between the limit and a quarter more.
            ("grpc.absolute_max_metadata_size", MAX_METADATA_BYTES),
            ("grpc.server_handshake_timeout_ms", _ms(self.handshake_s)),
            ("grpc.keepalive_time_ms", _ms(self.silence_s)),
            ("grpc.keepalive_timeout_ms", _ms(self.answer_s)),
            (
                "grpc.http2.ping_timeout_ms",
                _ms(self.answer_s),
            ),  # without it 60 s, whatever the line above says
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", _ms(self.least_ping_s)),
            ("grpc.http2.max_ping_strikes", 2),
            ("grpc.max_connection_idle_ms", _ms(self.idle_s)),
            # None: a few bytes would unpack to more than the memory holds, before their size is looked at.
            ("grpc.compression_enabled_algorithms_bitset", 1),
            # What one stream may send before it is read; a reader with time to spare is given more.
            ("grpc.http2.lookahead_bytes", 64 * 1024),
            ("grpc.http2.bdp_probe", 1),
        ]


def _ms(seconds: float) -> int:
    return round(1_000 * seconds)
