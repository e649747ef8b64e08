"""The pages that show settings show those of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.settings import IngestSettings
from screener.settings import ScreenerSettings
from scripts.settings_table import PAGES, TABLES, refreshed, settings_table

CONFIGURATION, README = PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_equal_a_fresh_generation(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert refreshed(text) == text, "run: python -m scripts.settings_table"


def test_every_setting_is_on_the_page() -> None:
    text = CONFIGURATION.read_text(encoding="utf-8")
    for settings in (IngestSettings, ScreenerSettings):
        missing = [name for name in settings.model_fields if f"| `{name.upper()}` |" not in text]
        assert not missing


def test_readme_shows_the_ten_that_matter() -> None:
    assert len(TABLES["short"]) == 10
    assert settings_table(TABLES["short"]) in README.read_text(encoding="utf-8")
