"""Text as the rules and the model read it: plain writing, and words with their spans in the original."""

from screener.text.draft import Draft
from screener.text.english import read_english
from screener.text.links import Link
from screener.text.normalise import Normalised, normalise, normalise_revealed
from screener.text.plain import plain, reveal
from screener.text.reading import MENTION
from screener.text.vocabulary import Vocabulary

__all__ = [
    "MENTION",
    "Draft",
    "Link",
    "Normalised",
    "Vocabulary",
    "normalise",
    "normalise_revealed",
    "plain",
    "read_english",
    "reveal",
]
