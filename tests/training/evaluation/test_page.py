from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.training.evaluation.sample import SERVED, rows_of, sample, scored_by
from training.evaluation.html.elements import tag
from training.evaluation.html.page import page
from training.evaluation.report import Report, make_report, report_json

ABOUT = {
    "evaluated_at": "2026-01-02T03:04:05+00:00",
    "rows": {"moderation-test": 200, "moderation-extra-test": 100},
    "limit": None,
    "resamples": 100,
    "seed": 1,
}
VOID = {"meta", "br", "img", "input", "link", "hr"}


class Reader(HTMLParser):
    """Keeps every tag, and fails where one is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), f"{tag} has an attribute twice"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def report() -> Report:
    rows, scores = sample()
    _, others = sample(noise=0.8)
    first = scored_by(others, served=replace(SERVED, model_version=2))
    return make_report(rows, scored_by(scores), first, resamples=100, seed=1)


@pytest.fixture(scope="module")
def read(report: Report) -> Reader:
    reader = Reader()
    reader.feed(page(report, ABOUT))
    reader.close()
    return reader


def test_it_is_well_formed(read: Reader) -> None:
    assert read.open == []
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [a["href"] for name, a in read.tags if name == "a"]
    assert targets == [f"#{name}" for name in ids]


def test_it_needs_nothing_from_outside(report: Report, read: Reader) -> None:
    text = page(report, ABOUT)
    assert "://" not in text
    assert "@import" not in text
    assert "url(" not in text
    assert {name for name, _ in read.tags}.isdisjoint({"script", "link", "img", "iframe", "object", "use"})
    assert not [a for _, a in read.tags if "src" in a or "srcset" in a]


def test_it_fits_a_phone_and_the_dark(report: Report, read: Reader) -> None:
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in read.tags
    assert "prefers-color-scheme: dark" in page(report, ABOUT)


def test_it_shows_each_kind_of_plot(read: Reader) -> None:
    labels = [a["aria-label"] or "" for name, a in read.tags if name == "svg"]
    for beginning in ("precision over recall", "AUPRC by source", "calibration", "differences in"):
        assert any(label.startswith(beginning) for label in labels), beginning
    assert any(a.get("class") == "heat" for _, a in read.tags)


def test_two_versions_are_shown_with_every_figure_of_the_fused_verdicts(report: Report, read: Reader) -> None:
    names = set(read.texts)
    assert "version 2 (first) and version 3 (second)" in "".join(read.texts)
    assert {"AUPRC, toxic", "accuracy, final category", "davidson: recall, hate speech"} <= names
    assert {"routed, benign chat", "mean of sources: AUPRC, hate speech"} <= names
    assert "davidson: false positives, AAE to others, toxic" in names


def test_no_number_is_missing_its_digits(report: Report) -> None:
    text = page(report, ABOUT)
    assert not re.findall(
        r"\b(?:nan|inf)\b", re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL).lower()
    )


def test_what_the_data_says_is_text_and_no_markup() -> None:
    rows = rows_of([{"TOXIC": 1}, {"TOXIC": 0}] * 12, sources='<b onclick="x">&', parts="<i>")
    scores = np.random.default_rng(1).random((24, 6))
    report = make_report(rows, scored_by(scores), resamples=100, seed=1)
    reader = Reader()
    reader.feed(page(report, {**ABOUT, "rows": {"<i>": 24}}))
    assert not [a for _, a in reader.tags if "onclick" in a]
    assert any('<b onclick="x">&' in text for text in reader.texts)


def test_the_json_holds_every_figure(report: Report) -> None:
    told = json.loads(json.dumps(report_json(report, ABOUT), allow_nan=False))
    assert told["served"]["model_version"] == 3
    assert told["comparison"]["against"]["model_version"] == 2
    assert len(told["figures"]) == len(report.evaluation.figures)
    assert len(told["comparison"]["differences"]) == len(told["figures"])
    (figure,) = [
        f
        for f in told["figures"]
        if (f["part"], f["lengths"], f["source"], f["scorer"], f["subject"], f["metric"])
        == ("", "all", "", "fused", "TOXIC", "auprc")
    ]
    assert figure["low"] < figure["value"] < figure["high"]
    assert {target["figure"] for target in told["targets"]} >= {"AUPRC, toxic", "harmful or not, accuracy"}


def test_the_same_seed_tells_the_same() -> None:
    rows, scores = sample(100)
    one, other = (
        report_json(make_report(rows, scored_by(scores), resamples=100, seed=3), ABOUT) for _ in "ab"
    )
    assert one == other


def test_elements_keep_text_in_its_place() -> None:
    element = tag("p", "a", tag("b", "c"), "d", None, [tag("i"), "e"], class_="x", data_n=0.5)
    assert element.text == "a"
    assert [child.tail for child in element] == ["d", "e"]
    assert element.attrib == {"class": "x", "data-n": "0.5"}
