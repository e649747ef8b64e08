"""What an operator may write for weights and thresholds, and how faults are told."""

from __future__ import annotations

import pytest

from pipeline.errors import StartupFailed
from pipeline.settings import load
from pipeline.verdict import HARMFUL, Category
from screener.fusion import MODEL_S_OWN, Policy
from screener.policy_settings import parse_category_thresholds, parse_weights
from screener.settings import ScreenerSettings

SPAM, TOXIC, SEXUAL = (HARMFUL.index(c) for c in (Category.SPAM, Category.TOXIC, Category.SEXUAL))
ANY = len(HARMFUL)
NAMES = "categories are SPAM, TOXIC, TARGETED_HARASSMENT, HATE_SPEECH, VIOLENCE, SEXUAL, ANY"


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("0.6,0.4", (0.6, 0.4)),
        (" 0.3 , 0.7 ", (0.3, 0.7)),
        ("heuristics=0.6,model=0.4", (0.6, 0.4)),
        ("model=0.4, Heuristics=0.6", (0.6, 0.4)),
        ("0,1", (0.0, 1.0)),
        ("0.2,0.3", (0.2, 0.3)),
    ],
)
def test_weights_by_place_or_by_name(text: str, weights: tuple[float, float]) -> None:
    assert parse_weights(text) == weights


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the weight of heuristics is missing"),
        ("0.6", "the weight of model is missing"),
        ("model=0.4", "the weight of heuristics is missing"),
        ("0.6,0.4,0.1", "not '0.1'"),
        ("0.6,1.4", "not '1.4'"),
        ("-0.1,0.4", "not '-0.1'"),
        ("nan,0.4", "not 'nan'"),
        ("0.6,", "not ''"),
        ("heuristics=0.6,rules=0.4", "not 'rules=0.4'"),
        ("model=0.6,model=0.4", "not 'model=0.4'"),
        ("heuristics=much,model=0.4", "not 'heuristics=much'"),
        ("0.7,0.7", "these make 1.4"),
        ("0,0", "these make 0"),
    ],
)
def test_a_fault_of_the_weights_names_the_part_and_the_range(text: str, told: str) -> None:
    with pytest.raises(ValueError, match="from 0 to 1") as failed:
        parse_weights(text)
    assert str(failed.value).endswith(told)


def test_thresholds_replace_those_of_the_model_where_they_are_told() -> None:
    overrides = parse_category_thresholds("SPAM=0.5/0.95, toxic=0.6, SEXUAL=/0.9,ANY=/0.97")
    assert (overrides.label[SPAM], overrides.escalation[SPAM]) == (0.5, 0.95)
    assert (overrides.label[TOXIC], overrides.escalation[TOXIC]) == (0.6, None)
    assert (overrides.label[SEXUAL], overrides.escalation[SEXUAL]) == (None, 0.9)
    assert (overrides.label[ANY], overrides.escalation[ANY]) == (None, 0.97)
    merged = overrides.at((0.1,) * 7, (0.2,) * 7)
    assert merged.label == (0.5, 0.6, 0.1, 0.1, 0.1, 0.1, 0.1)
    assert merged.escalation == (0.95, 0.2, 0.2, 0.2, 0.2, 0.9, 0.97)


@pytest.mark.parametrize("text", ["", "  "])
def test_no_text_replaces_none(text: str) -> None:
    assert parse_category_thresholds(text) == MODEL_S_OWN


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("SPAM", "not 'SPAM': no threshold"),
        ("SPAM=", "not 'SPAM=': no threshold"),
        ("SPAM=/", "not 'SPAM=/': no threshold"),
        ("SPAM=0", "not 'SPAM=0'"),
        ("SPAM=0.5/1.5", "not 'SPAM=0.5/1.5'"),
        ("SPAM=0.5/0.6/0.7", "not 'SPAM=0.5/0.6/0.7'"),
        ("SPAM=0.5,RUDE=0.5", f"not 'RUDE=0.5': {NAMES}"),
        ("SPAM=0.5,spam=0.6", "not 'spam=0.6': named twice"),
        ("ANY=0.5", "not 'ANY=0.5': ANY is no label, it only escalates"),
        ("SPAM=0.5,", f"not '': {NAMES}"),
        ("LOW_RISK=0.5", f"not 'LOW_RISK=0.5': {NAMES}"),
    ],
)  # fmt: skip
def test_a_fault_of_the_thresholds_names_the_part_and_the_range(text: str, told: str) -> None:
    with pytest.raises(ValueError, match="above 0 and at most 1") as failed:
        parse_category_thresholds(text)
    assert str(failed.value).endswith(told)


def test_the_defaults_are_the_policy_s() -> None:
    assert load(ScreenerSettings).policy == Policy()


def test_the_environment_makes_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCREENING_WEIGHTS", "heuristics=0.5,model=0.5")
    monkeypatch.setenv("SCREENING_THRESHOLD", "0.8")
    monkeypatch.setenv("CATEGORY_THRESHOLDS", "TOXIC=0.6/0.99")
    assert load(ScreenerSettings).policy == Policy(0.5, 0.5, 0.8, parse_category_thresholds("TOXIC=0.6/0.99"))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SCREENING_WEIGHTS", "0.6,1.4",
         "SCREENING_WEIGHTS is not valid; allowed: two weights from 0 to 1, together above 0 and at most 1, "
         "as in 0.6,0.4 or heuristics=0.6,model=0.4; not '1.4'"),
        ("CATEGORY_THRESHOLDS", "SPAM=2",
         "CATEGORY_THRESHOLDS is not valid; allowed: <category>=<label>/<escalation>, comma-separated, each "
         "above 0 and at most 1, either of the two alone, as in SPAM=0.5/0.95,TOXIC=0.6,SEXUAL=/0.9; "
         "not 'SPAM=2'"),
        ("SCREENING_THRESHOLD", "1.1", "SCREENING_THRESHOLD=1.1: allowed: from 0.0 to 1.0"),
    ],
)  # fmt: skip
def test_a_fault_ends_the_start_with_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StartupFailed) as failed:
        load(ScreenerSettings)
    assert str(failed.value) == message
