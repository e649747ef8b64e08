"""Texts that the agreement check sends through every variant: written here, never taken from a corpus.

Built from templates over all seven outcomes and stretched to every length up to past the model's cut, since
what moves with rounding, padding and neighbours depends on length. The same seed gives the same texts for
ever.
"""

from __future__ import annotations

import random

SEED = 20240917

_OPENERS = (
    "hey {who}", "honestly", "ok so", "lol", "wait", "listen {who}", "good morning everyone",
    "update:", "@{who}", "does anyone know", "breaking", "psst", "to whoever is online",
    "sorry to bother you", "@everyone", "bruh",
)  # fmt: skip
_PLAIN = (
    "the {thing} on {place} finally works after the patch",
    "can somebody help me with my {thing}, it stopped this {time}",
    "we meet at {place} this {time}, bring your {thing}",
    "i really liked the {thing} that {who} made",
    "what is the fastest way to learn about {thing}",
    "the match was close, {who} carried us in the last round",
    "please kill the background process before you restart the {thing}",
    "my {thing} died again, third time since {time}",
    "has {who} seen the new trailer for the {thing} documentary",
    "i moved the {thing} ticket to done, review it by {time}",
)  # fmt: skip
_HARMFUL = (
    "{who} is a complete idiot and everybody knows it",
    "you are the most pathetic {role} i have ever seen, uninstall",
    "shut up you stupid {role}, nobody asked",
    "i will find out where you live and break your legs, {who}",
    "somebody should beat {who} until he stops talking",
    "those {group} are vermin and should be thrown out of the country",
    "{group} ruin every neighbourhood they move to",
    "free {prize} for the first hundred people, claim it at {link}",
    "earn {money} a day from home, message me on {app} now",
    "your account was locked, confirm your password at {link}",
    "send me pictures without clothes, i know you want to",
    "hot singles near {place} want to sleep with you, {link}",
    "what the hell is this crap, damn garbage {thing}",
    "go cry to your mother you worthless clown",
)  # fmt: skip
_SLOTS = {
    "who": ("mira", "captain_kay", "tom", "zed99", "the moderator", "our coach", "jonas", "user_4417", "her"),
    "thing": (
        "server",
        "keyboard",
        "soup recipe",
        "gradient",
        "bus ticket",
        "drum loop",
        "raid build",
        "printer",
    ),
    "place": ("the harbour", "channel two", "lane 4", "the library", "Osaka", "map b", "the main hall"),
    "time": ("afternoon", "monday", "2 am", "evening", "patch day", "lunch"),
    "role": ("healer", "driver", "streamer", "admin", "teammate", "reply guy"),
    "group": (
        "newcomers from the north",
        "immigrants",
        "women drivers",
        "believers of that church",
        "foreigners",
    ),
    "prize": ("gift cards", "skins", "nitro", "tokens", "phones"),
    "link": (
        "http://bonus.example/x1",
        "https://t.example/join?ref=88",
        "bit.example/9zQ",
        "www.prize.example",
    ),
    "money": ("$500", "900 euro", "0.2 BTC", "5000 dollars"),
    "app": ("WhatsUp", "telegraph", "dm", "+1 555 0100"),
}
_ENDINGS = (
    "", "!", "!!!", "...", "?", " lol", " :)", " 😂😂", " #fyp", " — thanks", " smh", ", ok?", " (edited)",
    " привет", " 你好", " naïve café", " >:(", " <3", " 1234567890", " xD",
)  # fmt: skip


def check_texts(count: int) -> list[str]:
    """`count` texts from two tokens to beyond 512: most of chat length, one in sixty-four long."""
    source = random.Random(SEED)  # noqa: S311 - fixed texts, no secret
    return [_text(source, index) for index in range(count)]


def _text(source: random.Random, index: int) -> str:
    if index % 64 == 63:
        sentences = source.choice((4, 8, 12, 20, 30, 60))
    else:
        sentences = source.choice((1, 1, 1, 1, 2, 4))
    if index % 50 == 0:
        return source.choice(("ok", "gg", "no", "a", "?", "hi", "ez", "w"))
    parts = [_sentence(source) for _ in range(sentences)]
    if source.random() < 0.5:
        parts[0] = f"{_filled(source, source.choice(_OPENERS))} {parts[0]}"
    text = " ".join(parts)
    if index % 256 == 255:
        text = " ".join([text] * 12)  # past the cut, whatever was drawn
    return text.upper() if source.random() < 0.05 else text


def _sentence(source: random.Random) -> str:
    template = source.choice(_HARMFUL if source.random() < 0.45 else _PLAIN)
    return _filled(source, template) + source.choice(_ENDINGS)


def _filled(source: random.Random, template: str) -> str:
    return template.format(**{slot: source.choice(words) for slot, words in _SLOTS.items()})
