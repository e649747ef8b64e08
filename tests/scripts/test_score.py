"""Scoring a file, with a Triton that the command starts itself."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson

from pipeline.verdict import HARMFUL
from scripts.cli import execute


def test_scores_every_row_in_order(tmp_path: Path) -> None:
    rows = [{"id": f"row-{n}", "text": f"Message number {n}, all is well."} for n in range(600)]
    rows[1]["text"] = "you are a stupid 1d1ot"
    rows[2]["text"] = " "
    file, out = tmp_path / "rows.jsonl.gz", tmp_path / "scores.jsonl"
    file.write_bytes(gzip.compress(b"".join(orjson.dumps(row) + b"\n" for row in rows)))

    assert execute(["score", str(file), "--out", str(out), "--limit", "520"]) == 0

    results = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    assert [result["id"] for result in results] == [f"row-{n}" for n in range(520)]
    assert set(results[0]) == {
        "id",
        "risk_score",
        "category",
        "labels",
        "confidence",
        "scores",
        "model_score",
        "heuristic_score",
        "flags",
    }
    assert set(results[0]["scores"]) == {category.name for category in HARMFUL}
    assert results[0]["category"] == "LOW_RISK"
    assert results[1]["risk_score"] > results[0]["risk_score"]
    assert results[1]["flags"]
    assert "white space" in results[2]["error"]
    assert not any(
        "near" in flag["rule"] for result in results if "flags" in result for flag in result["flags"]
    )
