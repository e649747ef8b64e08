"""The rules file: what it may say, what a deployment may add, and how faults are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import StartupFailed
from pipeline.verdict import HARMFUL, Category
from screener.heuristics import RULES_PATH, Heuristics, Rules
from screener.heuristics.lexicon import FOLDER, read_lexicons

Write = Callable[[str], Path]


@pytest.fixture
def custom(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "custom.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def flagged(path: Path, content: str) -> dict[str, float]:
    return {f.rule: f.weight for f in Heuristics(Rules.load(custom=path)).score(content).flags}


def test_a_deployment_adds_phrases_to_a_rule(custom: Write) -> None:
    path = custom('[rules.insult]\nphrases = ["you absolute walnut"]\n')
    assert "insult" in flagged(path, "you absolute w4lnut")
    assert "insult" in flagged(path, "you idiot")  # and keeps what was there


def test_a_deployment_allows_a_phrase(custom: Write) -> None:
    assert flagged(custom('[allow]\nphrases = ["moron mountain"]\n'), "meet at Moron Mountain") == {}


def test_a_deployment_makes_a_rule(custom: Write) -> None:
    path = custom('[rules.leak]\nweight = 0.4\ncategory = "SPAM"\nphrases = ["season <number> leak"]\n'
                  '[groups]\nnumber = ["two", "three"]\n')  # fmt: skip
    assert flagged(path, "get the season two leak here") == {"leak": 0.4}


def test_a_deployment_changes_weight_limits_and_evidence(custom: Write) -> None:
    path = custom(
        "[rules.all_caps]\nweight = 0.5\nlimits = { letters = 3 }\n"
        "[rules.slur]\nevidence = { HATE_SPEECH = 0.95 }\n"
        "[rules.link]\nweight = 0\n"
    )
    assert flagged(path, "HELLO HTTP://A.EXAMPLE") == {"all_caps": 0.5}
    evidence = Heuristics(Rules.load(custom=path)).score("faggot").evidence
    assert evidence[HARMFUL.index(Category.HATE_SPEECH)] == 0.95


def test_a_deployment_combines_rules(custom: Write) -> None:
    path = custom('[rules.sale]\nweight = 0.1\nphrases = ["big sale"]\n'
                  '[rules.shop]\nweight = 0.4\ntogether = [["sale"], ["link"]]\n')  # fmt: skip
    assert flagged(path, "big sale today") == {"sale": 0.1}
    assert flagged(path, "big sale: http://a.example")["shop"] == 0.4


def test_a_deployment_names_what_speaks_against_a_rule(custom: Write) -> None:
    path = custom('[rules.leak]\nweight = 0.4\nevidence = { SPAM = 0.9 }\ncategory = "SPAM"\n'
                  'phrases = ["leaked episode"]\nunless = ["review"]\n'
                  '[rules.review]\nweight = 0\nphrases = ["my review"]\n')  # fmt: skip
    assert flagged(path, "the leaked episode") == {"leak": 0.4}
    assert flagged(path, "my review of the leaked episode") == {"leak": 0.2}
    assert not any(Heuristics(Rules.load(custom=path)).score("my review of the leaked episode").evidence)


def test_a_deployment_writes_in_its_own_script(custom: Write) -> None:
    path = custom('[rules.insult]\nphrases = ["ты дурак", "кот"]\n')
    assert "insult" in flagged(path, "Ты ДУРАК!")
    assert "insult" in flagged(path, "привет, кот")  # all its letters look Latin


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[rules.insult]\nweight = 1.5\n", ["insult", "weight", "1.5", "0 to 1"]),
        ("[rules.insult]\nweight = true\n", ["insult", "weight", "True"]),
        ('[rules.insult]\nwieght = 0.5\n', ["insult", "wieght"]),
        ("[rules.mine]\nweight = 0.5\n", ["mine", "phrases"]),
        ('[rules.mine]\nphrases = ["x"]\n', ["mine", "weight"]),
        ('[rules.mine]\nweight = 0.5\ncategory = "RUDE"\nphrases = ["x"]\n', ["mine", "RUDE", "TOXIC"]),
        ("[rules.insult]\nevidence = { TOXIC = 2 }\n", ["insult", "evidence.TOXIC", "2"]),
        ("[rules.insult]\nevidence = { RUDE = 0.2 }\n", ["insult", "RUDE", "TOXIC"]),
        ('[rules.insult]\nphrases = ["you <nobody>"]\n', ["insult", "you <nobody>", "nobody"]),
        ('[rules.insult]\nphrases = ["_ idiot"]\n', ["insult", "_ idiot"]),
        ('[rules.insult]\nphrases = ["[you idiot"]\n', ["insult", "[you idiot"]),
        ('[rules.insult]\nphrases = "you"\n', ["insult", "phrases", "list of texts"]),
        ("[rules.all_caps]\nlimits = { words = 3 }\n", ["all_caps", "words", "letters"]),
        ("[rules.all_caps]\nlimits = { letters = -3 }\n", ["all_caps", "letters", "-3"]),
        ('[rules.insult]\nlexicon = [{ list = "mine" }]\n', ["insult", "lexicon.list", "surge"]),
        ('[rules.insult]\nsolicits = "yes"\n', ["insult", "solicits", "true or false"]),
        ('[rules.mine]\nweight = 0.5\ntogether = [["link"]]\n', ["mine", "together", "two lists"]),
        ('[rules.mine]\nweight = 0.5\ntogether = [["link"], ["lnk"]]\n', ["mine", "lnk", "rules of"]),
        ('[rules.mine]\nweight = 0.5\ntogether = [["link"], ["lure"]]\n', ["mine", "lure", "need no others"]),
        ('[rules.insult]\nunless = ["jokes"]\n', ["insult", "jokes"]),
        ("[rule.insult]\nweight = 0.5\n", ["rule", "rules"]),
        ("rules = 5\n", ["rules", "5", "table"]),
        ("not toml", ["TOML"]),
    ],
)  # fmt: skip
def test_a_fault_is_one_line_that_names_it(custom: Write, text: str, told: list[str]) -> None:
    path = custom(text)
    with pytest.raises(StartupFailed) as failed:
        Rules.load(custom=path)
    message = str(failed.value)
    assert "\n" not in message
    assert all(part in message for part in [str(path), *told])


def test_the_example_of_the_documentation_works(custom: Write) -> None:
    page = (Path(__file__).parents[3] / "docs" / "heuristics.md").read_text(encoding="utf-8")
    path = custom(page.split("```toml\n")[1].split("```")[0])
    assert flagged(path, "the baron really dies") == {"spoiler": 0.3}
    assert flagged(path, "meet at Moron Mountain, http://a.example") == {}


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartupFailed, match="absent"):
        Rules.load(custom=tmp_path / "absent.toml")


def test_the_reviewed_file_must_have_every_rule(custom: Write) -> None:
    path = custom(RULES_PATH.read_text(encoding="utf-8").replace("[rules.zalgo]\nweight = 0.3\n", ""))
    with pytest.raises(StartupFailed, match="zalgo"):
        Rules.load(path)


def test_the_shipped_rules_keep_their_own_promises() -> None:
    rules = Rules.load().rules.values()
    assert len(rules) >= 15
    doubting = {name for rule in rules for name in rule.unless}
    for rule in rules:
        assert rule.weight > 0 or rule.name in doubting, rule.name
        # Strong enough to label, or left out: in between it would label by the model's leave.
        assert all(value == 0 or value >= 0.8 for value in rule.evidence), rule.name


def test_the_word_lists_are_shipped_with_their_licences() -> None:
    lists = read_lexicons()
    assert (len(lists["surge"]), len(lists["ldnoobw"])) == (1598, 403)
    assert "Surge AI" in (FOLDER / "LICENSE-surge-profanity.txt").read_text(encoding="utf-8")
    assert "Attribution 4.0" in (FOLDER / "LICENSE-ldnoobw.txt").read_text(encoding="utf-8")


def test_a_missing_word_list_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartupFailed, match="word lists"):
        read_lexicons(tmp_path)
