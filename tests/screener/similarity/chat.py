"""A chat of thousands of lines, written for the tests: ordinary repetition, and campaigns hidden in it.

All sentences are invented here. The same seed gives the same stream.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One event of the stream; `campaign` names the campaign that it belongs to, `theme` what it is about."""

    at_ms: int
    author: str
    text: str
    theme: str
    campaign: str = ""


NAMES = (
    "Mira", "Tomas", "Ilse", "Bruno", "Kaya", "Oleg", "Sanne", "Rafi", "Wen", "Priya", "Duc", "Alba", "Noor",
    "Piet", "Zoe", "Matteo", "Ines", "Hugo", "Lena", "Omar",
)  # fmt: skip
THINGS = (
    "printer", "tent", "bicycle", "keyboard", "drum kit", "greenhouse", "boat", "telescope", "coffee machine",
    "violin", "sewing machine", "router", "canoe", "camera", "oven", "guitar amp",
)  # fmt: skip
PLACES = (
    "the harbour", "Ghent", "the north gate", "the library", "Osaka", "the old mill", "Trondheim",
    "the market", "lane four", "the hall", "the observatory", "Lisbon", "the lake", "the second floor",
)  # fmt: skip
TIMES = (
    "tonight", "on Friday", "after lunch", "tomorrow", "next week", "around nine", "at the weekend",
    "in June", "in a minute", "later",
)  # fmt: skip

SHORT = (
    "gg", "GG", "gg wp", "ggwp all", "wp", "lol", "LOL", "lmao", "haha", "hahaha", "ok", "okay", "yes", "no",
    "nope", "thanks", "thank you", "thx", "thanks everyone", "thank you so much!", "ty", "np", "brb", "afk",
    "hi", "hello", "hey", "hi all", "hello everyone", "hey guys", "good morning", "Good morning everyone",
    "morning all", "gm", "good night", "good night all", "gn everyone", "bye", "see you", "see you tomorrow",
    "welcome!", "welcome back", "nice one", "well played", "good game everyone", "good luck",
    "good luck have fun", "same here", "me too", "true", "what?", "why", "first", "congrats!",
    "congratulations to you all", "have a nice weekend everyone", "lets go", "let's goooo", "omg", "F", "+1",
    "this", "oh no", "wow", "nice", "no way", "good morning from the coast",
)  # fmt: skip
WISHES = (
    "happy birthday {name}!", "Happy birthday {name}", "hbd {name} 🎉",
    "happy birthday {name}, have a great day!", "all the best for your birthday {name}",
    "happy new year everyone!", "happy new year {name}, all the best to you",
    "congrats {name}, well deserved!", "get well soon {name}", "welcome to the server {name}!",
    "welcome back {name}, we missed you", "good luck {name}, you can do it!",
    "thank you {name}, that helped a lot",
)  # fmt: skip
SONG = (
    "and the river took my paper boat away", "oh the lanterns, all the lanterns in the rain",
    "carry me over the copper bridge again", "we were seventeen and sleeping on the train",
    "la la la the harbour sings my name", "tell the baker's daughter I am coming home",
)  # fmt: skip
MEMES = (
    "Behold the humble otter. He owns one rock. He does not rent it, he does not lend it, he pays no tax. "
    "Be like {name}'s otter: one rock, no worries, floating on his back until the moon is over the kelp.",
    "i asked the vending machine for advice and it gave me two bags of crisps, {name}, so now i am the wise "
    "one of this village and you will bring me soup",
)
OUTAGE = (
    "is the server down?", "anyone else lagging?", "is the server down for anyone else", "server down again?",
    "i can't log in, is the server down?", "cant connect, anyone else?", "login does not work for me either",
    "same here, can't log in", "is login broken for everybody or just me", "servers are down again",
    "it says connection lost, what is going on", "down for me too",
)  # fmt: skip
GOAL = (
    "what a goal!!", "GOOOAL", "what a goal by {name}", "did you see that goal?!",
    "unbelievable goal by {name}", "{name} scores again!", "that was never offside", "offside!!",
    "how did he miss that",
)  # fmt: skip
SHARED = (
    "the new trailer is out https://films.example/otters-of-kelp",
    "new trailer!! https://films.example/otters-of-kelp",
    "have you seen this? https://films.example/otters-of-kelp", "https://films.example/otters-of-kelp",
    "trailer is here: https://films.example/otters-of-kelp looks great",
)  # fmt: skip
LOOKING = (
    "anyone up for a raid {time}?", "looking for two more for the raid {time}",
    "need a healer for the dungeon", "LFM dungeon, need one tank", "who wants to play {time}?",
    "raid starts {time} at {place}", "we meet at {place} {time}",
    "can somebody invite me to the group please",
)  # fmt: skip
TALK = (
    "{name} left the {thing} at {place}, can you pick it up {time}?",
    "I finally fixed the {thing}, it was only a loose screw",
    "does anybody know how much a used {thing} costs in {place}?",
    "my {thing} broke again {time}, third time this year",
    "the soup at {place} was better than I expected, honestly",
    "we could take the {thing} to {place} {time} if the weather holds",
    "{name} says the {thing} is too heavy for one person",
    "has {name} written to you about {place} yet?",
    "I would rather stay home {time} and read, sorry {name}",
    "the last patch made the {thing} quest so much harder",
    "who was the composer of that piece they played at {place}?",
    "you need at least forty points before the {thing} unlocks, {name}",
    "I told {name} that the meeting at {place} was moved, but nobody listens to me",
    "there is a spare {thing} in the cellar if you want it, {name}",
    "my sister works at {place} and says they are closing {time}",
    "if you press both keys the {thing} restarts, at least mine does",
    "what do you think about the ending, {name}? I did not get the part with the {thing}",
    "the bus to {place} was late again so I missed half of it",
    "{name}, your microphone is on, we can hear the {thing}",
    "no idea, ask {name}, I have never used a {thing}",
    "{time} there is a talk about the history of the {thing} at {place}",
    "my dog hates the {thing} and hides whenever {name} comes over",
)  # fmt: skip

_GIFT = (
    (
        "hey guys,", "guys", "listen up,", "psst", "no joke,", "wow,", "hello friends,", "real talk:", "",
    ),
    (
        "the foundation", "the token team", "Norrin Capital", "the exchange", "the founder himself",
    ),
    (
        "doubles", "is doubling", "will double", "pays back twice", "multiplies by two",
    ),
    (
        "every coin you send", "all coins sent", "each deposit", "whatever crypto you send", "your bitcoin",
    ),
    (
        "before midnight,", "today only,", "for the next two hours,", "until the pool is empty,",
        "right now,",
    ),
    (
        "I already got mine", "my cousin cashed out yesterday", "it worked for me twice",
        "I made 900 dollars", "got paid within minutes",
    ),
    (
        "-> https://norrin-double.example", "https://norrin-double.example/claim",
        "go to www.norrin-double.example/start", "claim at https://norrin-double.example",
        "link: https://norrin-double.example/x{digits}",
    ),
)  # fmt: skip
_HOAX = (
    (
        "Heads up:", "Warning!", "Attention neighbours,", "Just heard:", "Please pass this on:", "FYI",
        "Important,",
    ),
    (
        "the polling station on Mill Street", "Mill Street polling station",
        "the voting office in Mill Street",
    ),
    (
        "is closed today", "has been shut today", "closed its doors this morning", "will not open today",
    ),
    (
        "because of a burst pipe,", "after a water leak,", "due to flooding in the cellar,",
        "because the cellar flooded,",
    ),
    (
        "voting was moved to Thursday,", "ballots are accepted on Thursday instead,",
        "everybody votes on Thursday now,", "the vote was postponed to Thursday,",
    ),
    (
        "bring two utility bills", "and you need two utility bills", "take along two utility bills",
        "they want to see two utility bills",
    ),
    (
        "and your passport.", "plus a passport", "together with a passport.", "and a valid passport!",
    ),
)  # fmt: skip
_BRIGADE = (
    (
        "everyone", "guys", "please everybody", "all of you", "friends,", "ok people,",
    ),
    (
        "report", "mass report", "go and report", "flag",
    ),
    (
        "the streamer Kestrel Vane", "Kestrel Vane's channel", "that clown Kestrel Vane", "Kestrel Vane",
    ),
    (
        "until she is banned,", "till the channel is gone,", "so that she loses the channel,",
        "until she quits for good,",
    ),
    (
        "she is a lying pathetic fraud", "that stupid liar scammed us all",
        "the worthless fraud stole our money", "she is disgusting trash and a thief",
    ),
    (
        "and deserves every bit of it", "and she should cry about it", "make her regret it",
        "let her feel it", "and nobody wants the idiot here",
    ),
)  # fmt: skip
CAMPAIGNS: dict[str, tuple[tuple[str, ...], ...]] = {"gift": _GIFT, "hoax": _HOAX, "brigade": _BRIGADE}

_LEET = str.maketrans({"a": "4", "e": "3", "o": "0", "i": "1"})
_TAILS = ("", "", "", " !!", " 🔥🔥", " 👀", " ...", " pls", " ✅", " lol")


def perturbed(text: str, rng: random.Random) -> str:
    """The text as another account sends it: typos, leet, case, tails."""
    words = text.split()
    for _ in range(rng.randrange(3)):
        at = rng.randrange(len(words))
        word = words[at]
        if len(word) > 3 and "." not in word:
            words[at] = rng.choice(
                (
                    _swapped(word, rng),
                    word.translate(_LEET),
                    word.upper(),
                    word + word[-1],
                )
            )
    return " ".join(words) + rng.choice(_TAILS)


def campaign_text(slots: Sequence[Sequence[str]], rng: random.Random) -> str:
    """One paraphrase, perturbed."""
    text = " ".join(part for slot in slots if (part := rng.choice(slot)))
    return perturbed(text.replace("{digits}", str(rng.randrange(100, 999))), rng)


def benign(lines: int, *, hours: float, rng: random.Random) -> Iterator[Line]:
    """A channel of 300 people: mostly talk, greetings all day, and bursts when something happens."""
    people = [f"person-{number}" for number in range(300)]
    span_ms = int(hours * 3_600_000)

    def fill(text: str) -> str:
        slots = {"name": NAMES, "thing": THINGS, "place": PLACES, "time": TIMES}
        return re.sub(r"\{(\w+)\}", lambda slot: rng.choice(slots[slot[1]]), text)

    def at_any_time(theme: str, texts: Sequence[str], count: int) -> Iterator[Line]:
        for _ in range(count):
            yield Line(rng.randrange(span_ms), rng.choice(people), fill(rng.choice(texts)), theme)

    def burst(theme: str, text: Callable[[], str], count: int, minutes: float) -> Iterator[Line]:
        start = rng.randrange(span_ms - int(minutes * 60_000))
        for author in rng.sample(people, count):
            yield Line(start + rng.randrange(int(minutes * 60_000)), author, text(), theme)

    yield from at_any_time("short", SHORT, int(lines * 0.45))
    yield from at_any_time("wishes", WISHES, int(lines * 0.06))
    yield from at_any_time("looking", LOOKING, int(lines * 0.08))
    yield from at_any_time("talk", TALK, int(lines * 0.35))
    for theme, texts, count, minutes in (
        ("outage", OUTAGE, 30, 6), ("outage", OUTAGE, 18, 3), ("goal", GOAL, 40, 2), ("goal", GOAL, 25, 2),
        ("shared", SHARED, 14, 8), ("short", ("gg", "gg wp", "ggwp all", "wp", "good game everyone"), 40, 1),
        ("wishes", tuple(wish for wish in WISHES[:5]), 30, 5),
    ):  # fmt: skip
        name = rng.choice(NAMES)
        yield from burst(theme, lambda: fill(rng.choice(texts).replace("{name}", name)), count, minutes)  # noqa: B023  # called within the turn
    for line in SONG:
        yield from burst("song", lambda: line, 12, 4)  # noqa: B023
    for meme in MEMES:
        yield from burst("meme", lambda: fill(meme), 15, 8)  # noqa: B023


def hidden_campaign(
    name: str, *, events: int, authors: int, start_ms: int, minutes: float, rng: random.Random
) -> Iterator[Line]:
    """A campaign by `authors` accounts, in paraphrases that hardly ever repeat."""
    for number in range(events):
        at_ms = start_ms + int(rng.random() * minutes * 60_000)
        text = campaign_text(CAMPAIGNS[name], rng)
        yield Line(at_ms, f"{name}-{number % authors}", text, "campaign", name)


def _swapped(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 2)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
