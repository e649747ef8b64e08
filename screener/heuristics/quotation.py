"""What a text quotes: said by somebody else, and often repeated to object to it."""

from __future__ import annotations

import re
from collections.abc import Sequence

_LEAST_WORDS = 2
"""One word in quotes is irony or emphasis, and an attack as often as not."""

_LEAST_AROUND = 8
"""Characters outside of the quotation: a text that is nothing but one has merely put quotes around itself."""

_QUOTED = re.compile('["\u201c\u201e]{1,2}([^"\u201c\u201d\u201e]{3,1000})["\u201c\u201d]{1,2}')
_MARKS = ('"', "\u201c", "\u201e")


def quotations(content: str) -> Sequence[tuple[int, int]]:
    """The span of each passage of two words or more in double quotes, in a text that says more than that."""
    if not any(mark in content for mark in _MARKS):
        return ()
    found = [match.span() for match in _QUOTED.finditer(content) if _is_passage(match[1])]
    inside = sum(end - start for start, end in found)
    return found if len(content.strip()) - inside >= _LEAST_AROUND else ()


def _is_passage(quoted: str) -> bool:
    return len(quoted.split()) >= _LEAST_WORDS
