"""What is remembered of the last texts, and that it goes."""

from __future__ import annotations

from screener.recent import KEEP_MS, LONGEST, MOST_TEXTS, Recent


def test_keeps_what_comes_again_and_forgets_what_does_not() -> None:
    recent: Recent[int] = Recent()
    recent.turn(1_000)
    recent.put("again", 1)
    recent.put("once", 2)
    recent.turn(1_000 + KEEP_MS)
    assert recent.get("again") == 1  # from the older generation, and so in the newer one
    recent.turn(1_000 + 2 * KEEP_MS)
    assert (recent.get("again"), recent.get("once")) == (1, None)


def test_turns_no_sooner_than_it_is_time() -> None:
    recent: Recent[int] = Recent()
    recent.turn(1_000)
    recent.put("hello", 1)
    for ms in range(1_001, 1_000 + KEEP_MS, 1_000):
        recent.turn(ms)
    assert recent.get("hello") == 1


def test_holds_two_generations_at_most() -> None:
    recent: Recent[int] = Recent()
    recent.turn(1_000)
    for number in range(5 * MOST_TEXTS):
        recent.turn(1_001)
        recent.put(str(number), number)
    kept = [number for number in range(5 * MOST_TEXTS) if recent.get(str(number)) is not None]
    assert MOST_TEXTS <= len(kept) <= 2 * MOST_TEXTS
    assert kept == list(range(kept[0], 5 * MOST_TEXTS))


def test_does_not_keep_long_texts() -> None:
    recent: Recent[int] = Recent()
    recent.put("x" * LONGEST, 1)
    recent.put("y" * (LONGEST + 1), 2)
    assert (recent.get("x" * LONGEST), recent.get("y" * (LONGEST + 1))) == (1, None)


def test_forgets_all_when_told() -> None:
    recent: Recent[int] = Recent()
    recent.put("one", 1)
    recent.turn(KEEP_MS)
    recent.put("two", 2)
    recent.clear()
    assert (recent.get("one"), recent.get("two")) == (None, None)
