from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from scripts.commands.model import WEIGHTS
from training.agreement import Agreement
from training.build import Built, build_version
from training.checking import Checked
from training.encoder import Encoder
from training.errors import AgreementBroken, SourceInvalid, TrainingError, WeightsInvalid
from training.risk_weights import BRANCH, HEAD, RiskWeights
from training.source import Source, fetch_source
from training.variants import FILES, MANIFEST, MODEL

Build = Callable[..., Built]


def good(_: Path) -> Checked:
    return Checked((Agreement("model.onnx", "alone", 1, 0.0, 0.0, 1.0),), "f32")


@pytest.fixture
def build(source: Source, tmp_path: Path) -> Build:
    def run(*, weights: Path = WEIGHTS, check: Callable[[Path], Checked] = good) -> Built:
        return build_version(
            source, weights, tmp_path / "repository", check=check, report=lambda _: None, threads=2
        )

    return run


def test_the_first_build_makes_version_one_whole(build: Build, source: Source) -> None:
    built = build()
    assert built.is_new
    assert built.version == 1
    assert {path.name for path in built.folder.iterdir()} == {*FILES.values(), MANIFEST}
    assert (built.folder.parent / "tokenizer.json").read_bytes() == source.tokenizer.read_bytes()
    assert built.manifest["cpu_precision"] == "f32"
    assert {path.name for path in built.folder.parent.iterdir()} == {"1", "tokenizer.json"}


def test_the_same_inputs_leave_the_version_as_it_is(build: Build) -> None:
    first = build()
    stamps = {path: path.stat().st_mtime_ns for path in first.folder.iterdir()}
    again = build(check=_never)
    assert not again.is_new
    assert again.folder == first.folder
    assert stamps == {path: path.stat().st_mtime_ns for path in first.folder.iterdir()}


def test_other_weights_get_the_next_number(
    build: Build, tmp_path: Path, encoder: Encoder, other_weights: RiskWeights
) -> None:
    first = build()
    other = tmp_path / "other"
    other.mkdir()
    other_weights.save(other, encoder)
    second = build(weights=other)
    assert (first.version, second.version) == (1, 2)
    assert first.folder.is_dir()


def test_a_damaged_version_is_not_repaired_but_followed(build: Build) -> None:
    first = build()
    damaged = first.folder / FILES[next(iter(FILES))]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert build().version == 2


def test_a_broken_bound_leaves_nothing_behind(build: Build, tmp_path: Path) -> None:
    with pytest.raises(AgreementBroken):
        build(check=_broken)
    assert {path.name for path in (tmp_path / "repository" / MODEL).iterdir()} <= {"tokenizer.json"}
    assert build().version == 1


def test_another_model_is_refused_by_its_golden_embeddings(
    source: Source, tmp_path: Path, build: Build
) -> None:
    model = onnx.load(source.encoder)
    for tensor in model.graph.initializer:
        if tensor.name == "encoder.layer.3.output.dense.bias":
            tensor.CopyFrom(numpy_helper.from_array(-3 * numpy_helper.to_array(tensor), tensor.name))
    other = tmp_path / "other.onnx"
    onnx.save(model, other)
    changed = replace(source, encoder=other, encoder_sha256="0" * 64)
    with pytest.raises(SourceInvalid, match="not e5-small-v2"):
        build_version(changed, WEIGHTS, tmp_path / "repository", check=good, report=lambda _: None, threads=2)


def test_an_export_of_other_bytes_and_equal_numbers_is_accepted(source: Source, tmp_path: Path) -> None:
    model = onnx.load(source.encoder)
    model.producer_name = "another exporter"
    other = tmp_path / "other.onnx"
    onnx.save(model, other)
    said: list[str] = []
    built = build_version(
        replace(source, encoder=other, encoder_sha256="1" * 64),
        WEIGHTS,
        tmp_path / "repository",
        check=good,
        report=said.append,
        threads=2,
    )
    assert built.is_new
    assert any("golden embeddings agree" in line for line in said)


def test_something_that_is_no_model_is_told_in_one_line(source: Source, tmp_path: Path) -> None:
    junk = tmp_path / "junk.onnx"
    junk.write_bytes(b"<html>not found</html>")
    with pytest.raises(SourceInvalid) as told:
        build_version(
            replace(source, encoder=junk, encoder_sha256="2" * 64),
            WEIGHTS,
            tmp_path / "repository",
            check=good,
            report=lambda _: None,
            threads=1,
        )
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("content", [None, "", "{}", '{"format": 1}', '{"format": 3, "bias": [[1]]}'])
def test_a_head_that_is_none_is_told(build: Build, tmp_path: Path, content: str | None) -> None:
    shutil.copy(WEIGHTS / BRANCH, tmp_path)
    if content is not None:
        (tmp_path / HEAD).write_text(content)
    with pytest.raises(WeightsInvalid):
        build(weights=tmp_path)


@pytest.mark.parametrize(
    "damage", [lambda _: None, lambda whole: whole[:-9], lambda _: b"PK\x05\x06" + bytes(18)]
)
def test_a_branch_that_is_none_is_told(
    build: Build, tmp_path: Path, damage: Callable[[bytes], bytes | None]
) -> None:
    shutil.copy(WEIGHTS / HEAD, tmp_path)
    content = damage((WEIGHTS / BRANCH).read_bytes())
    if content is not None:
        (tmp_path / BRANCH).write_bytes(content)
    with pytest.raises(WeightsInvalid):
        build(weights=tmp_path)


def test_the_weights_survive_their_files(
    tmp_path: Path, encoder: Encoder, committed_weights: RiskWeights
) -> None:
    committed_weights.save(tmp_path, encoder)
    again = RiskWeights.load(tmp_path, encoder)
    for name in ("attention", "on_attended", "on_mean", "bias", "any_harm", "thresholds"):
        assert np.array_equal(getattr(again.head, name), getattr(committed_weights.head, name))
    assert len(again.branch) == len(committed_weights.branch) > 0
    for mine, theirs in zip(again.branch, committed_weights.branch, strict=True):
        assert np.abs(mine.output.weight - theirs.output.weight).max() < 1e-6


def test_without_hub_and_maven_the_way_out_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("training.source.constants.ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(TrainingError, match="Install Maven, or put") as told:
        fetch_source(tmp_path / "cache", lambda _: None)
    assert "\n" not in str(told.value)


def test_the_cache_is_used_again(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    shutil.copy(source.encoder, folder / source.encoder.name)
    shutil.copy(source.tokenizer, folder / source.tokenizer.name)
    monkeypatch.setenv("PATH", "")
    assert fetch_source(tmp_path, lambda _: None).is_known


def _never(_: Path) -> Checked:
    raise AssertionError("nothing was to be checked")


def _broken(_: Path) -> Checked:
    raise AgreementBroken("moved by 0.5")
