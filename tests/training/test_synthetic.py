from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from screener.model import CATEGORIES
from training.errors import CorpusInvalid
from training.synthetic.filling import fill
from training.synthetic.reading import read_synthetic
from training.synthetic.surface import Surface

POOLS = '[pools]\nopeners = ["lol"]\nclosers = ["tbh"]\nanimal = ["cat", "owl"]\n'
GROUP = '[[group]]\nname = "pets"\nlabels = { TOXIC = 0 }\ntemplates = ["My {animal} sleeps.", "Hello."]\n'
INSULT = '[[group]]\nname = "insults"\nlabels = { TOXIC = 1, SPAM = 0 }\ntemplates = ["You are rude."]\n'


def folder_with(folder: Path, content: str, pools: str = POOLS) -> Path:
    (folder / "pools.toml").write_text(pools, encoding="utf-8")
    (folder / "made.toml").write_text(content, encoding="utf-8")
    return folder


def test_templates_become_rows_with_labels_and_unknowns(tmp_path: Path) -> None:
    made = read_synthetic(folder=folder_with(tmp_path, GROUP + INSULT))
    assert sorted(made.corpus.texts) == ["Hello.", "My cat sleeps.", "My owl sleeps.", "You are rude."]
    assert set(made.corpus.sources) == {"synthetic-made"}
    insult = made.corpus.texts.index("You are rude.")
    assert made.any_harm.tolist() == [float(row == insult) for row in range(4)]
    assert made.written_out.tolist() == [
        "owl" not in text and "cat" not in text for text in made.corpus.texts
    ]
    expected = [0, 1, np.nan, np.nan, np.nan, np.nan]
    assert np.array_equal(made.corpus.labels[insult], expected, equal_nan=True)


def test_any_harm_can_be_told_where_no_label_is(tmp_path: Path) -> None:
    made = read_synthetic(folder=folder_with(tmp_path, GROUP.replace("templates", "any = 1\ntemplates")))
    assert made.any_harm.tolist() == [1, 1, 1]


def test_repeat_limits_the_expansions(tmp_path: Path) -> None:
    made = read_synthetic(folder=folder_with(tmp_path, GROUP.replace("templates", "repeat = 1\ntemplates")))
    assert len(made.corpus) == 2


def test_equal_seeds_give_equal_rows_and_other_seeds_others(tmp_path: Path) -> None:
    many = 'animal = ["' + '", "'.join(f"animal{chr(97 + n)}" for n in range(26)) + '"]\n'
    folder = folder_with(
        tmp_path, "variation = 0.5\n" + GROUP, POOLS.replace('animal = ["cat", "owl"]\n', many)
    )
    first, again, other = (read_synthetic(folder=folder, seed=seed).corpus for seed in (1, 1, 2))
    assert first.texts == again.texts
    assert first.texts != other.texts


def test_a_template_added_moves_no_other(tmp_path: Path) -> None:
    before = read_synthetic(folder=folder_with(tmp_path, "variation = 0.5\n" + GROUP)).corpus.texts
    after = read_synthetic(folder=folder_with(tmp_path, "variation = 0.5\n" + INSULT + GROUP)).corpus.texts
    assert after[1:] == before


def test_copies_become_one_row(tmp_path: Path) -> None:
    made = read_synthetic(folder=folder_with(tmp_path, INSULT + INSULT.replace("rude.", "RUDE!")))
    assert made.corpus.texts == ("You are rude.",)


def test_a_pool_is_taken_from_the_lexicon(tmp_path: Path) -> None:
    pool = '[pools]\nword = { categories = ["religious offense"], severity = [0, 3], number = "singular" }\n'
    group = GROUP.replace("{animal}", "{word}").replace("templates", "repeat = 9\ntemplates")
    made = read_synthetic(folder=folder_with(tmp_path, pool + group))
    assert "My goddamn sleeps." in made.corpus.texts


@pytest.mark.parametrize(
    ("content", "named"),
    [
        pytest.param(GROUP.replace("{animal}", "{fish}"), "pets.*fish", id="slot without a pool"),
        pytest.param(GROUP.replace("{animal}", "{animal"), "pets.*brace", id="brace left open"),
        pytest.param(GROUP.replace("TOXIC", "RUDE"), "pets.*RUDE", id="no such label"),
        pytest.param(GROUP.replace("TOXIC = 0", "TOXIC = 2"), "pets.*TOXIC = 2", id="label neither 0 nor 1"),
        pytest.param(
            INSULT.replace("templates", "any = 0\ntemplates"), "insults.*any", id="harm that is none"
        ),
        pytest.param('[[group]]\nname = "pets"\ntemplates = []', "pets.*none of them", id="no templates"),
        pytest.param(GROUP + "[pools]\nempty = []", "pool empty", id="empty pool"),
        pytest.param(GROUP + '[pools]\nfish2 = ["x"]', "pool 'fish2'", id="pool no slot can name"),
        pytest.param(GROUP + '[pools]\nanimal = ["a {animal}"]', "pets.*deeper", id="pool within itself"),
        pytest.param(
            GROUP.replace("templates", "variation = 2\ntemplates"), "pets.*variation", id="no share"
        ),
        pytest.param(GROUP.replace("templates", "repeat = 0\ntemplates"), "pets.*repeat", id="no repeats"),
        pytest.param(GROUP.replace("labels", "label"), "pets.*'label'", id="unknown key"),
        pytest.param(INSULT + INSULT.replace("TOXIC = 1", "TOXIC = 0"), "insults.*rude", id="contradiction"),
        pytest.param("group = [", "made.toml", id="no TOML"),
        pytest.param("", "no groups", id="nothing"),
    ],
)
def test_a_fault_is_named_with_its_file_and_group(tmp_path: Path, content: str, named: str) -> None:
    with pytest.raises(CorpusInvalid, match=named):
        read_synthetic(folder=folder_with(tmp_path, content))


def test_shared_pools_are_needed(tmp_path: Path) -> None:
    with pytest.raises(CorpusInvalid, match="openers"):
        read_synthetic(folder=folder_with(tmp_path, GROUP, "[pools]\n"))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{same} and {same}, not {same2}", {"x and x, not y", "y and y, not x"}),
        ("He is a {vowel}.", {"He is an Arab."}),
        ("He is a {consonant}.", {"He is a European."}),
        ("{vowel_nested} here.", {"An Arab here."}),
        ("Nothing to fill.", {"Nothing to fill."}),
    ],
)
def test_slots_are_filled_in_good_grammar(template: str, expected: set[str]) -> None:
    pools = {
        "same": ["x", "y"],
        "vowel": ["Arab"],
        "consonant": ["European"],
        "vowel_nested": ["a {vowel}"],
    }
    filled = {fill(template, pools, np.random.default_rng(seed)) for seed in range(20)}
    assert filled == expected


def test_the_surface_varies_in_case_ending_opener_and_closer() -> None:
    surface = Surface(["lol"], ["tbh"])
    looks = {surface.vary("I like Mondays.", np.random.default_rng(seed)) for seed in range(2_000)}
    assert {
        "I like Mondays",
        "i like mondays",
        "I LIKE MONDAYS",
        "lol I like Mondays",
        "i like mondays tbh",
    } <= looks
    assert all("mondays" in look.lower() for look in looks)


def test_the_corpus_has_what_it_promises() -> None:
    made = read_synthetic()
    assert len(made.corpus) == len(made.any_harm) == len(set(made.corpus.texts))
    about_groups = np.isin(made.corpus.sources, ["synthetic-hate", "synthetic-identity"])
    hate, violence = (made.corpus.labels[:, CATEGORIES.index(name)] for name in ("HATE_SPEECH", "VIOLENCE"))
    assert not np.isnan(hate[about_groups]).any()
    assert not np.isnan(violence[about_groups]).any()
    assert 2_000 < (hate[about_groups] == 1).sum() < (hate[about_groups] == 0).sum()
    assert (made.any_harm[hate == 1] == 1).all()
