"""Content into words as they are meant, with their spans."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from screener.text import Normalised, Vocabulary, normalise, read_english
from screener.text.fold import fold
from screener.text.links import find_emails, find_links
from screener.text.reading import read, read_plain

VOCABULARY = Vocabulary(
    ["fuck", "shit", "idiot", "kys", "ass", "asshole", "bitch", "loser", "moron", "kill"],
    fillers=["you", "are", "a", "an", "i", "am", "u", "r"],
    plain=["looser", "shiite"],
    english=read_english(),
)


def read_as(content: str) -> list[tuple[str, str]]:
    """Each word with the original characters that it was read from."""
    text = normalise(content, VOCABULARY)
    return [(word, content[slice(*span)]) for word, span in zip(text.words, text.spans, strict=True)]


@pytest.mark.parametrize(
    ("content", "word", "original"),
    [
        ("what an 1d1ot", "idiot", "1d1ot"),
        ("an i d i o t, he", "idiot", "i d i o t"),
        ("you іdiot!", "idiot", "іdiot"),  # Cyrillic і
        ("κill", "kill", "κill"),  # Greek κ
        ("big @ss", "ass", "@ss"),
        ("sh!t", "shit", "sh!t"),
        ("$h1t happens", "shit", "$h1t"),
        ("b!tch!!", "bitch", "b!tch"),
        ("oh fuuuuck", "fuck", "fuuuuck"),
        ("FUUUCKKKK", "fuck", "FUUUCKKKK"),
        ("fuuck", "fuck", "fuuck"),
        ("k.y.s", "kys", "k.y.s"),
        ("f-u-c-k off", "fuck", "f-u-c-k"),
        ("f_u_c_k off", "fuck", "f_u_c_k"),
        ("fu.ck", "fuck", "fu.ck"),
        ("f uck this", "fuck", "f uck"),
        ("ass-hole", "asshole", "ass-hole"),
        ("f**k", "fuck", "f**k"),
        ("sh*t", "shit", "sh*t"),
        ("1oser", "loser", "1oser"),
        ("ＩＤＩＯＴ", "idiot", "ＩＤＩＯＴ"),
        ("𝖎𝖉𝖎𝖔𝖙", "idiot", "𝖎𝖉𝖎𝖔𝖙"),
        ("ⓘⓓⓘⓞⓣ", "idiot", "ⓘⓓⓘⓞⓣ"),
        ("🅰ss", "ass", "🅰ss"),
        ("🇰🇾🇸", "kys", "🇰🇾🇸"),
        ("i\u200bd\u200bi\u200bo\u200bt", "idiot", "i\u200bd\u200bi\u200bo\u200bt"),
        ("ídíöt", "idiot", "ídíöt"),
        ("i\u0334d\u0337i\u0338o\u0335t", "idiot", "i\u0334d\u0337i\u0338o\u0335t"),
        ("1 d 1 o t", "idiot", "1 d 1 o t"),
        ("you are a i d i o t", "idiot", "i d i o t"),
        ("idiot's", "idiot", "idiot"),
        ("“idiot”", "idiot", "idiot"),
        ("**idiot**", "idiot", "idiot"),
        ("hello!idiot", "idiot", "idiot"),
    ],
)
def test_a_disguised_word_is_read_with_its_span(content: str, word: str, original: str) -> None:
    assert (word, original) in read_as(content)


@pytest.mark.parametrize(
    "content",
    [
        "2nd",
        "b4",
        "100%",
        "v1.2",
        "mp3",
        "covid19",
        "10am",
        "$500",
        "2day",
        "gr8",
        "U.S.A.",
        "3.14",
        "h264",
        "1,000",
    ],
)
def test_ordinary_writing_is_left_alone(content: str) -> None:
    text = normalise(content, VOCABULARY)
    assert VOCABULARY.words.isdisjoint(text.words)
    assert all(character in content.lower() for character in text.text.replace(" ", ""))


@pytest.mark.parametrize(
    "content",
    [
        "he'll pass the class",
        "looser",
        "Shiite",
        "assess",
        "skull",
        "kilo",
        "shi it",
        "привет кот",
        "as so",
        "a b c d",
    ],
)
def test_other_words_are_not_mistaken_for_known_ones(content: str) -> None:
    assert VOCABULARY.words.isdisjoint(normalise(content, VOCABULARY).words)


def test_a_word_of_another_script_stays_in_it() -> None:
    assert normalise("привет кот сор").words == ["привет", "кот", "сор"]
    assert normalise("сор").words == ["cop"]  # alone, all its letters look Latin


def test_a_flag_is_no_word() -> None:
    assert normalise("go 🇺🇸 go").words == ["go", "go"]


def test_plain_is_plain_and_disguised_is_disguised() -> None:
    text = normalise("idiot 1d1ot fuuuck f**k k.y.s", VOCABULARY)
    assert text.words == ["idiot", "idiot", "fuck", "fuck", "kys"]
    assert text.disguised == {1, 4}  # stretching is emphasis, masking is manners


def test_mentions_links_and_addresses_are_no_words() -> None:
    text = normalise("@idiot_42 see http://a.example/shit or mail shit@ass.com", VOCABULARY)
    assert text.words == ["@", "see", "or", "mail"]
    assert [link.host for link in text.links] == ["a.example"]


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("join discord.gg/abc now", ["discord.gg"]),
        ("https://www.example.org/a?b=c.", ["example.org"]),
        ("bit.ly/x and t.me/y", ["bit.ly", "t.me"]),
        ("hxxp://evil.example", ["evil.example"]),
        ("end of sentence.next one", []),
        ("v1.2 and e.g. this", []),
        ("ends with a dot.it is fine", []),
    ],
)
def test_links(text: str, hosts: list[str]) -> None:
    assert [link.host for link in find_links(text)] == hosts


def test_emails() -> None:
    assert find_emails("write to a.b+c@mail.example.org now") == [(9, 31)]


words_list = st.lists(st.sampled_from(sorted(VOCABULARY.words)), min_size=1, max_size=4)
noise = st.sampled_from(["", "\u200b", "\u200d", "\u2060", "\ufeff", "\u0301"])


@given(words_list, st.data())
def test_case_and_invisible_characters_hide_nothing(words: list[str], data: st.DataObject) -> None:
    content = ""
    wanted = []
    for word in words:
        start = len(content)
        for letter in word:
            content += letter.upper() if data.draw(st.booleans()) else letter
            end = len(content)
            content += data.draw(noise)
        wanted.append((word, (start, end)))
        content += " , "
    text = normalise(content, VOCABULARY)
    assert list(zip(text.words, text.spans, strict=True)) == wanted


@given(st.text(max_size=300))
@example("\u0301a")
@example("🇦🇸🇸 @@ ''s !! ﷺ İ ß ŉ")
def test_spans_lie_in_the_content_in_order(content: str) -> None:
    text = normalise(content, VOCABULARY)
    check_spans(text, content)
    assert text.disguised <= set(range(len(text.words)))
    assert normalise(content, VOCABULARY) == text


def check_spans(text: Normalised, content: str) -> None:
    spans = text.spans
    assert len(spans) == len(text.words)
    assert all(0 <= start < end <= len(content) for start, end in spans)
    assert list(spans) == sorted(spans)  # two words may come from one character: "¼" is 1 and 4
    for link in text.links:
        first, last = text.folded.span(link.start, link.end)
        assert 0 <= first < last <= len(content)


@given(st.text(alphabet="abdfiotuckys019!'’@$*.,- \n", max_size=80))
def test_plain_reading_is_what_full_reading_gives(content: str) -> None:
    text = fold(content).text
    plain = read_plain(text, VOCABULARY)
    if plain is not None:
        full = read(text, VOCABULARY)
        assert plain == full.words
        assert not full.disguised


@pytest.mark.parametrize(
    "piece",
    [
        "f", "a ", "f u c k ", "i\u0334", "a.", "@a", "@a ", "a!", "*", "1a", "a'", "www.", "http://",
        "fu.ck", "іd", "ﷺ", "a-", "a+", "a@", "0 ", "🇦", "-", "f*", "a.com ",
    ],
)  # fmt: skip
def test_no_text_of_ten_thousand_characters_takes_long(piece: str) -> None:
    def seconds(length: int) -> float:
        content = (piece * length)[:length]
        started = time.process_time()
        normalise(content, VOCABULARY)
        return time.process_time() - started

    assert min(seconds(10_000) for _ in range(3)) < 0.3  # 0.002 to 0.06 where nothing else runs
