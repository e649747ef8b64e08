"""The suites stay unseen: no hand-made line that the model is trained on can become one of their texts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

from tests.suites.cases import read_functionalities
from tests.suites.test_fairness import PEOPLE, SENTENCES
from training.synthetic.filling import SLOT
from training.synthetic.reading import FOLDER, read_synthetic

LEAST_WORDS, LEAST_SHARE = 4, 0.5
"""Own words of a training template, and their share of the text: less is anybody's turn of phrase."""


def plain(text: str) -> str:
    """Words in lower case, one space between them, so that case and punctuation tell nothing apart."""
    return " ".join(re.findall(r"\w+", text.lower().replace("'", "")))


def suite_texts() -> dict[str, str]:
    texts = [text for functionality in read_functionalities() for text in functionality.texts]
    texts += [sentence.format(somebody=somebody) for sentence in SENTENCES for somebody in PEOPLE]
    return {plain(text): text for text in texts}


def training_templates() -> Iterator[tuple[str, ...]]:
    """What stands between the slots of each template, in plain words."""
    for path in FOLDER.glob("*.toml"):
        for group in tomllib.loads(path.read_text(encoding="utf-8")).get("group", ()):
            for template in group["templates"]:
                yield tuple(plain(part) for part in SLOT.sub("\0", template).split("\0"))


def test_no_training_text_is_a_suites_text() -> None:
    texts = suite_texts()
    seen = {plain(text) for text in read_synthetic().corpus.texts} & texts.keys()
    assert not [texts[text] for text in seen]


def test_no_training_template_can_give_a_suites_text() -> None:
    texts = suite_texts()
    joined = "\n".join(texts)
    found = []
    for parts in training_templates():
        words = sum(len(part.split()) for part in parts)
        if words < LEAST_WORDS or any(part not in joined for part in parts):
            continue
        form = re.compile(r"\b.+\b".join(map(re.escape, parts)))
        found += [
            (texts[text], "{}".join(parts))
            for text in texts
            if form.fullmatch(text) and words >= LEAST_SHARE * len(text.split())
        ]
    assert not found
