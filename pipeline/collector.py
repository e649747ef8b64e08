"""How Python's collector of cycles treats a service."""

from __future__ import annotations

import gc

_NEW_OBJECTS = 10_000
"""Between two looks of the collector. Python's default is 700, those of some 15 events: a twelfth of a loop's
time went into looking at objects that nearly all are free soon, or here to stay."""

NEW_OBJECTS_OF_CALLS = 2_000
"""The same where single calls come by the hundred each second. Of each call gRPC leaves six objects in a
cycle, and to clear 10,000 of them away held up every other for 11 to 18 ms while all processors had work. To
look so often takes less than a hundredth of the time of an event of a batch."""

_YOUNG_LOOKS, _MIDDLE_LOOKS = 10, 1_000
"""Looks before what survived one is looked at again, and before everything is. That takes tenths of a second
where an index remembers a hundred thousand texts, and finds next to nothing: little here is in cycles."""


def settle(*, new_objects: int = _NEW_OBJECTS) -> None:
    """To be called when a service is about to serve: what it holds by then is here to stay."""
    gc.freeze()
    gc.set_threshold(new_objects, _YOUNG_LOOKS, _MIDDLE_LOOKS)
