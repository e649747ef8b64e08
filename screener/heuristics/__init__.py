"""Rules that see what is plain to see: weights and lists in `rules.toml`, the result with its reasons."""

from screener.heuristics.result import Context, HeuristicResult, TextScore
from screener.heuristics.rules import RULES_PATH, Rules
from screener.heuristics.score import Heuristics

__all__ = ["RULES_PATH", "Context", "HeuristicResult", "Heuristics", "Rules", "TextScore"]
