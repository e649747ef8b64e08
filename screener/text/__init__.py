"""Text as the rules read it: words as they are meant, with their spans in the original."""

from screener.text.english import read_english
from screener.text.links import Link
from screener.text.normalise import Normalised, normalise
from screener.text.plain import plain
from screener.text.reading import MENTION
from screener.text.vocabulary import Vocabulary

__all__ = ["MENTION", "Link", "Normalised", "Vocabulary", "normalise", "plain", "read_english"]
