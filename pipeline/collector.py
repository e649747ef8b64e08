"""How Python's collector of cycles treats a service."""

from __future__ import annotations

import gc

_NEW_OBJECTS = 10_000
"""Between two looks of the collector. Python's default is 700, those of some 15 events: a twelfth of a loop's
time went into looking at objects that nearly all are free soon, or here to stay. With many more, one look
would be a stall of its own: of a refused call gRPC leaves six objects in a cycle."""

_YOUNG_LOOKS, _MIDDLE_LOOKS = 10, 1_000
"""Looks before what survived one is looked at again, and before everything is. That takes tenths of a second
where an index remembers a hundred thousand texts, and finds next to nothing: little here is in cycles."""


def settle() -> None:
    """To be called when a service is about to serve: what it holds by then is here to stay."""
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, _YOUNG_LOOKS, _MIDDLE_LOOKS)
