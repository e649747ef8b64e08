"""The deployment's secret of a system on this machine: as old as its data."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def kept_secret(data_dir: Path | None) -> str:
    """The secret that lies with the data, made where there is none; a new one each time without a folder.

    Raises:
        OSError: the folder cannot be read or written.
    """
    if data_dir is None:
        return secrets.token_urlsafe(32)
    path = data_dir / "dedup.secret"
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        secret = secrets.token_urlsafe(32)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secret)
        return secret
