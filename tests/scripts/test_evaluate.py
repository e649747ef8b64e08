"""The evaluation from the command line, with a Triton that it starts itself."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from scripts.cli import execute
from scripts.rows.labelled import read_labelled
from scripts.rows.score_file import read_scores
from training.evaluation.scored import Scorer

BENIGN = (
    "anyone up for the dungeon at nine? we still need a healer",
    "the link to the slides is in the calendar invitation",
    "happy birthday, have a lovely day!",
    "my bus is late again, start without me please",
    "does this recipe work with oat milk as well?",
    "that was a great match, well played everybody",
    "gg",
    "the museum opens at ten on Sundays",
    "I fixed the tests, could you look at the change?",
    "thanks for the help yesterday, it works now",
)
INSULTS = (
    "you are a stupid idiot and nobody likes you",
    "shut up you pathetic loser, uninstall the game",
    "what a worthless piece of garbage you are, idiot",
    "you dumb moron, you ruin every game you join",
    "stupid",
)
SPAM = (
    "FREE NITRO for the first 100 people, claim now: https://bit.ly/n1tro-free",
    "Earn 5000 a week from home, message me on telegram now!!!",
    "CONGRATULATIONS you have won a prize, send your card number to claim it",
)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Sixty rows of two sources, with unknown labels and short texts among them."""
    made: list[dict[str, Any]] = []
    for repeat in range(3):
        tail = "" if repeat == 0 else f" {'really ' * repeat}now"
        made += [_row("davidson", text + tail, TOXIC=0, HATE_SPEECH=0) for text in BENIGN]
        made += [_row("davidson", text + tail, TOXIC=1) for text in INSULTS]
        made += [_row("sms", text + tail, SPAM=1) for text in SPAM]
        made += [_row("sms", f"{text}{tail} see you", SPAM=0) for text in BENIGN[:2]]
    for place, row in enumerate(made):
        row["id"] = f"row-{place}"
    assert len(made) == 60
    return _write(tmp_path_factory.mktemp("rows") / "moderation-test.jsonl.gz", made)


@pytest.fixture(scope="module")
def out(rows: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run over the rows."""
    folder = tmp_path_factory.mktemp("out")
    assert execute(["evaluate", rows, "--out", str(folder), "--resamples", "100"]) == 0
    return folder


def test_every_row_goes_through_the_real_path(rows: str, out: Path) -> None:
    scored = read_scores(str(out / "scores.jsonl.gz"), read_labelled([rows]))
    assert scored.served.model_name == "e5_risk"
    assert scored.served.precision.endswith("model.onnx")
    assert scored.probabilities.shape == (60, 7)
    fused, model, rules = (scored.judged[scorer] for scorer in Scorer)
    benign, insult = 0, len(BENIGN)
    assert fused.risk[insult] > fused.risk[benign]
    assert rules.risk[insult] > rules.risk[benign] == 0
    assert (fused.risk >= model.risk - 1e-9).all()
    assert (fused.scores >= model.scores - 1e-9).all()


def test_the_report_tells_of_rules_and_model_alone_and_together(out: Path) -> None:
    report = orjson.loads((out / "evaluation.json").read_bytes())
    assert report["about"]["rows"] == {"moderation-test": 60}
    toxic = {
        (f["scorer"], f["metric"]): f["value"]
        for f in report["figures"]
        if (f["source"], f["lengths"], f["subject"]) == ("", "all", "TOXIC")
    }
    assert {scorer for scorer, _ in toxic} == {"fused", "model", "heuristics"}
    assert toxic["fused", "auprc"] > 0.8
    counts = {(c["source"], c["lengths"], c["subject"]): c for c in report["counts"]}
    assert counts["", "all", "TOXIC"]["positives"] == 15
    assert counts["", "all", "TOXIC"]["negatives"] == 30
    assert counts["", "without_short", "TOXIC"]["positives"] == 14
    assert ("sms", "all", "TOXIC") not in counts
    assert counts["", "all", "HARMFUL"] == counts["", "all", "HARMFUL"] | {"positives": 9, "negatives": 36}


def test_the_scores_are_those_of_the_score_command(rows: str, out: Path, tmp_path: Path) -> None:
    told = tmp_path / "scores.jsonl"
    assert execute(["score", rows, "--out", str(told), "--limit", "20"]) == 0
    lines = [orjson.loads(line) for line in told.read_bytes().splitlines()]
    scored = read_scores(str(out / "scores.jsonl.gz"), read_labelled([rows]))
    fused = scored.judged[Scorer.FUSED]
    # Batches of other rows move a probability in its last digits.
    assert [line["risk_score"] for line in lines] == pytest.approx(fused.risk[:20].tolist(), abs=1e-4)
    assert [line["confidence"] for line in lines] == pytest.approx(fused.confidence[:20].tolist(), abs=1e-4)


def test_kept_scores_are_reported_again_and_compared(
    rows: str, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept.jsonl.gz"
    shutil.copy(out / "scores.jsonl.gz", kept)
    before = kept.stat().st_mtime_ns
    again = ["evaluate", rows, "--scores", str(kept), "--against", str(out / "scores.jsonl.gz")]
    assert execute([*again, "--out", str(tmp_path / "again"), "--resamples", "100"]) == 0
    assert kept.stat().st_mtime_ns == before
    told = capsys.readouterr()
    assert "starting Triton" not in told.err
    assert "AUPRC, toxic" in told.out
    first = orjson.loads((out / "evaluation.json").read_bytes())
    report = orjson.loads((tmp_path / "again" / "evaluation.json").read_bytes())
    assert report["figures"] == first["figures"]
    assert {d["difference"] for d in report["comparison"]["differences"]} <= {0.0, None}
    assert "Two versions" in (tmp_path / "again" / "evaluation.html").read_text()


def test_a_version_is_served_by_its_number(rows: str, out: Path, tmp_path: Path) -> None:
    newest = read_scores(str(out / "scores.jsonl.gz"), read_labelled([rows])).served.model_version
    arguments = ["evaluate", rows, "--scores", str(out / "scores.jsonl.gz"), "--against", str(newest)]
    assert execute([*arguments, "--out", str(tmp_path), "--resamples", "100"]) == 0
    report = orjson.loads((tmp_path / "evaluation.json").read_bytes())
    assert report["comparison"]["against"]["model_version"] == newest
    assert all(abs(d["difference"] or 0) < 0.05 for d in report["comparison"]["differences"])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere.jsonl"], "cannot read nowhere.jsonl"),
        (["--data", "nowhere"], "nowhere has no moderation-test.jsonl.gz"),
        (["ROWS", "--model-version", "999"], "e5_risk has no version 999; there are: "),
        (["ROWS", "--model-version", "1", "--triton", "127.0.0.1:1"], "leave out the version"),
        (["ROWS", "--against", "nowhere.gz"], "cannot read nowhere.gz"),
        (["ROWS", "--against", "ROWS"], "is no file of scores"),
        (["ROWS", "--limit", "5", "--scores", "SCORES"], "has the scores of 60 other rows"),
    ],
)
def test_what_people_get_wrong_is_one_line(
    arguments: Sequence[str],
    line: str,
    rows: str,
    out: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = {"ROWS": rows, "SCORES": str(out / "scores.jsonl.gz")}
    capsys.readouterr()
    told = ["evaluate", *(names.get(argument, argument) for argument in arguments)]
    assert execute([*told, "--out", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("seawall: ")
    assert line in error


def _row(source: str, text: str, **labels: int) -> dict[str, Any]:
    return {"source": source, "text": text, "labels": labels}


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> str:
    path.write_bytes(gzip.compress(b"".join(orjson.dumps(row) + b"\n" for row in rows)))
    return str(path)
