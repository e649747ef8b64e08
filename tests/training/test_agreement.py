from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from screener.tokens import Tokenizer
from training.agreement import LARGEST_INT8_MOVE, LARGEST_MOVE, Agreement, Answers, alone, compare, mixed
from training.check_texts import check_texts
from training.checking import judge, measure_version
from training.errors import AgreementBroken
from training.source import Source


def test_the_check_texts_are_fixed_many_and_of_every_length(tokenizer: Tokenizer) -> None:
    texts = check_texts(1024)
    assert texts == check_texts(1024)
    assert len(set(texts)) > 900
    lengths = [len(ids) for ids in tokenizer.encode(texts)]
    assert min(lengths) <= 6
    assert max(lengths) == 512
    assert len(set(lengths)) > 50


def test_every_text_is_asked_alone_and_in_mixed_company(tokenizer: Tokenizer) -> None:
    encoded = tokenizer.encode(check_texts(96))
    assert all(bucket.attention_mask.all() for bucket in alone(encoded))
    buckets = mixed(encoded)
    assert sorted(np.concatenate([bucket.rows for bucket in buckets]).tolist()) == list(range(96))
    assert any(not bucket.attention_mask.all() for bucket in buckets)
    for bucket in buckets:
        for place, row in enumerate(bucket.rows):
            kept = bucket.input_ids[place][bucket.attention_mask[place] == 1]
            assert np.array_equal(kept, encoded[row])


@pytest.mark.endurance
def test_neighbours_and_padding_move_no_variant_past_its_bound(
    variants: Path, source: Source, tmp_path: Path
) -> None:
    heard: list[tuple[int, int]] = []
    agreements = measure_version(
        variants,
        source.tokenizer,
        tmp_path,
        texts=48,
        threads=2,
        advance=lambda _, done, total: heard.append((done, total)),
    )
    assert {item.batching for item in agreements} == {"alone", "mixed"}
    assert judge(agreements).cpu_precision in ("f32", "bf16")
    assert heard[-1][0] == heard[-1][1]
    # Every pass was kept: a second measurement computes nothing and finds the same.
    again = measure_version(
        variants, source.tokenizer, tmp_path, texts=48, threads=2, advance=lambda *_: None
    )
    assert again == agreements


def test_a_move_past_the_bound_or_no_number_is_refused() -> None:
    exact = Answers(np.eye(2, 384, dtype=np.float32), np.full((2, 7), 0.5, np.float32))
    for file, wrong in (
        ("model.fp16.onnx", 0.5 + 1.1 * LARGEST_MOVE),
        ("model.int8.onnx", 0.5 + 1.1 * LARGEST_INT8_MOVE),
        ("model.int8.onnx", np.nan),
    ):
        moved = exact.probabilities.copy()
        moved[1, 6] = wrong
        agreement = compare(file, "mixed", Answers(exact.embeddings, moved), exact)
        with pytest.raises(AgreementBroken, match=f"{file} mixed"):
            judge((agreement,))


def test_bfloat16_past_the_bound_is_not_served_and_no_fault() -> None:
    fine = Agreement("model.onnx, OpenVINO f32", "alone", 9, 0.0, 0.0, 1.0)
    far = Agreement("model.onnx, OpenVINO bf16", "alone", 9, 0.03, 0.001, 0.9997)
    near = Agreement("model.onnx, OpenVINO bf16", "alone", 9, 0.01, 0.001, 0.9999)
    assert judge((fine,)).cpu_precision == "f32"
    assert judge((fine, far)).cpu_precision == "f32"
    assert judge((fine, near)).cpu_precision == "bf16"
