from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from pipeline.collector import NEW_OBJECTS_OF_CALLS, settle


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_what_is_there_when_a_service_settles_is_looked_at_no_more() -> None:
    here: list[object] = []
    here.append(here)
    settle()
    assert gc.get_freeze_count() > 0
    assert not any(found is here for found in gc.get_objects())


def test_single_calls_are_cleared_away_sooner_than_anything_else() -> None:
    settle()
    usual = gc.get_threshold()
    settle(new_objects=NEW_OBJECTS_OF_CALLS)
    assert gc.get_threshold() == (NEW_OBJECTS_OF_CALLS, *usual[1:])
    assert usual[0] > NEW_OBJECTS_OF_CALLS
