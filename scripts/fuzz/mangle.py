"""Bytes that are nearly messages, or none at all."""

from __future__ import annotations

from random import Random

_MOST_CHANGES = 4
_DEEPEST = 20_000


def random_bytes(dice: Random) -> bytes:
    """Any bytes."""
    return dice.randbytes(dice.choice((0, 1, 2, 8, 64, 512)))


def mutated(dice: Random, message: bytes) -> bytes:
    """The message with a few bytes changed, taken out, put in, doubled, or cut off at the end."""
    changed = bytearray(message)
    for _ in range(dice.randint(1, _MOST_CHANGES)):
        place = dice.randrange(len(changed) + 1)
        match dice.randrange(6):
            case 0:
                changed[place : place + 1] = bytes([dice.randrange(256)])
            case 1:
                changed[place : place + 1] = b""
            case 2:
                changed[place:place] = dice.randbytes(dice.randint(1, 4))
            case 3:
                changed[place:place] = changed[place : place + dice.randint(1, 16)]
            case 4:
                changed[place:place] = varint(dice.choice((0, 2**31, 2**32 - 1, 2**63, 2**64 - 1)))
            case _:
                del changed[place:]
    return bytes(changed)


def nested(dice: Random) -> bytes:
    """Messages in messages, or groups in groups, deeper than any reader goes."""
    depth = dice.choice((99, 101, 1_000, _DEEPEST))
    if dice.random() < 0.5:
        return b"\x0b" * depth + (b"\x0c" * depth if dice.random() < 0.5 else b"")  # field 1, start and end
    made = b""
    for _ in range(min(depth, 1_000)):  # each layer writes its length: quadratic to make
        made = field(1, made)
    return made


def field(number: int, data: bytes) -> bytes:
    """A field with a length, on the wire."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(number: int) -> bytes:
    """A number of at most 64 bits, on the wire."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])
