"""Hostile texts: what people who mean harm, or their broken programs, put into a string."""

from __future__ import annotations

from random import Random

from scripts.fuzz import bombs

_SURROGATES = range(0xD800, 0xE000)
_MARKS = "".join(map(chr, range(0x300, 0x370)))
_LONGEST = 10_000
_CONTROL = "".join(map(chr, [*range(0x20), 0x7F, *range(0x80, 0xA0), 0x200B, 0x200E, 0x202E, 0x2028, 0xFEFF]))
REDIS = (
    "*1\r\n$8\r\nFLUSHALL\r\n",
    "\r\nSET event:x y\r\n",
    "x\r\n*3\r\n$3\r\nDEL\r\n$10\r\nevents:raw\r\n",
    "event:{0}:*",
    "'] redis.call('FLUSHALL') --",
    "0-0",
    "$-1\r\n",
    "events:raw MAXLEN 0",
)
LOG = (
    '\n{"event": "started", "level": "info"}\n',
    '"}\n{"level":"critical","event":"rpc_failed"}',
    "\x1b[2J\x1b[31mFATAL\x1b[0m",
    "%s%s%n %(message)s {0.__class__} {event!r}",
    'Traceback (most recent call last):\n  File "x", line 1',
    "\u2028{}\u2029",
)


def any_plane(dice: Random) -> str:
    """Characters of one of the 17 planes of Unicode, assigned or not."""
    plane = dice.randrange(17)
    codes = (plane * 0x10000 + dice.randrange(0x10000) for _ in range(dice.randint(1, 40)))
    return "".join(chr(code) for code in codes if code not in _SURROGATES) or "x"


def zalgo(dice: Random) -> str:
    """Letters under heaps of marks; now and then as long as a content may be, or longer by one."""
    length = dice.choice((60, 60, 60, 200, _LONGEST, _LONGEST + 1)) if dice.random() < 0.02 else 60
    heap = "".join(
        dice.choice("aeiou\u0430") + "".join(dice.choices(_MARKS, k=dice.randint(1, 30))) for _ in range(3)
    )
    return (heap * (length // len(heap) + 1))[:length]


def bomb(dice: Random) -> str:
    """What some rule or step has most work with; now and then as long as a content may be."""
    length = _LONGEST if dice.random() < 0.01 else dice.randint(1, 120)
    return bombs.text(dice.choice(bombs.NAMES), length)


def control(dice: Random) -> str:
    """Letters with control characters, and others that cannot be seen, among them."""
    return "".join(dice.choice(_CONTROL) if dice.random() < 0.3 else "a" for _ in range(dice.randint(1, 40)))


def redis_protocol(dice: Random) -> str:
    """Commands, key patterns and replies of Redis, and pieces of scripts."""
    return f"{dice.choice(('', 'a'))}{dice.choice(REDIS)}{dice.randrange(1_000)}"


def log_lines(dice: Random) -> str:
    """Lines of a log, escape sequences, format strings."""
    return f"{dice.choice(('', 'a'))}{dice.choice(LOG)}{dice.randrange(1_000)}"


def lone_surrogate(dice: Random) -> bytes:
    """Half of a pair in UTF-8, as some JSON libraries make it of an escaped one."""
    half = chr(dice.choice(_SURROGATES)).encode("utf-8", "surrogatepass")
    return dice.choice((half, b"a" + half, half + b"a", half + half))
