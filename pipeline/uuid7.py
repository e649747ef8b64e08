"""UUIDv7 (RFC 9562), which Python's own library has only from 3.14 on."""

from __future__ import annotations

from uuid import UUID


def uuid7(now_ms: int, random: bytes) -> str:
    """The UUIDv7 of this instant and of 10 random bytes; ids sort by time."""
    value = (now_ms & (1 << 48) - 1) << 80 | int.from_bytes(random[:10], "big")
    value = value & ~(0xF << 76) | 0x7 << 76  # version
    value = value & ~(0x3 << 62) | 0x2 << 62  # variant
    return str(UUID(int=value))
