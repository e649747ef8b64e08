from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import EntryUndecodable
from pipeline.verdict import Category
from screener.model import EMBEDDING_WIDTH
from screener.similarity.family import Standing
from screener.similarity.seen import NOTHING_SAID, Said, Seen, vectors_in

SEEN = Seen("e1", Category.LOW_RISK, 1, b"a" * 8, b"t" * 16, 1_000, np.full(EMBEDDING_WIDTH, 0.5, np.float32))
COUNT = st.integers(0, 2**40)
SAID = st.builds(
    Said,
    informative=COUNT,
    solicits=st.booleans(),
    campaign=st.booleans(),
    families=st.lists(
        st.builds(
            Standing,
            name=st.text(max_size=20),
            first_event_id=st.text(max_size=20),
            began_ms=COUNT,
            events=COUNT,
            authors=COUNT,
        ),
        max_size=3,
    ).map(tuple),
)


def as_redis_has_it(seen: Seen) -> dict[bytes, bytes]:
    return {
        name.encode(): value if isinstance(value, bytes) else str(value).encode()
        for name, value in seen.encode().items()
    }


@settings(deadline=None)  # a busy machine may take long for one
@given(SAID)
def test_decodes_what_it_encoded(said: Said) -> None:
    decoded = Seen.decode(as_redis_has_it(SEEN._replace(said=said)))
    assert np.array_equal(decoded.vector, SEEN.vector)
    assert decoded._replace(vector=SEEN.vector) == SEEN._replace(said=said)


def test_an_entry_of_an_earlier_release_says_nothing_and_counts_by_its_vector() -> None:
    fields = as_redis_has_it(SEEN)
    del fields[b"said"]
    assert Seen.decode(fields).said == NOTHING_SAID


@pytest.mark.parametrize("said", [b"", b"[]", b"{}", b'{"families": 1}', b'{"families": [], "other": 1}'])
def test_anything_else_is_undecodable(said: bytes) -> None:
    with pytest.raises(EntryUndecodable):
        Seen.decode(as_redis_has_it(SEEN) | {b"said": said})


def test_what_solicits_or_is_harmful_pushes() -> None:
    assert not SEEN.pushes
    assert SEEN._replace(said=Said(solicits=True)).pushes
    assert SEEN._replace(category=Category.SPAM).pushes


def test_vectors_of_many_entries_are_those_of_each_and_none_where_one_is_broken() -> None:
    infinite = SEEN._replace(vector=np.where(np.arange(EMBEDDING_WIDTH) == 3, np.inf, SEEN.vector))
    entries = [as_redis_has_it(seen) for seen in (SEEN, infinite, SEEN, SEEN)]
    entries[2][b"vector"] = entries[2][b"vector"][:-2]
    del entries[3][b"vector"]
    found = vectors_in([*entries, as_redis_has_it(SEEN)])
    assert [vector is None for vector in found] == [False, True, True, True, False]
    assert found[4] is not None
    assert np.array_equal(found[4], SEEN.vector)
    for entry in entries[1:]:
        with pytest.raises(EntryUndecodable):
            Seen.decode(entry)
