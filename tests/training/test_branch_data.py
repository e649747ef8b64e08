"""What the branch is trained on, and in which order; none of it needs torch."""

from __future__ import annotations

import numpy as np
import pytest

from screener.model import ANY_HARM, CATEGORIES
from training.branch.augment import augmented
from training.branch.batches import MAX_ROWS, TOKENS_PER_BATCH, batches, draw
from training.branch.rows import CLEAN_TRUST, DRAWS, KEPT, LABEL_DRAWS, LABEL_TRUST, corpus_rows, thinned
from training.corpus import Corpus

NAN = np.nan
TOXIC, HATE = CATEGORIES.index("TOXIC"), CATEGORIES.index("HATE_SPEECH")


def corpus(*rows: tuple[str, dict[str, int]]) -> Corpus:
    labels = [[float(told.get(name, NAN)) for name in CATEGORIES] for _, told in rows]
    return Corpus(
        tuple(f"text {number}" for number in range(len(rows))),
        np.array([source for source, _ in rows]),
        np.array(labels, dtype=np.float32),
    )


def test_an_unknown_label_weighs_nothing_and_a_doubtful_one_less() -> None:
    rows = corpus_rows(
        corpus(
            ("jigsaw", {"TOXIC": 1}),
            ("implicit-hate", {"HATE_SPEECH": 1}),
            ("toxic-spans", {"TOXIC": 1, "HATE_SPEECH": 0}),
        )
    )
    assert rows.weight[0].tolist() == [0, 1, 0, 0, 0, 0, 1]
    assert rows.weight[1, HATE] == pytest.approx(LABEL_TRUST["implicit-hate"])
    # All but a few of this source's rows are toxic: it would teach that everything is.
    assert rows.weight[2, TOXIC] == 0
    assert rows.weight[2, HATE] == pytest.approx(LABEL_TRUST["toxic-spans"])


def test_a_row_is_harmless_as_far_as_its_source_tells() -> None:
    rows = corpus_rows(
        corpus(
            ("conda", {"TOXIC": 0}),
            ("edos", {"HATE_SPEECH": 0}),
            ("davidson", {"HATE_SPEECH": 0}),
            ("sms-spam", {"SPAM": 1}),
        )
    )
    assert rows.truth[:, ANY_HARM].tolist() == [0, 0, 0, 1]
    assert rows.weight[:, ANY_HARM].tolist() == pytest.approx([1, CLEAN_TRUST["edos"], 0, 1])


def test_rare_positives_are_drawn_more_often() -> None:
    rows = corpus_rows(corpus(("edos", {"VIOLENCE": 1, "HATE_SPEECH": 1}), ("hatexplain", {"TOXIC": 0})))
    rare = DRAWS["edos"] * max(LABEL_DRAWS["VIOLENCE"], LABEL_DRAWS["HATE_SPEECH"])
    assert rows.draws.tolist() == pytest.approx([rare, DRAWS["hatexplain"]])


def test_thinning_keeps_rare_positives_and_its_share() -> None:
    many = corpus(*[("toxic-spans", {"TOXIC": 1})] * 4000, *[("toxic-spans", {"VIOLENCE": 1})] * 5)
    kept = thinned(many)
    assert (kept.labels[:, CATEGORIES.index("VIOLENCE")] == 1).sum() == 5
    assert len(kept) / 4000 == pytest.approx(KEPT["toxic-spans"], abs=0.02)
    assert kept.texts == thinned(many).texts


def test_a_pass_draws_each_row_as_often_as_it_says() -> None:
    draws = np.array([0.0, 0.5, 1.0, 2.5] * 1000, dtype=np.float32)
    drawn = np.bincount(draw(draws, np.random.default_rng(1)), minlength=len(draws)).reshape(1000, 4)
    assert drawn.mean(axis=0) == pytest.approx([0, 0.5, 1, 2.5], abs=0.06)
    assert set(drawn[:, 2]) == {1}
    assert set(drawn[:, 3]) == {2, 3}


def test_batches_hold_every_row_once_within_their_size() -> None:
    generator = np.random.default_rng(2)
    lengths = generator.integers(4, 97, size=20_000)
    rows = generator.permutation(len(lengths))
    made = batches(rows, lengths, generator)
    assert sorted(np.concatenate(made)) == list(range(len(lengths)))
    for batch in made:
        assert len(batch) <= MAX_ROWS
        assert len(batch) * lengths[batch].max() <= TOKENS_PER_BATCH
    padded = sum(len(batch) * lengths[batch].max() for batch in made)
    assert padded < 1.05 * lengths.sum()


def test_changed_copies_follow_from_the_seed_and_are_changed() -> None:
    texts = [f"number {number} is a perfectly ordinary sentence, isn't it?" for number in range(200)]
    context = ["nobody said that."]
    copies = augmented(texts, context=context, seed=3)
    assert copies == augmented(texts, context=context, seed=3)
    assert copies != augmented(texts, context=context, seed=4)
    assert sum(copy != text for copy, text in zip(copies, texts, strict=True)) > 150
    assert all(copy.strip() for copy in augmented(["a", "?!", "   x"], context=context, seed=1))
