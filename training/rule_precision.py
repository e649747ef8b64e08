"""How good each heuristic rule is: `python -m training.rule_precision DATA_FOLDER [--write]`.

For each rule and category, over the rows whose label is known: how many the rule fires on with nothing that
speaks against it (n), the share of them that is positive (precision), and that share over the share among all
such rows (lift). Worth is what the rule adds to the area under the precision-recall curve for any harm on the
validation split: of the heuristic score, and, with the file that `seawall evaluate --scores` keeps of that
split or of its first rows, of the risk score beside the model.

Weights and evidence in `screener/heuristics/rules.toml` follow the validation columns. Where those are thin,
the training split, chat and lewd rows of the extra training file, and the hand-made rows tell more; texts of
all of them were read while the lists were written, so that they are a little too good.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.verdict import HARMFUL
from screener.fusion import Policy, judge
from screener.heuristics import HeuristicResult, Heuristics, Rules
from training.corpus import Corpus, read_corpus
from training.errors import CorpusInvalid
from training.rule_firings import Firings, Floats, Judge, fire, precision, worth
from training.rule_table import ANY, Claim, Measured, claims, refreshed, table
from training.synthetic.reading import read_synthetic
from training.thresholds import truth_with_any

PAGE = Path(__file__).parents[1] / "docs" / "heuristics.md"
CHAT_SOURCES = ("discord-groups", "telegram-mix", "sexual-tweets")
"""Of the extra rows those that read like today's chats."""

_COLUMN = {category.name: column for column, category in enumerate(HARMFUL)} | {ANY: len(HARMFUL)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table as Markdown, or write it to the page."""
    parser = argparse.ArgumentParser(description="precision, lift and worth of each heuristic rule")
    parser.add_argument("data", type=Path, help="the folder of the moderation corpus")
    parser.add_argument(
        "--scores", type=Path, help="what `seawall evaluate --scores` kept of the validation split"
    )
    parser.add_argument("--write", action="store_true", help=f"write the table to docs/{PAGE.name}")
    chosen = parser.parse_args(arguments)
    heuristics = Heuristics(Rules.load())
    corpora = _corpora(chosen.data)
    firings = [fire(heuristics, corpus.texts) for corpus in corpora]
    truths = [truth_with_any(corpus) for corpus in corpora]
    alone = worth(firings[0], truths[0][:, _COLUMN[ANY]], lambda _row, result: result.score)
    beside = {}
    if chosen.scores is not None:
        judged, risk = _beside_model(chosen.scores, len(corpora[0]))
        beside = worth(firings[0].head(judged), truths[0][:judged, _COLUMN[ANY]], risk)
    rows = [
        (claim, _measured(claim, firings, truths, alone.get(claim.rule), beside.get(claim.rule)))
        for claim in claims(heuristics.rules.rules)
    ]
    if chosen.write:
        PAGE.write_text(refreshed(PAGE.read_text(encoding="utf-8"), table(rows)), encoding="utf-8")
    else:
        print(table(rows))


def _corpora(data: Path) -> list[Corpus]:
    extra = read_corpus(data / "moderation-extra-train.jsonl.gz")
    return [
        read_corpus(data / "moderation-valid.jsonl.gz"),
        read_corpus(data / "moderation-train.jsonl.gz"),
        extra.taken(np.isin(extra.sources, CHAT_SOURCES)),
        read_synthetic().corpus,
    ]


def _measured(
    claim: Claim,
    firings: Sequence[Firings],
    truths: Sequence[Floats],
    alone: float | None,
    beside: float | None,
) -> Measured:
    sure = [fired.sure(claim.rule) for fired in firings]
    own = [
        precision(rows, truth[:, _COLUMN[claim.category]]) for rows, truth in zip(sure, truths, strict=True)
    ]
    return Measured(tuple(own), precision(sure[0], truths[0][:, _COLUMN[ANY]]), alone, beside)


def _beside_model(path: Path, rows: int) -> tuple[int, Judge]:
    """How many rows the file has, and a judge with the model's probabilities for each of them.

    Raises:
        CorpusInvalid: it is no file of scores, or has more rows than the split.
    """
    try:
        header, *scores = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
        probabilities, thresholds = [row["probabilities"] for row in scores], header["thresholds"]
    except (OSError, ValueError, KeyError) as error:
        raise CorpusInvalid(f"{path}: no file of scores that `seawall evaluate` kept ({error})") from error
    if len(scores) > rows:
        raise CorpusInvalid(f"{path} has scores of {len(scores)} rows, the validation split has {rows}")
    policy = Policy()

    def risk(row: int, result: HeuristicResult) -> float:
        return judge(result, probabilities[row], thresholds, policy).risk_score

    return len(scores), risk


if __name__ == "__main__":
    main()
