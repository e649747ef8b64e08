"""The model, before anything needs it."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout

from rich.console import Console

from scripts.system.system import MODEL_REPOSITORY, TOKENIZER


def build_model_if_missing(notes: Console) -> None:
    """Builds the model that Triton serves where there is no version of it; the build talks on stderr.

    Raises:
        typer.Exit: the build failed, and has said why.
    """
    versions = [path for path in (MODEL_REPOSITORY / "e5_risk").glob("[0-9]*") if path.is_dir()]
    if versions and TOKENIZER.is_file():
        return
    # Imported here because it takes ONNX Runtime along, which nothing else of this command needs.
    from scripts.commands.model import build  # noqa: PLC0415

    notes.print("no model yet: building it (once, some minutes)", style="dim")
    with redirect_stdout(sys.stderr):
        build()
