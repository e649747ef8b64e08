"""Runs the agreement check over the variants of one version, in the runtimes that serve them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from screener.tokens import Tokenizer
from training.agreement import Agreement, Answers, Run, alone, ask, compare, mixed
from training.check_texts import check_texts
from training.graph import Precision
from training.sessions import cpu_has_bf16, openvino_session, plain_session
from training.source import sha256_of
from training.variants import FILES

_F32 = f"{FILES[Precision.FP32]}, OpenVINO f32"
_BF16 = f"{FILES[Precision.FP32]}, OpenVINO bf16"

Advance = Callable[[str, int, int], None]
"""Told what is being asked, the answers so far and the answers in all."""


@dataclass(frozen=True, slots=True)
class _Runtime:
    name: str
    file: Path
    open: Callable[[], Run]


@dataclass(frozen=True, slots=True)
class Checked:
    """The agreements of a version, and in what precision it may be served on a CPU."""

    agreements: tuple[Agreement, ...]
    cpu_precision: str
    """`bf16` where this CPU has it and the version keeps the bound with it, else `f32`."""


def measure_version(
    folder: Path, tokenizer: Path, cache: Path, *, texts: int, threads: int, advance: Advance
) -> tuple[Agreement, ...]:
    """Compare every variant in `folder` with the FP32 graph that gets one text at a time.

    Some minutes of computing; each finished pass is kept in `cache`, so an interrupted check goes on.
    """
    encoded = Tokenizer.from_file(tokenizer).encode(check_texts(texts))
    ways = {"alone": alone(encoded), "mixed": mixed(encoded)}
    runtimes = _runtimes(folder, threads)
    done, total = 0, texts * (1 + len(ways) * len(runtimes))

    def answers(runtime: _Runtime, way: str) -> Answers:
        nonlocal done
        start = done

        def count(rows: int) -> None:
            nonlocal done
            done += rows
            advance(f"{runtime.name}, {way}", done, total)

        kept = cache / "agreement" / f"{_key(runtime, way, encoded)}.npz"
        result = _kept_or(kept, lambda: ask(runtime.open(), ways[way], texts, count))
        done = start + texts
        advance(f"{runtime.name}, {way}", done, total)
        return result

    fp32 = folder / FILES[Precision.FP32]
    exact = _Runtime("reference", fp32, lambda: plain_session(fp32, threads=threads))
    reference = answers(exact, "alone")
    return tuple(
        compare(runtime.name, way, answers(runtime, way), reference) for runtime in runtimes for way in ways
    )


def judge(agreements: tuple[Agreement, ...]) -> Checked:
    """Raises AgreementBroken past the bound. For bf16 that is no fault: the CPU then serves in f32."""
    bf16 = [item for item in agreements if item.variant == _BF16]
    for item in agreements:
        if item not in bf16:
            item.require()
    keeps = bf16 and all(item.holds for item in bf16)
    return Checked(agreements, "bf16" if keeps else "f32")


def _runtimes(folder: Path, threads: int) -> list[_Runtime]:
    fp32, fp16, int8 = (
        folder / FILES[precision] for precision in (Precision.FP32, Precision.FP16, Precision.INT8)
    )
    runtimes = [
        _Runtime(_F32, fp32, lambda: openvino_session(fp32, precision="f32", threads=threads)),
        _Runtime(fp16.name, fp16, lambda: plain_session(fp16, threads=threads)),
        _Runtime(int8.name, int8, lambda: plain_session(int8, threads=threads)),
    ]
    if cpu_has_bf16():
        bf16 = _Runtime(_BF16, fp32, lambda: openvino_session(fp32, precision="bf16", threads=threads))
        runtimes.insert(0, bf16)
    return runtimes


def _key(runtime: _Runtime, way: str, encoded: Sequence[NDArray[np.int64]]) -> str:
    """Of all that the answers depend on: file, runtime and its version, and the rows in their batches."""
    digest = hashlib.sha256(
        f"{onnxruntime.__version__}/{runtime.name}/{way}/{sha256_of(runtime.file)}".encode()
    )
    digest.update(b"".join(ids.tobytes() + b"/" for ids in encoded))
    return digest.hexdigest()


def _kept_or(kept: Path, compute: Callable[[], Answers]) -> Answers:
    if kept.exists():
        with np.load(kept) as arrays:
            return Answers(arrays["embeddings"], arrays["probabilities"])
    answers = compute()
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_suffix(f".{os.getpid()}.partial")
    with partial.open("wb") as file:
        np.savez(file, embeddings=answers.embeddings, probabilities=answers.probabilities)
    partial.replace(kept)
    return answers
