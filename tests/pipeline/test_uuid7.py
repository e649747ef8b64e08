from __future__ import annotations

from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from pipeline.uuid7 import uuid7
from pipeline.validation import event_id_violation

NOW = st.integers(0, 2**48 - 1)
RANDOM = st.binary(min_size=10, max_size=10)


@given(now_ms=NOW, random=RANDOM)
def test_is_a_uuid_of_version_7_and_this_instant(now_ms: int, random: bytes) -> None:
    value = UUID(uuid7(now_ms, random))
    assert (value.version, value.variant, value.int >> 80) == (7, RFC_4122, now_ms)
    assert event_id_violation(str(value)) is None


@given(earlier=NOW, later=NOW, first=RANDOM, second=RANDOM)
def test_ids_sort_by_time(earlier: int, later: int, first: bytes, second: bytes) -> None:
    if earlier < later:
        assert uuid7(earlier, first) < uuid7(later, second)


def test_keeps_the_other_74_random_bits() -> None:
    bits = [UUID(uuid7(0, (1 << i).to_bytes(10, "big"))).int for i in range(80)]
    assert len(set(bits) - {UUID(uuid7(0, bytes(10))).int}) == 74


def test_is_the_example_of_the_standard() -> None:
    # RFC 9562, appendix A.6
    random = (0x7 << 76 | 0xCC3 << 64 | 0x2 << 62 | 0x18C4DC0C0C07398F).to_bytes(10, "big")
    assert uuid7(0x017F22E279B0, random) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
