"""Links and e-mail addresses in folded text: found first, so that no rule reads words out of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Bare domains count only under endings that people really write so; ".it" and ".to" are words.
_ENDINGS = (
    "com|net|org|info|biz|io|gg|me|ly|co|tv|app|dev|xyz|top|site|online|store|shop|club|live|link|click|vip|win|"
    "pro|fun|icu|cc|ru|cn|uk|de|fr|nl|eu|us|ca|au|in|id|br|es|pl|gl|gd|lol|ai|fm|finance|exchange|gift|money|"
    "loan|bet|casino|sbs|cfd|buzz|monster|work|space|tech|website|news|email|edu|gov|be|im|page|sh|moe|gle"
)
_LINK = re.compile(
    r"(?:h(?:tt|xx)ps?:/{1,2}|www\.)(?P<host>[^\s/<>\"')\]]{1,253})(?:/[^\s<>\"')\]]*)?"
    rf"|(?<![\w@.-])(?P<bare>(?:[a-z0-9][a-z0-9-]{{0,62}}\.){{1,4}}(?:{_ENDINGS}))"
    r"(?![\w-]|\.\w)(?:/[^\s<>\"')\]]*)?"
)
# What every link has, and the end of a sentence has not.
_MAY_BE_LINK = re.compile(r"\.\S|:/")
_EMAIL = re.compile(r"(?<![\w.+-])[a-z0-9][\w.+-]{0,63}@[a-z0-9][a-z0-9.-]{0,252}\.[a-z]{2,24}")


@dataclass(frozen=True, slots=True)
class Link:
    """A link in folded text: where it stands, its host without `www.`, and all of it."""

    start: int
    end: int
    host: str
    text: str


def find_links(text: str) -> tuple[Link, ...]:
    """Every link of folded text, in order."""
    if not _MAY_BE_LINK.search(text):
        return ()
    found = []
    for match in _LINK.finditer(text):
        host = (match["host"] or match["bare"]).removeprefix("www.").rstrip(".,;:!?")
        if match["host"] and "." not in host:
            continue
        found.append(Link(match.start(), match.end(), host, match.group()))
    return tuple(found)


def find_emails(text: str) -> list[tuple[int, int]]:
    """The spans of every e-mail address of folded text."""
    return [match.span() for match in _EMAIL.finditer(text)] if "@" in text else []
