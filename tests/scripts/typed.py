"""What a command that is typed answers, and what it must not tell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Told = tuple[int, str, str]
"""Exit status, standard output, standard error."""
Seawall = Callable[..., Awaitable[Told]]

SAID = "what-somebody-said"
WHO = "somebody-himself"
