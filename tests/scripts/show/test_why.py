from __future__ import annotations

from scripts.show.why import one_line, shortened


def test_control_codes_do_not_reach_the_terminal() -> None:
    assert one_line("a\x1b[31mred\r\n\tb\u202e") == "a [31mred b"


def test_long_texts_are_cut() -> None:
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abcde…"
