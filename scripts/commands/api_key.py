"""The key that a command calls a service with: never an argument, which everybody on the machine can read."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from scripts.errors import CommandFailed


def read_api_key() -> str:
    """The key in `API_KEY`, in the file that `API_KEY_FILE` names, or typed unseen at a terminal.

    Raises:
        CommandFailed: there is none.
    """
    if key := os.environ.get("API_KEY", "").strip():
        return key
    if path := os.environ.get("API_KEY_FILE", ""):
        if key := Path(path).read_text(encoding="utf-8").strip():
            return key
        raise CommandFailed(f"API_KEY_FILE={path}: is empty; allowed: a file that holds a key")
    if sys.stdin.isatty() and (key := getpass.getpass("API key: ").strip()):
        return key
    raise CommandFailed("no API key: set API_KEY, or API_KEY_FILE to a file that holds it")
