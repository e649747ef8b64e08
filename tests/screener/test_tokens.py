from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screener.tokens import PREFIX, PREFIX_TOKENS, Tokenizer, TokenizerUnreadable
from training.source import Source

CLS, SEP = 101, 102


def test_every_text_starts_with_the_prefix_between_the_special_tokens(tokenizer: Tokenizer) -> None:
    (empty,) = tokenizer.encode([""])
    (hello,) = tokenizer.encode(["hello"])
    assert PREFIX == "query: "
    assert empty.tolist() == [CLS, 23032, 1024, SEP]  # query, colon
    assert hello.tolist() == [CLS, 23032, 1024, 7592, SEP]
    assert hello.dtype == np.int64


def test_case_does_not_matter_and_every_script_encodes(tokenizer: Tokenizer) -> None:
    lower, upper = tokenizer.encode(["what a day", "WHAT A DAY"])
    assert np.array_equal(lower, upper)
    assert all(len(row) > 4 for row in tokenizer.encode(["привет", "你好", "😡", "\u200b\u200bx"]))


def test_long_texts_are_cut_to_512_tokens_and_keep_their_end_mark(tokenizer: Tokenizer) -> None:
    (row,) = tokenizer.encode(["word " * 5000])
    assert len(row) == 512
    assert row[-1] == SEP


@settings(deadline=None)  # a busy machine may take long for one
@given(st.text(max_size=60))
def test_what_follows_the_prefix_depends_on_the_text_alone(tokenizer: Tokenizer, text: str) -> None:
    apart, joined = tokenizer.encode_whole([f"a {text}", text])
    assert joined[:PREFIX_TOKENS].tolist() == [CLS, 23032, 1024]
    assert joined[PREFIX_TOKENS:].tolist() == apart[PREFIX_TOKENS + 1 :].tolist()


def test_a_whole_text_keeps_every_token(tokenizer: Tokenizer) -> None:
    [row] = tokenizer.encode_whole(["word " * 5000])
    assert len(row) == 5004
    assert row[-1] == SEP


def test_padding_and_truncation_of_the_file_are_not_taken_over(tmp_path: Path, source: Source) -> None:
    document = json.loads(source.tokenizer.read_text())
    document["truncation"] = {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0}
    document["padding"] = {
        "strategy": {"Fixed": 128},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "[PAD]",
    }
    changed = tmp_path / "tokenizer.json"
    changed.write_text(json.dumps(document))
    short, long = Tokenizer.from_file(changed).encode(["hi", "word " * 50])
    assert len(short) == 5
    assert len(long) == 54


@pytest.mark.parametrize("content", [None, "", "{}", '{"version": "9"}'])
def test_a_file_that_is_no_tokenizer_is_told_in_one_line(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(TokenizerUnreadable, match=r"tokenizer\.json") as told:
        Tokenizer.from_file(path)
    assert "\n" not in str(told.value)
