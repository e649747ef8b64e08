"""Disguised words are put back; what is not disguised stays byte for byte."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from screener.text import Vocabulary, plain
from screener.text.plain import reveal
from tests.fixtures.screening import HEURISTICS

VOCABULARY = HEURISTICS.rules.vocabulary

DISGUISED = {
    # digits and symbols
    "what an 1d1ot": "what an idiot",
    "$h1t, b!tch, big @ss": "shit, bitch, big ass",
    "they are 1oser5": "they are losers",
    "th1s 1s 4 b4d d4y": "this is a bad day",
    "y0u 4re @ cl0wn": "you are a clown",
    # letters of other scripts, and letters in another dress
    "you іdiot!": "you idiot!",  # Cyrillic і
    "ΚΙLL them, ΗΑΤΕ them": "kill them, hate them",
    "МОRОN": "moron",
    "ＩＤＩＯＴ， ｓｔｏｐ": "idiot, stop",
    "𝖎𝖉𝖎𝖔𝖙 and 𝗺𝗼𝗿𝗼𝗻": "idiot and moron",
    "ⓘⓓⓘⓞⓣ": "idiot",
    "🅸🅳🅸🅾🆃": "idiot",
    "🇮🇩🇮🇴🇹": "idiot",
    "🅵 🅤 🅲 🅺 you": "fuck you",
    "ᴡᴏʀᴛʜʟᴇss": "worthless",
    "ʇoıpı uɐ ǝɹɐ noʎ": "you are an idiot",
    "pu💲💲y, n⭕b⭕dy": "pussy, nobody",
    # what cannot be seen
    "i\u200bd\u2060i\u00ado\ufefft": "idiot",
    "1\u200bd\u200b1\u200bo\u200bt": "idiot",
    "i\u0334d\u0337i\u0338o\u0335t": "idiot",
    "i\u0301\u0302\u0303d\u0304\u0305\u0306iot": "idiot",
    # letters apart
    "an i d i o t, he": "an idiot, he",
    "y o u   a r e   s o   s t u p i d": "you   are   so   stupid",
    "y o u a r e a n i d i o t": "you are an idiot",
    "k.i.l.l y.o.u.r.s.e.l.f": "kill yourself",
    "k.y.s": "kys",
    "1 d 1 0 t": "idiot",
    "id.iot mo_ron los~er": "idiot moron loser",
    "fu ck you, k ill him": "fuck you, kill him",
    # letters together, masked, held, swapped, backwards
    "youareaworthlessloser": "you are a worthless loser",
    "killyourself": "kill yourself",
    "I'mgoingtofindyou": "I'm going to find you",
    "f**k this sh*t": "fuck this shit",
    "w*men": "women",
    "oh fuuuuuck": "oh fuck",
    "sooooo goood": "so good",
    "you are a pahtetic moorn": "you are a pathetic moron",
    "kcuf off, toidi": "fuck off, idiot",
    # several at once
    "f.u.с.k, i d і o t": "fuck, idiot",  # Cyrillic с, і
    "I h-a-t-e y o u, k.y.s": "I hate you, kys",
    "ｆ.ｕ.ｃ.ｋ": "fuck",
    "m0000r0n": "moron",
    "k1llyourself": "kill yourself",
}

UNDISGUISED = [
    "Hello there, how are you? :)",
    'He said "no" -- and left... (really!)',
    "B2B and mp3, h4x0r, xXx, R2D2, C-3PO, GPT4",
    "v1.2.3, 2024-05-01, 10:30pm, 24/7, 3.14, 1,000, 50%, 5'11\", 1080p",
    "$500, €20, £3.50, 100k, A$50, $BTC, $eth",
    "call +1 (555) 010-9999 or 020 7946 0123",
    "1. e4 e5 2. Nf3 Nc6 3. Bb5 a6 O-O Qxd5+",
    "2nite 2day b4 gr8 m8 l8r 4ever 4chan 1v1 5v5 l10n i18n k8s 1st 2nd",
    "area51 covid19 ps5 win10 user123 photo5 item3",
    "e-mail, t-shirt, x-ray, co-op, re-use, non-U.S., baby-ish, plan-B, ex-wife",
    "U.S.A., e.g. this, i.e. that, a.m., N.A.S.A., Ph.D., R.I.P.",
    "a b c d e f g, x y z, W A S D",
    "and/or, he/she, w/o, user_name, my_var, file.txt, setup.py",
    "see https://example.com/1d1ot?a=sh1t and mail 1d1ot@example.com, @1d10t_99",
    "#KillItWithFire #NotAllMen",
    "Scunthorpe, Penistone, Cockburn, Essex, Cnut, therapist, assassin, cockpit, Dickinson",
    "penisland, expertsexchange, handballverein, donaudampfschiff",
    "differentiating, indiscriminate, transliteration, heritability, irreplaceability",
    "Ça va très bien, François? El niño está aquí. Grüße aus Köln, schöne Straße",
    "Zażółć gęślą jaźń, Łódź, Århus, rødgrød, Þingvellir",
    "Tiếng Việt rất khó, Nguyễn Văn Tuấn",
    "Nguye\u0302\u0303n Va\u0306n",
    "И тут он сказал: нет, это не так. Кто там?",
    "Γειά σου Κόσμε, τι κάνεις;",
    "שלום עולם, مرحبا بالعالم, می\u200cخواهم",
    "今天天气很好 ＮＨＫ、こんにちは！ 안녕하세요",
    "नमस्ते दुनिया, क्\u200dष",
    "👨\u200d👩\u200d👧 👍🏽 ❤\ufe0f 1\ufe0f\u20e3 🇺🇸🇬🇧 🅰\ufe0f 🆗 ™ © ½ x² №5 ℹ\ufe0f ℃",
    "5 μm, 10 kΩ, β-carotene, π ≈ 3, λ = 2",
    "lol lmao omg idk xxxx haha 10/10 gg wp",
    "the process was killed; that joke slayed me, I'm dead lol",
    "C:\\path\\file and ~/.bashrc, __init__, **bold**, *emphasis*, `code()`, a*b*c",
    "PO box 5, an Al, bitch about it",
    "",
    "   ",
]


@pytest.mark.parametrize(("content", "meant"), DISGUISED.items(), ids=ascii)
def test_disguised_words_are_put_back(content: str, meant: str) -> None:
    assert plain(content, VOCABULARY) == meant


@pytest.mark.parametrize("content", UNDISGUISED, ids=ascii)
def test_what_is_not_disguised_stays_byte_for_byte(content: str) -> None:
    assert plain(content, VOCABULARY) == content


def test_a_word_of_look_alikes_is_disguised_only_where_nothing_else_is_foreign() -> None:
    assert plain("you сосk", VOCABULARY) == "you cock"
    assert plain("мы нашли рот", VOCABULARY) == "мы нашли рот"


def test_places_and_what_was_hidden() -> None:
    content = "you 1d1ot, k i l l it, fuuuck"
    draft = reveal(content, VOCABULARY)
    assert draft.text == "you idiot, kill it, fuck"
    for word, original, hidden in (
        ("you", "you", False),
        ("idiot", "1d1ot", True),
        ("kill", "k i l l", True),
        ("fuck", "fuuuck", False),  # who holds a letter stresses it
    ):
        start = draft.text.index(word)
        place = draft.span(start, start + len(word))
        assert content[slice(*place)] == original
        assert draft.is_hidden(*place) is hidden


def test_without_a_language_nothing_is_known_to_be_disguised() -> None:
    assert plain("1d1ot", Vocabulary(["idiot"])) == "1d1ot"


words = st.lists(st.sampled_from(sorted(VOCABULARY.ordinary)), max_size=12)


@given(words, st.sampled_from([" ", "  ", ", ", "! ", " - ", "... ", "\n"]), st.booleans())
def test_known_words_stay_as_they_are(words: list[str], between: str, shout: bool) -> None:
    content = between.join(words)
    content = content.upper() if shout else content
    assert plain(content, VOCABULARY) == content


@given(st.text(max_size=200))
@example("🇦🇸🇸 @@ ''s !! ﷺ İ ß ŉ 1\u0301")
@example("ⓐ\u200d")
def test_any_text_has_places_in_order_and_swells_little(content: str) -> None:
    draft = reveal(content, VOCABULARY)
    assert len(draft.text) <= 4 * len(content)
    if draft.origin is not None:
        assert len(draft.origin) == len(draft.text)
        assert draft.origin == sorted(draft.origin)
        assert all(0 <= place < len(content) for place in draft.origin)
    assert all(0 <= start < end <= len(content) for start, end in draft.hidden)


@given(st.lists(st.sampled_from(sorted(DISGUISED)), min_size=1, max_size=3))
def test_plain_writing_is_plain(contents: list[str]) -> None:
    once = plain(". ".join(contents), VOCABULARY)
    assert plain(once, VOCABULARY) == once


@pytest.mark.parametrize(
    "piece",
    [
        "a ", "f u c k ", "a.", "a'", "1a", "a!a! ", "іd", "ко т ", "🇦 ", "🅰", "🅰\u200b", "ｗ", "𝗧", "ʇı ",
        "x\u200d", "a\u0301\u0302\u0303", "youarean", "iloveyou", "q1!|5$6", "1l1l1l1l ", "fuuuck ", "aaab",
        "s hi t ", "a_", "😀a",
    ],
    ids=ascii,
)  # fmt: skip
def test_no_text_of_ten_thousand_characters_takes_long(piece: str) -> None:
    content = (piece * 10_000)[:10_000]

    def seconds() -> float:
        started = time.process_time()
        plain(content, VOCABULARY)
        return time.process_time() - started

    assert min(seconds() for _ in range(3)) < 0.4  # 0.01 to 0.1 where nothing else runs


def test_ordinary_messages_cost_little() -> None:
    content = "hey are you coming to the game tonight, Marek and Oluwaseun said the new map is great lmao"

    def microseconds() -> float:
        started = time.process_time()
        for _ in range(1_000):
            plain(content, VOCABULARY)
        return (time.process_time() - started) * 1_000

    assert min(microseconds() for _ in range(5)) < 100  # about 15 where nothing else runs
