"""Whatever lies among the dead letters, an operator can look at it."""

from __future__ import annotations

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dead_letter import DeadLetter
from pipeline.dead_letters import Kept, Wanted

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=6,
)
OBJECTS = st.dictionaries(
    st.sampled_from(["reason", "deliveries", "entry_id", "consumer", "trace", "other"]), ANYTHING
).map(orjson.dumps)
VALUES = st.binary(max_size=60) | OBJECTS | ANYTHING.map(orjson.dumps)
FIELDS = st.dictionaries(st.sampled_from([b"event_id", b"reason", b"payload", b"event", b"other"]), VALUES)


@settings(max_examples=200, derandomize=True)
@given(fields=FIELDS)
def test_any_fields_are_read_and_shown(fields: dict[bytes, bytes]) -> None:
    letter = DeadLetter.of(fields)
    assert isinstance(letter.deliveries, int)
    assert all(isinstance(line, str) for line in letter.trace)
    assert letter.event == fields.get(b"event", b"")
    kept = Kept("1-1", letter)
    assert Wanted().includes(kept)
    assert kept.event is None or kept.platform is not None
    assert DeadLetter.of({name.encode(): _bytes(value) for name, value in letter.fields().items()}) == letter


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
