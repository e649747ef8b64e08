from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from screener.buckets import Bucket, bucketed
from screener.tokens import Tokenizer
from scripts.commands.model import CACHE
from tests.training.blocks import below_the_split, block
from training.agreement import LARGEST_INT8_MOVE, LARGEST_MOVE
from training.calibration import noisy_or_logit
from training.check_texts import check_texts
from training.encoder import LAYERS, Encoder
from training.graph import Precision, write_model
from training.logistic import sigmoid
from training.risk_weights import RiskWeights
from training.sessions import plain_session
from training.source import Source
from training.variants import FILES

OLDEST_ONNXRUNTIME = "1.19.2"  # what NVIDIA's 24.10 container carries


@pytest.fixture(scope="module")
def batch(tokenizer: Tokenizer) -> Bucket:
    """Sixteen texts of unlike lengths in one padded batch."""
    (bucket,) = bucketed(tokenizer.encode(check_texts(16)), max_batch=16, edges=(512,))
    return bucket


@pytest.fixture(scope="module")
def reference(source: Source, batch: Bucket) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Mean-pooled and normalised in numpy, from the hidden states of the export itself."""
    export = onnxruntime.InferenceSession(str(source.encoder), providers=["CPUExecutionProvider"])
    feeds = {
        "input_ids": batch.input_ids,
        "attention_mask": batch.attention_mask,
        "token_type_ids": np.zeros_like(batch.input_ids),
    }
    (hidden,) = export.run(None, feeds)
    mask = batch.attention_mask[..., np.newaxis].astype(np.float32)
    mean = (hidden * mask).sum(axis=1) / mask.sum(axis=1)
    return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True))


def test_the_embedding_is_the_exports_own_pooled_and_normalised(
    variants: Path, batch: Bucket, reference: np.ndarray[tuple[int, int], np.dtype[np.float32]]
) -> None:
    embeddings, _ = plain_session(variants / FILES[Precision.FP32], threads=2)(batch)
    assert np.abs(embeddings - reference).max() < 2e-6


@pytest.mark.endurance
@pytest.mark.parametrize(
    ("precision", "allowed"), [(Precision.FP16, LARGEST_MOVE), (Precision.INT8, LARGEST_INT8_MOVE)]
)
def test_the_smaller_variants_stay_close(
    variants: Path,
    batch: Bucket,
    precision: Precision,
    allowed: float,
    reference: np.ndarray[tuple[int, int], np.dtype[np.float32]],
) -> None:
    embeddings, probabilities = plain_session(variants / FILES[precision], threads=2)(batch)
    _, exact = plain_session(variants / FILES[Precision.FP32], threads=2)(batch)
    assert (embeddings * reference).sum(axis=1).min() > 0.9998
    assert np.abs(probabilities - exact).max() <= allowed


def test_the_probabilities_are_the_branchs(
    source: Source, tokenizer: Tokenizer, variants: Path, committed_weights: RiskWeights
) -> None:
    """In numpy, block by block, from the export's own hidden states below the split."""
    short = [text for text in check_texts(64) if len(text) < 80][:6]
    (batch,) = bucketed(tokenizer.encode(short), max_batch=6, edges=(40,))
    head = committed_weights.head
    tokens = batch.attention_mask == 1
    states = below_the_split(source, LAYERS - len(committed_weights.branch), batch)
    for layer in committed_weights.branch:
        states = block(states, tokens, layer)
    looks = np.where(tokens[..., np.newaxis], states @ head.attention.T, -np.inf)
    shares = np.exp(looks - looks.max(axis=1, keepdims=True))
    attended = np.einsum("bto,btw->bow", shares / shares.sum(axis=1, keepdims=True), states)
    mean = np.where(tokens[..., np.newaxis], states, 0).sum(axis=1) / tokens.sum(axis=1, keepdims=True)
    logits = (attended * head.on_attended).sum(axis=2) + mean @ head.on_mean.T + head.bias
    own, noisy_or, offset = head.any_harm
    any_harm = own * logits[:, 6] + noisy_or * noisy_or_logit(logits[:, :6]) + offset
    expected = sigmoid(np.concatenate([logits[:, :6], any_harm[:, np.newaxis]], axis=1))
    _, probabilities = plain_session(variants / FILES[Precision.FP32], threads=2)(batch)
    assert np.abs(probabilities - expected).max() < 2e-5


def test_interface_and_formats_are_what_the_oldest_runtime_reads(variants: Path) -> None:
    for name in FILES.values():
        model = onnx.load(variants / name)
        assert model.ir_version <= 10
        assert [(item.domain, item.version <= 21) for item in model.opset_import] == [("", True)]
        assert [item.name for item in model.graph.input] == ["input_ids", "attention_mask"]
        assert [item.name for item in model.graph.output] == ["embedding", "category_probs", "thresholds"]


def test_equal_inputs_give_equal_bytes(
    encoder: Encoder, committed_weights: RiskWeights, variants: Path
) -> None:
    for precision, name in FILES.items():
        again = write_model(encoder, committed_weights, precision).SerializeToString(deterministic=True)
        assert again == (variants / name).read_bytes()


def test_an_empty_mask_gives_numbers(variants: Path) -> None:
    zeros = np.zeros((2, 16), dtype=np.int64)
    for name in FILES.values():
        embeddings, probabilities = plain_session(variants / name, threads=1)(
            Bucket(np.arange(2), zeros, zeros)
        )
        assert np.isfinite(embeddings).all()
        assert np.isfinite(probabilities).all()


_RUN_ALL = """
import sys, numpy, onnxruntime
assert onnxruntime.__version__ == sys.argv[1], onnxruntime.__version__
ids = numpy.arange(1000, 1040, dtype=numpy.int64).reshape(2, 20)
for path in sys.argv[2:]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    answers = session.run(None, {"input_ids": ids, "attention_mask": numpy.ones_like(ids)})
    assert [a.shape for a in answers] == [(2, 384), (2, 7), (2, 2, 7)], [a.shape for a in answers]
    assert all(a.dtype == numpy.float32 and numpy.isfinite(a).all() for a in answers)
    print(path)
"""


def test_every_variant_runs_in_the_containers_onnxruntime(variants: Path) -> None:
    folder = CACHE / f"onnxruntime-{OLDEST_ONNXRUNTIME}"
    if not (folder / "onnxruntime" / "__init__.py").is_file():
        wanted = [f"onnxruntime=={OLDEST_ONNXRUNTIME}", "--no-deps", "--only-binary=:all:"]
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder), *wanted], check=True
        )
    paths = [str(variants / name) for name in FILES.values()]
    # The folder goes first on sys.path, before the environment's own newer release.
    code = f"import sys; sys.path.insert(0, {str(folder)!r})\n{_RUN_ALL}"
    done = subprocess.run(
        [sys.executable, "-c", code, OLDEST_ONNXRUNTIME, *paths], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == paths
