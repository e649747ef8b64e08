"""What the log of a process says about its end."""

from __future__ import annotations

import re
from pathlib import Path

import orjson

_TAIL_BYTES = 64 * 1024
_MAX_CHARS = 500
# Triton's lines begin with the level and the date (`E1121 12:00:00.0 ...`); the others say it in words.
_TRITON = re.compile(r"^[EWIF]\d{4} [\d:.]+ \d+ \S+\] ")
_TROUBLE = re.compile(r"^[EF]\d{4} |\b(error|critical|fatal|failed|exception)\b|Error\b", re.IGNORECASE)
_NOISE = re.compile(
    r"^\s|^Traceback |^[-+|= ]*$|\bUserWarning\b"
    # What Triton says of a machine without a GPU, and of its own end.
    r"|^[EWIF]\d{4} (?!.*TritonModelException).*(?i:DCGM|NVML|pinned|CUDA|cudart|Signal \(|exit timeout)"
)


def last_words(log: Path) -> str:
    """The last line of `log` that tells of trouble, else its last line; "" for an empty or missing log.

    Of a JSON line, its event and error; never more than 500 characters.
    """
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    lines = [line for line in lines if not _NOISE.search(line)]
    trouble = [line for line in lines if _TROUBLE.search(line)]
    return _plain((trouble or lines or [""])[-1])[:_MAX_CHARS]


def _plain(line: str) -> str:
    if line.startswith("{"):
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            return line
        words = [str(entry[name]) for name in ("event", "error", "reason") if entry.get(name)]
        return ": ".join(words) or line
    return _TRITON.sub("", line).strip('" ')
