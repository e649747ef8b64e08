"""How much a text has to say, in words: greetings, thanks and "gg" have little of it, campaigns much."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+")
_BETWEEN_ASCII_WORDS = {number: " " for number in range(128) if not chr(number).isalnum()}
"""For `str.translate`: what `_WORD` finds in ASCII, in a fourth of the time."""
_INNER_DOT = re.compile(r"[^\s.]\.+[^\s.]")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_CHARACTERS_OF_A_WORD = (
    2  # Chinese, Japanese and Thai put no spaces; a word of theirs is about two characters
)

_OF_EVERY_SENTENCE = """
a about after again all almost already also always am an and another any anybody anyone anything are aren as
at away back be because been before being both but by can cannot cant come could couldn d did didn do does
doesn doing don done dont down each either else end even ever every everybody everyone everything few first
for from get gets getting give go goes going gone gonna good got gotta great had has hasn have haven having
he her here hers herself him himself his how i if im in into is isn it its itself ive just keep know last
least less let lets like little ll long look lot m made make makes many may maybe me might mine more most
much must my myself need never new next no nobody none not nothing now o of off often on once one ones only
onto or other others ought our ours out over own please put quite rather re really right s said same say
says see seem seen shall she should shouldn since so some somebody someone something soon still such sure t
take tell than that thats the their theirs them themselves then there these they thing things think this
those though through till time to too try two u under until up ur us use very want was wasn way we well went
were weren what when where which while who whole whom whose why will with without won would wouldn yeah year
years yes yet you your youre yours yourself
"""

_OF_GREETINGS_AND_CHEERS = """
afk amazing anniversary anyways awesome bb bday best birthday bless brb bro bruh btw bye chat cheers
christmas congrats congratulations cool cu cya day days dear dude easter enjoy evening evenings fine folks
friend friends fun game games gg ggs ggwp gl glad glhf gm gn goodbye goodnight guys gz ha haha hahaha happy
hbd hehe hello hey hf hi hiya holiday holidays hope kk l later lmao lmfao lol lolol love luck lucky mate
merry mhm morning mornings n1 nah nice night nights noice nope np nt nvm ofc oh ok okay omg oof oops people
played pls plz pog pogchamp poggers rip rofl server sorry stream sup sweet team thank thanks thanx thx today
tomorrow tonight true ty tysm w wait wb week weekend weeks welcome wish wishes wishing woah wow wp wtf xd
xmas y ya yay yea yep yo yup
"""

COMMON = frozenset(_OF_EVERY_SENTENCE.split() + _OF_GREETINGS_AND_CHEERS.split())
"""Words that say little by themselves."""


def informative_words(text: str) -> int:
    """Distinct words of a text that are not `COMMON`, in any script; a name, a number or a link is one."""
    folded = text.casefold()
    links: set[str] = set()
    if "/" in folded or ("." in folded and _INNER_DOT.search(folded)):
        chunks = folded.split()
        links.update(filter(_is_link, chunks))
        folded = " ".join(chunk for chunk in chunks if chunk not in links) if links else folded
    if text.isascii():
        return len(links.union(folded.translate(_BETWEEN_ASCII_WORDS).split()) - COMMON)
    words = links.union(_WORD.findall(folded)) - COMMON
    return sum(1 + len(_UNSPACED.findall(word)) // _CHARACTERS_OF_A_WORD for word in words)


def _is_link(chunk: str) -> bool:
    return "/" in chunk or "." in chunk.strip(".")
