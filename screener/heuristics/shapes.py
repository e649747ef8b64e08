"""Rules that look at the shape of a text rather than its words: each answers with the spans that it matched.

Spans are in the original content. Every function is linear in the length of the text, and quick to say no.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence

from screener.heuristics.emoji import beast_emoji, emoji_flood, obscene_emoji, weapon_emoji
from screener.heuristics.shape import FindShape, Shape, Span
from screener.text import MENTION, Normalised
from screener.text.words import has_repeats

_PUNCTUATION = re.compile(r"[!?]{3,}")
_REPEATED = re.compile(r"([^\W\d_])\1{3,}")
_NO_SYMBOLS = (string.ascii_letters + string.digits + string.whitespace + "_").encode()
_NO_CAPITALS = bytes(code for code in range(128) if not chr(code).isupper())
_SYMBOL = re.compile(r"[^\w\s]")
_MARKS = re.compile("[\u0300-\u036f\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20dc\ufe20-\ufe2f]{3,}")
_ZERO_WIDTH = re.compile("(?<=[A-Za-z0-9])[\u200b-\u200d\u2060\u2063\u180e\ufeff]+(?=[A-Za-z0-9])")
_PHONE = re.compile(r"(?<![\w.,$£€#/-])(?:\+|\(?0|\(\d{3}\)|1[- ])?\d[\d() -]{5,17}\d(?![\w%]|[.,]\d)")
_DIGITS = re.compile(r"\d[\d() -]{6}")
_NOT_DIGIT = re.compile(r"\D")
_AMOUNT = re.compile(r"[$£€]\s?\d|\d\s?(?:[$£€]|(?:usd|usdt|dollars|pounds|euros|btc|eth|sol)\b)")
_LAUGHTER = re.compile("[\U0001f602\U0001f923\U0001f606\U0001f605]")
_ALL_CALLED = re.compile(r"(?<!\w)@(?:everyone|here|channel|all)\b")


def all_caps(content: str, text: Normalised, shape: Shape) -> Sequence[Span]:
    """Most letters outside links are capitals: at least `letters` of them, and `share` of all."""
    if len(content) < shape.limits["letters"] or content.islower():
        return ()
    if content.isascii() and _left(content, _NO_CAPITALS) < shape.limits["letters"]:
        return ()  # nearly every text
    prose = _without_links(content, text)
    capitals = sum(map(str.isupper, prose))
    if capitals < shape.limits["letters"]:
        return ()
    return _whole(content) if capitals >= shape.limits["share"] * sum(map(str.isalpha, prose)) else ()


def repeated_punctuation(content: str, _text: Normalised, _shape: Shape) -> Sequence[Span]:
    """Three question or exclamation marks in a row, or more."""
    if "!!" not in content and "?" not in content:
        return ()
    return [match.span() for match in _PUNCTUATION.finditer(content)]


def repeated_characters(content: str, text: Normalised, _shape: Shape) -> Sequence[Span]:
    """The same letter four times in a row, or more."""
    if text.is_plain or not has_repeats(content):
        return ()
    return [match.span() for match in _REPEATED.finditer(content)]


def repeated_words(content: str, text: Normalised, shape: Shape) -> Sequence[Span]:
    """At least `words` words, of which at most `distinct` (a share) differ."""
    count = len(text.words)
    if count < shape.limits["words"] or len(set(text.words)) > shape.limits["distinct"] * count:
        return ()
    return _whole(content)


def symbol_flood(content: str, _text: Normalised, shape: Shape) -> Sequence[Span]:
    """At least `symbols` punctuation marks and symbols, and `share` of all characters."""
    if len(content) < shape.limits["symbols"] or content.isalnum():
        return ()
    count = _left(content, _NO_SYMBOLS) if content.isascii() else len(_SYMBOL.findall(content))
    if count < shape.limits["symbols"] or count < shape.limits["share"] * len(content):
        return ()
    return _whole(content)


def zalgo(content: str, _text: Normalised, _shape: Shape) -> Sequence[Span]:
    """Three combining marks or more on one letter."""
    return () if content.isascii() else [match.span() for match in _MARKS.finditer(content)]


def zero_width(content: str, _text: Normalised, _shape: Shape) -> Sequence[Span]:
    """Invisible characters between Latin letters; in emoji and in other scripts they have their use."""
    return () if content.isascii() else [match.span() for match in _ZERO_WIDTH.finditer(content)]


def mass_mentions(_content: str, text: Normalised, shape: Shape) -> Sequence[Span]:
    """At least `mentions` mentions, or one of everybody."""
    folded = text.folded
    if "@" not in folded.text:
        return ()
    everybody = _ALL_CALLED.search(folded.text)
    if everybody:
        return [folded.span(*everybody.span())]
    mentions = [index for index, word in enumerate(text.words) if word == MENTION]
    if len(mentions) < shape.limits["mentions"]:
        return ()
    spans = text.spans
    return [(spans[mentions[0]][0], spans[mentions[-1]][1])]


def link(_content: str, text: Normalised, shape: Shape) -> Sequence[Span]:
    """A link, whatever its host; `words` are hosts that everybody links to and that do not count."""
    return [
        text.folded.span(found.start, found.end)
        for found in text.links
        if not _host_in(found.host, shape.words)
    ]


def link_to(_content: str, text: Normalised, shape: Shape) -> Sequence[Span]:
    """A link to one of the hosts in `words` (or a host below one), or to one of the endings (".xyz")."""
    return [
        text.folded.span(found.start, found.end) for found in text.links if _host_in(found.host, shape.words)
    ]


def phone_number(_content: str, text: Normalised, shape: Shape) -> Sequence[Span]:
    """A number that can be called: at least `digits` digits, at most 15."""
    folded = text.folded
    if not _DIGITS.search(folded.text):
        return ()
    return [
        folded.span(*match.span())
        for match in _PHONE.finditer(folded.text)
        if shape.limits["digits"] <= len(_NOT_DIGIT.sub("", match.group())) <= 15
    ]


def baited_contact(_content: str, text: Normalised, shape: Shape) -> Sequence[Span]:
    """A link, an e-mail address or a telephone number beside at least `bait` different bait words.

    They are also `share` of all words: a long text has some of them by itself.
    """
    bait = len(shape.words.intersection(text.words))
    if bait < shape.limits["bait"] or bait < shape.limits["share"] * len(text.words):
        return ()
    folded = text.folded
    contacts = [(found.start, found.end) for found in text.links] or list(text.emails)
    contacts = contacts or [match.span() for match in _PHONE.finditer(folded.text)]
    return [folded.span(*contacts[0])] if contacts else ()


def money_amount(_content: str, text: Normalised, shape: Shape) -> Sequence[Span]:
    """An amount of money beside at least `bait` different bait words."""
    if len(shape.words.intersection(text.words)) < shape.limits["bait"]:
        return ()
    match = _AMOUNT.search(text.folded.text)
    return [text.folded.span(*match.span())] if match else ()


def laughter(content: str, text: Normalised, shape: Shape) -> Sequence[Span]:
    """The author laughs: one of `words`, or a laughing face."""
    if not shape.words.isdisjoint(text.words):
        return _whole(content)
    return () if content.isascii() or not _LAUGHTER.search(content) else _whole(content)


def _left(ascii_text: str, dropped: bytes) -> int:
    """How many characters are left without the given ones; a tenth of the time of looking at each."""
    return len(ascii_text.encode().translate(None, dropped))


def _without_links(content: str, text: Normalised) -> str:
    pieces = []
    position = 0
    for found in text.links:
        start, end = text.folded.span(found.start, found.end)
        pieces.append(content[position:start])
        position = end
    return "".join([*pieces, content[position:]])


def _whole(content: str) -> Sequence[Span]:
    return [(0, len(content))]


def _host_in(host: str, hosts: frozenset[str]) -> bool:
    """Whether the host, a domain above it, or its ending (".xyz") is one of `hosts`."""
    labels = host.split(".")
    return f".{labels[-1]}" in hosts or any(".".join(labels[i:]) in hosts for i in range(len(labels) - 1))


SHAPES: Mapping[str, tuple[FindShape, frozenset[str]]] = {
    "all_caps": (all_caps, frozenset({"letters", "share"})),
    "baited_contact": (baited_contact, frozenset({"bait", "share"})),
    "beast_emoji": (beast_emoji, frozenset({"reach"})),
    "emoji_flood": (emoji_flood, frozenset({"emoji"})),
    "laughter": (laughter, frozenset()),
    "invitation": (link_to, frozenset()),
    "link": (link, frozenset()),
    "link_shortener": (link_to, frozenset()),
    "mass_mentions": (mass_mentions, frozenset({"mentions"})),
    "money_amount": (money_amount, frozenset({"bait"})),
    "obscene_emoji": (obscene_emoji, frozenset()),
    "phone_number": (phone_number, frozenset({"digits"})),
    "repeated_characters": (repeated_characters, frozenset()),
    "repeated_punctuation": (repeated_punctuation, frozenset()),
    "repeated_words": (repeated_words, frozenset({"words", "distinct"})),
    "risky_link": (link_to, frozenset()),
    "symbol_flood": (symbol_flood, frozenset({"symbols", "share"})),
    "weapon_emoji": (weapon_emoji, frozenset({"reach"})),
    "zalgo": (zalgo, frozenset()),
    "zero_width": (zero_width, frozenset()),
}
"""The rules of this kind by name, with the limits that the rules file must give."""

NEED_LINKS = frozenset({"invitation", "link", "link_shortener", "risky_link"})
"""Those that find nothing in a text without links."""

NEED_OTHER_THAN_ASCII = frozenset(
    {"beast_emoji", "emoji_flood", "obscene_emoji", "weapon_emoji", "zalgo", "zero_width"}
)
"""Those that find nothing in ASCII."""

NEED_THEIR_WORDS = frozenset({"baited_contact", "laughter", "money_amount"})
"""Those that find nothing in ASCII without one of their words."""

NEED_ODD_TEXT = frozenset({"mass_mentions", "repeated_characters"})
"""Those that find nothing in plain text (`Normalised.is_plain`)."""
