"""The documentation's tables of settings, from the settings classes: `python -m scripts.settings_table`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from ingest.settings import IngestSettings
from pipeline.settings import ServiceSettings, allowed
from screener.settings import ScreenerSettings

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "docs" / "configuration.md", ROOT / "README.md")

Fields = Mapping[str, FieldInfo]

_BOTH = ServiceSettings.model_fields
_INGEST = {name: info for name, info in IngestSettings.model_fields.items() if name not in _BOTH}
_SCREENER = {name: info for name, info in ScreenerSettings.model_fields.items() if name not in _BOTH}
_THAT_MATTER = (
    "api_keys",
    "dedup_secret",
    "redis_url",
    "triton_grpc_url",
    "max_queue_depth",
    "dedup_window_seconds",
    "screening_threshold",
    "model_down",
    "custom_rules_path",
    "keep_low_risk_content",
)

TABLES: Mapping[str, Fields] = {
    "both": _BOTH,
    "ingest": _INGEST,
    "screener": _SCREENER,
    "short": {name: ({**_BOTH, **_INGEST, **_SCREENER})[name] for name in _THAT_MATTER},
}
"""What each table shows, by the name that its marker on a page gives."""

_UNITS = {"_ms": "milliseconds", "_seconds": "seconds"}
_TABLE = re.compile(
    r"(?P<begin><!-- settings: (?P<name>[a-z]+) -->\n).*?(?P<end><!-- end of settings -->)", re.DOTALL
)


def settings_table(fields: Fields) -> str:
    """A Markdown table with a row for each setting."""
    rows = [_row(name, info) for name, info in fields.items()]
    return "\n".join(
        ["| variable | default | unit, allowed | what it does |", "|---|---|---|---|", *rows, ""]
    )


def refreshed(page: str) -> str:
    """The page with every table between its markers made anew, and the rest as it was.

    Raises:
        KeyError: a marker names no table.
    """
    return _TABLE.sub(lambda m: m["begin"] + settings_table(TABLES[m["name"]]) + m["end"], page)


def _row(name: str, info: FieldInfo) -> str:
    unit = next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), "")
    accepted = ", ".join(part for part in (unit, allowed(info)) if part)
    return f"| `{name.upper()}` | {_default(info)} | {accepted} | {info.description} |"


def _default(info: FieldInfo) -> str:
    value = info.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value == "":
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def main() -> None:
    """Writes the tables of every page anew."""
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        fresh = refreshed(page)
        if fresh != page:
            path.write_text(fresh, encoding="utf-8")
            print(f"{path.relative_to(ROOT)}: tables refreshed")


if __name__ == "__main__":
    main()
