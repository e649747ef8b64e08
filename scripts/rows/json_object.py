"""One line of JSON Lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from scripts.errors import BadRow

_KINDS = {
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


def decode_object(line: int, data: bytes) -> Mapping[str, Any]:
    """The JSON object of a line.

    Raises:
        BadRow: it is not JSON, or not an object.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise BadRow(line, f"not valid JSON at column {error.colno}: {error.msg}") from error
    if not isinstance(value, dict):
        raise BadRow(line, f"is {kind_of(value)}; allowed: a JSON object")
    return value


def kind_of(value: object) -> str:
    """What a JSON value is, in words."""
    return "null" if value is None else _KINDS.get(type(value), "of an unknown kind")
