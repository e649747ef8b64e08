"""What the shipped rules say of whole texts: harmful ones, disguised ones, harmless look-alikes."""

from __future__ import annotations

import pytest

from pipeline.verdict import Category, Route
from screener.fusion import Policy, judge, judge_degraded
from screener.heuristics import Heuristics

POLICY = Policy()
QUIET = (0.0,) * 7
LOW = ((0.1,) * 7, (0.5,) * 7)  # a model that labels and escalates early: the rules must not depend on it

HARMFUL_TEXTS = [
    ("you are such an idiot", "insult", "you are such an idiot"),
    ("ur a pathetic loser man", "insult", "ur a pathetic loser"),
    ("go fuck yourself", "insult", "go fuck yourself"),
    ("morons like you ruin it", "insult", "morons like you"),
    ("@sam is a fucking moron", "insult", "@sam is a fucking moron"),
    ("lol u noob, uninstall the game", "jibe", "u noob"),
    ("what an asshole", "offensive_strong", "asshole"),
    ("this motherfucker again", "offensive_severe", "motherfucker"),
    ("that is so stupid", "offensive_mild", "stupid"),
    ("just kys already", "self_harm_urging", "kys"),
    ("Go kill yourself.", "self_harm_urging", "Go kill yourself"),
    ("i hope you die in there", "self_harm_urging", "hope you die"),
    ("I will kill you tonight", "death_threat", "I will kill you"),
    ("i'm gonna find you and murder you", "death_threat", "i'm gonna find you and murder you"),
    ("I'll slit your throat", "death_threat", "I'll slit your throat"),
    ("I will be waiting outside with a knife", "death_threat", "I will be waiting outside with a knife"),
    ("i will punch you in the face", "harm_threat", "i will punch you"),
    ("im gonna break your jaw, watch", "harm_threat", "im gonna break your jaw"),
    ("there is a bomb in the station", "attack_announced", "there is a bomb in the"),
    ("i'm going to shoot up the office", "attack_announced", "i'm going to shoot up the"),
    ("pay me or i post the pictures", "extortion", "pay me or i post"),
    ("i'll dox you by friday", "extortion", "i'll dox you"),
    ("careful. I know where you live", "veiled_threat", "I know where you live"),
    ("I will find you", "veiled_threat", "I will find you"),
    ("they should all be shot", "call_for_violence", "should all be shot"),
    ("gas the jews", "call_for_violence", "gas the jews"),
    ("shut up, faggot", "slur", "faggot"),
    ("he is such a homo", "slur_ambiguous", "homo"),
    ("muslims are all animals", "group_attack", "muslims are all animals"),
    ("i can't stand immigrants", "group_hostility", "i can't stand immigrants"),
    ("go back to your country", "group_attack", "go back to your country"),
    ("heil hitler", "extremist_slogan", "heil hitler"),
    ("send me nudes babe", "sexual_solicitation", "send me nudes"),
    ("do you wanna have sex", "sexual_solicitation", "wanna have sex"),
    ("best milf videos", "sexual_explicit", "milf"),
    ("so horny today", "sexual_topic", "horny"),
    ("look https://files.example/x", "link", "https://files.example/x"),
    ("look bit.ly/3xyz", "link_shortener", "bit.ly/3xyz"),
    ("mega sale at shoes-outlet.xyz", "risky_link", "shoes-outlet.xyz"),
    ("come to discord.gg/fun", "invitation", "discord.gg/fun"),
    ("get free nitro today", "giveaway", "free nitro"),
    ("free nitro for all: gifts.example.com/n", "lure", "free nitro"),
    ("turn 1 into 2, we double your btc in 24 hours", "money_bait", "we double your btc in 24 hours"),
    ("data entry job, no experience needed", "job_bait", "data entry job"),
    ("your parcel is on hold", "notice", "parcel is on hold"),
    ("parcel is on hold, pay at post.example.com", "notice_with_link", "parcel is on hold"),
    ("please send me your seed phrase to fix the wallet", "credential_theft", "send me your seed phrase"),
    ("buy followers, real ones", "goods_bait", "buy followers"),
    ("hot singles are waiting", "adult_promotion", "hot singles"),
    ("check out my new painting", "promotion", "check out my"),
    ("make money online with my method", "money_bait", "make money online"),
    ("earn $500 daily", "money_amount", "$5"),
    ("connect your wallet to mint", "crypto_bait", "connect your wallet"),
    ("please verify your account here", "phishing", "verify your account"),
    ("please subscribe to my channel", "self_promotion", "please subscribe to my channel"),
    ("dm me for prices", "contact_bait", "dm me for"),
    ("ring 0871 230 0220 please", "phone_number", "0871 230 0220"),
    ("you won a free prize, claim at win.example.com", "baited_contact", "win.example.com"),
    ("@everyone look", "mass_mentions", "@everyone"),
    ("@a1 @b2 @c3 @d4 @e5 @f6 @g7 @h8 hi", "mass_mentions", "@a1 @b2 @c3 @d4 @e5 @f6 @g7 @h8"),
    ("WHY IS NOBODY LISTENING", "all_caps", "WHY IS NOBODY LISTENING"),
    ("what?!?!", "repeated_punctuation", "?!?!"),
    ("nooooo way", "repeated_characters", "ooooo"),
    ("buy it buy it buy it buy it buy it", "repeated_words", "buy it buy it buy it buy it buy it"),
    ("$$$ %%% ### !!!", "symbol_flood", "$$$ %%% ### !!!"),
    ("😀😀😀😀 x 😀😀😀😀", "emoji_flood", "😀😀😀😀 x 😀😀😀😀"),
    ("h\u0300\u0301\u0302\u0303i", "zalgo", "\u0300\u0301\u0302\u0303"),
    ("hel\u200b\u200blo", "zero_width", "\u200b\u200b"),
    ("here is what i think 🖕", "obscene_emoji", "🖕"),
    ("after school, you 🔪🔪", "weapon_emoji", "🔪🔪"),
    ("look at them 🐒", "beast_emoji", "🐒"),
]

DISGUISED_TEXTS = [
    ("you are an 1d1ot", "insult", "you are an 1d1ot"),
    ("you i d i o t", "insult", "you i d i o t"),
    ("you fucking іdiot", "insult", "you fucking іdiot"),
    ("k.y.s", "self_harm_urging", "k.y.s"),
    ("K Y S", "self_harm_urging", "K Y S"),
    ("go k1ll y0urself", "self_harm_urging", "go k1ll y0urself"),
    ("fuuuuck youuuu", "insult", "fuuuuck youuuu"),
    ("f-u-c-k you", "insult", "f-u-c-k you"),
    ("ƒuck ʏou", "insult", "ƒuck ʏou"),
    ("f4gg0t", "slur", "f4gg0t"),
    ("n i g g e r", "slur", "n i g g e r"),
    ("ni\u200bgg\u200ber", "slur", "ni\u200bgg\u200ber"),
    ("𝓼𝓮𝓷𝓭 𝓷𝓾𝓭𝓮𝓼", "sexual_solicitation", "𝓼𝓮𝓷𝓭 𝓷𝓾𝓭𝓮𝓼"),
    ("i will k.i.l.l you", "death_threat", "i will k.i.l.l you"),
    ("ｆｒｅｅ ｎｉｔｒｏ", "giveaway", "ｆｒｅｅ ｎｉｔｒｏ"),
]

HARMLESS_TEXTS = """
The train to Scunthorpe leaves at nine
kill the process before you restart the server
kill the parent and its orphaned children
I'm dead lol
this is killing me
nice kill
that slaps
you are killing it
you killed it on stage last night
breast cancer screening
Dick Van Dyke
Moby Dick is a long book
I could murder a burger
shoot me an email
I'll shoot you an email tonight
the assassin class is op
sex education curriculum
analysis of the cockpit data
the Essex county council
we will crush you in the finals, gg
I will beat you at chess someday
I will kill you in Mario Kart tonight
I'm going to kill it at the interview
I would kill for a coffee right now
break a leg tonight!
the bomb dropped in the second act
you are sick, in the best way
drop dead gorgeous dress
hang in there, you got this
I'm a proud gay man
she is a black muslim woman
my trans friend is jewish
lesbian film festival this weekend
immigrants are welcome here
jews celebrate hanukkah this week
the raccoon stole my lunch
a chink in the armor
Maine coon kittens are huge
a spic and span kitchen
shitake mushrooms from Matsushita
a blue tit at the feeder
great tits are common garden birds
he pricked his finger on a rose
assess the assets of the class
the title of the constitution
my therapist said I should rest
Penistone and Clitheroe
when you die in the game you respawn at base
don't kill yourself over one exam
please don't kill yourself, we love you
you will regret skipping dessert
the loser's bracket final starts at 8
take out the trash can please
you are not stupid
you shot me down in that meeting
see you at 2nd street, b4 noon, 100% sure
upgrade to v1.2 of the driver
plan a, b, c and d
call me when you land
can you call now? I'm free
he was shot in 1963
a cock crows at dawn, the cocker spaniel barks
magna cum laude graduate
Shiite and Sunni communities
you won! congratulations, great match
the nude lipstick looks great
sperm whale documentary
I want to punch the air
holy cow you scared me
the dam burst and the class passed
раки и кот
на здоровье, друзья
I'm dying of laughter over here
shoot me a message when you're home
kill the zombie process, then free the memory
nice kill, now push mid and take their tower
beat the eggs and whip the cream
the biopsy of the breast came back clear
I will kick your ass at table tennis on Friday
I'm gonna kill you if you spoil the ending
happy birthday, you filthy animal
fuck yeah, we got the tickets
that was a fucking amazing concert
the bitch had five puppies last night
loser buys dinner, deal?
the knife 🔪 is for the bread, you will love it
we saw a 🐒 and two parrots at the zoo
never give a stranger your recovery phrase
""".strip().split("\n")

# Swearing at nobody is seen, but neither labels nor routes by itself.
SWEARING_TEXTS = [
    "holy shit this is amazing",
    "fuck yes we won",
    "this is fucking awesome",
    "I'm such an idiot",
    "nobody thinks you're an idiot",
]

# The words of harm, and around them what takes the proof away.
DOUBTFUL_TEXTS = [
    ("I will kill you tonight", 'he wrote "I will kill you tonight" and the court believed me'),
    ("I will kill you tonight", "I will kill you tonight lol, wait for my hat trick"),
    ("i will punch you in the face", "next round i will punch you in the face with my tank"),
    ("kys", "telling people kys gets you banned here"),
    ("you are an idiot", 'being told "you are an idiot" every day wears you down'),
    ("shut up, faggot", "he called me a faggot on the bus and nobody spoke up"),
    ("muslims are all animals", "don't say that muslims are all animals"),
    ("send me nudes", 'a stranger asked "send me nudes" and I left the call'),
    ("free nitro at gifts.example.com", "beware, free nitro at gifts.example.com steals accounts"),
    ("parcel is on hold: post.example.com", "it says parcel is on hold: post.example.com, is this legit?"),
]


def found(heuristics: Heuristics, content: str) -> list[tuple[str, str]]:
    return [(f.rule, content[f.start : f.end]) for f in heuristics.score(content).flags]


@pytest.mark.parametrize(("content", "rule", "original"), HARMFUL_TEXTS)
def test_a_harmful_text_is_flagged(heuristics: Heuristics, content: str, rule: str, original: str) -> None:
    assert (rule, original) in found(heuristics, content)


def test_every_text_rule_has_a_text_here(heuristics: Heuristics) -> None:
    context_rules = {"low_reputation", "newcomer_solicits", "near_duplicate_flood", "near_duplicate_wave"}
    told = {name for name, rule in heuristics.rules.rules.items() if rule.weight}
    rules = told - context_rules - {"disguised_word"}
    assert rules == {rule for _, rule, _ in HARMFUL_TEXTS}


@pytest.mark.parametrize(("content", "rule", "original"), DISGUISED_TEXTS)
def test_a_disguised_text_is_flagged(heuristics: Heuristics, content: str, rule: str, original: str) -> None:
    assert (rule, original) in found(heuristics, content)


def test_the_disguise_is_told(heuristics: Heuristics) -> None:
    assert ("disguised_word", "1d1ot") in found(heuristics, "you are an 1d1ot")
    assert "disguised_word" not in {rule for rule, _ in found(heuristics, "you are an idiot")}
    assert found(heuristics, "my b3st fr1end") == []


@pytest.mark.parametrize("content", HARMLESS_TEXTS)
def test_a_harmless_text_has_no_harmful_flag(heuristics: Heuristics, content: str) -> None:
    flags = heuristics.score(content).flags
    assert [f for f in flags if f.category is not Category.UNSPECIFIED] == []


@pytest.mark.parametrize("content", HARMLESS_TEXTS + SWEARING_TEXTS)
def test_a_harmless_text_is_never_routed_or_labelled_by_rules(heuristics: Heuristics, content: str) -> None:
    result = heuristics.score(content)
    for judged in (judge(result, QUIET, LOW, POLICY), judge_degraded(result, POLICY)):
        assert judged.route is Route.LOW_RISK
        assert judged.labels == ()


@pytest.mark.parametrize(("plain", "doubtful"), DOUBTFUL_TEXTS)
def test_words_that_are_reported_laughed_at_or_warned_of_prove_nothing(
    heuristics: Heuristics, plain: str, doubtful: str
) -> None:
    said, told = heuristics.score(plain), heuristics.score(doubtful)
    assert 0.0 < told.score < said.score
    assert not any(told.evidence)
    assert judge(told, QUIET, LOW, POLICY).labels == ()


@pytest.mark.parametrize(
    ("content", "category"),
    [
        ("I will kill you", Category.VIOLENCE),
        ("you are a worthless idiot", Category.TOXIC),
        ("kys", Category.TOXIC),
        ("URGENT: you won a cash prize, claim now at prizes.example.top", Category.SPAM),
        ("steam gift for you all, claim your reward at giftt.example.com/a", Category.SPAM),
        ("we double your btc in 24 hours, write to t.me/someone_x", Category.SPAM),
        ("your discord account has been limited, verify here to keep it: bit.ly/x1", Category.SPAM),
        ("work from home job, get paid daily, contact hr on whatsapp", Category.SPAM),
    ],
)
def test_a_plain_case_is_routed_though_the_model_misses_it(
    heuristics: Heuristics, content: str, category: Category
) -> None:
    judged = judge(heuristics.score(content), QUIET, ((0.9,) * 7, (1.0,) * 7), POLICY)
    assert judged.route is Route.REASONING_QUEUE
    assert category in judged.labels
