"""The list of English words is the encoder's vocabulary."""

from __future__ import annotations

import json
import re
from pathlib import Path

from screener.text import english
from screener.text.english import read_english
from training.source import Source


def test_the_list_is_the_encoders_vocabulary(source: Source) -> None:
    ranks: dict[str, int] = json.loads(source.tokenizer.read_text(encoding="utf-8"))["model"]["vocab"]
    words = [word for word in sorted(ranks, key=lambda word: ranks[word]) if re.fullmatch("[a-z]{3,}", word)]
    listed = Path(english.__file__).with_name("lists") / "english.txt"
    assert listed.read_text(encoding="utf-8").split() == words


def test_words_are_known_with_their_endings() -> None:
    known = read_english()
    assert all(map(known.knows, ["idiot", "liars", "strangle", "wont", "they're"]))
    assert not any(map(known.knows, ["1d1ot", "iditos", "xq", "qzst", "desir"]))


def test_short_abbreviations_are_read_out_of_nothing() -> None:
    known = read_english()
    assert known.knows("nbc")
    assert not known.may_hide("nbc")
    assert known.may_hide("you")
