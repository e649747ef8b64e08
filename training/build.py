"""Builds one version of the served model: writes the variants, has them checked, and puts them in place.

    model_repository/e5_risk/
        config.pbtxt            committed
        tokenizer.json          put there by the build
        <n>/model.onnx          FP32, for CPUs
           /model.fp16.onnx     for GPUs
           /model.int8.onnx     weights in int8, a quarter of the size
           /manifest.json       sha256 of everything that went in and came out, and the measured agreement

A version folder is made whole in a temporary place and renamed; it is never touched again. Other bytes get
the next number, and equal bytes get none.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import onnx

from training import branch_file, encoder, graph, head
from training.checking import Checked
from training.embedding import Embedder
from training.encoder import Encoder, read_encoder
from training.errors import BuildFailed, WeightsInvalid
from training.golden import verify_golden
from training.graph import write_model
from training.risk_weights import BRANCH, HEAD, RiskWeights
from training.source import Report, Source, sha256_of
from training.variants import FILES, MANIFEST, MODEL

Check = Callable[[Path], Checked]
"""Judges a folder with the variants; raises AgreementBroken."""


@dataclass(frozen=True, slots=True)
class Built:
    """A version that is in place."""

    folder: Path
    is_new: bool
    manifest: dict[str, Any]

    @property
    def version(self) -> int:
        """Its number."""
        return int(self.folder.name)


def build_version(
    source: Source, weights: Path, repository: Path, *, check: Check, report: Report, threads: int
) -> Built:
    """Make sure that the newest version is the one these inputs give; takes a second where it is already.

    Raises SourceInvalid, WeightsInvalid, AgreementBroken or BuildFailed; the repository is then as it was.
    """
    inputs = _inputs(source, weights)
    latest = _latest(repository / MODEL)
    if latest is not None and latest.manifest["inputs"] == inputs and _is_whole(latest):
        _place_tokenizer(source, repository / MODEL)
        return latest
    try:
        return _build(
            source, weights, inputs, repository / MODEL, check=check, report=report, threads=threads
        )
    except OSError as error:
        raise BuildFailed(f"cannot write {repository / MODEL}: {error.strerror or error}") from error


def _build(
    source: Source,
    weights: Path,
    inputs: dict[str, str],
    model: Path,
    *,
    check: Check,
    report: Report,
    threads: int,
) -> Built:
    trunk = read_encoder(source.encoder)
    _require_known(source, trunk, report, threads)
    trained = RiskWeights.load(weights, trunk)
    staging = model / f".building-{os.getpid()}"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        outputs = _write_variants(trunk, trained, staging, report)
        latest = _latest(model)
        if latest is not None and latest.manifest["outputs"] == outputs and _is_whole(latest):
            _place_tokenizer(source, model)
            return latest
        _place_tokenizer(source, model)
        checked = check(staging)
        manifest = {
            "inputs": inputs,
            "outputs": outputs,
            "cpu_precision": checked.cpu_precision,
            "agreement": [asdict(item) for item in checked.agreements],
        }
        (staging / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
        target = model / str(1 if latest is None else latest.version + 1)
        # A rename to a name that is taken by a folder with files fails: nobody's version is ever overwritten.
        staging.rename(target)
        return Built(target, is_new=True, manifest=manifest)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _require_known(source: Source, weights: Encoder, report: Report, threads: int) -> None:
    if source.is_known:
        report(f"encoder: sha256 {source.encoder_sha256[:12]}… is the known one")
        return
    embedder = Embedder.create(weights, source.tokenizer, threads=threads)
    cosine = verify_golden(embedder)
    report(
        f"encoder: other bytes ({source.encoder_sha256[:12]}…); golden embeddings agree, cosine {cosine:.6f}"
    )


def _write_variants(trunk: Encoder, trained: RiskWeights, folder: Path, report: Report) -> dict[str, str]:
    outputs: dict[str, str] = {}
    for precision, name in FILES.items():
        content = write_model(trunk, trained, precision).SerializeToString(deterministic=True)
        (folder / name).write_bytes(content)
        outputs[name] = hashlib.sha256(content).hexdigest()
        report(f"wrote {name}: {len(content) / 1e6:.0f} MB, sha256 {outputs[name][:12]}…")
    return outputs


def _inputs(source: Source, weights: Path) -> dict[str, str]:
    """Everything that the bytes depend on: all weights, and the code and library that write the graph."""
    writer = hashlib.sha256(onnx.__version__.encode())
    for module in (branch_file, encoder, graph, head):
        writer.update(Path(str(module.__file__)).read_bytes())
    return {
        "encoder": source.encoder_sha256,
        "tokenizer": source.tokenizer_sha256,
        "branch": _digest(weights / BRANCH),
        "head": _digest(weights / HEAD),
        "writer": writer.hexdigest(),
    }


def _digest(path: Path) -> str:
    try:
        return sha256_of(path)
    except FileNotFoundError as error:
        raise WeightsInvalid(f"no trained weights at {path}: run `seawall train --data DIR`") from error


def _latest(model: Path) -> Built | None:
    """The highest numbered folder; without a readable manifest it has its number and matches nothing."""
    if not model.is_dir():
        return None
    numbers = [int(child.name) for child in model.iterdir() if child.name.isdigit() and child.is_dir()]
    if not numbers:
        return None
    folder = model / str(max(numbers))
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        manifest["inputs"], manifest["outputs"]
    except (OSError, ValueError, KeyError, TypeError):
        manifest = {"inputs": None, "outputs": None}
    return Built(folder, is_new=False, manifest=manifest)


def _is_whole(built: Built) -> bool:
    outputs: dict[str, str] = built.manifest["outputs"]
    return all(
        (built.folder / name).is_file() and sha256_of(built.folder / name) == digest
        for name, digest in outputs.items()
    )


def _place_tokenizer(source: Source, model: Path) -> None:
    target = model / "tokenizer.json"
    if target.is_file() and sha256_of(target) == source.tokenizer_sha256:
        return
    partial = model / f".tokenizer-{os.getpid()}"
    shutil.copyfile(source.tokenizer, partial)
    partial.replace(target)
