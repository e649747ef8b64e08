"""What the environment says of the requests to the model, for a benchmark and for the system that it starts.

On a GPU: `DEVICE=cuda MODEL_REQUEST_TOKENS=16384 MODEL_REQUESTS_IN_FLIGHT=4 seawall bench triton`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from screener.settings import ScreenerSettings

_NAMES = ("MODEL_REQUEST_TOKENS", "MODEL_REQUESTS_IN_FLIGHT")


def model_settings() -> Mapping[str, str]:
    """By variable, where it is set; `System` hands DEVICE on by itself."""
    return {name: os.environ[name] for name in _NAMES if name in os.environ}


def request_tokens() -> int:
    """Of one request of the screener's, at most."""
    return _value("MODEL_REQUEST_TOKENS")


def requests_in_flight() -> int:
    """Of the screener's, at once."""
    return _value("MODEL_REQUESTS_IN_FLIGHT")


def _value(name: str) -> int:
    return int(os.environ.get(name) or ScreenerSettings.model_fields[name.lower()].default)
